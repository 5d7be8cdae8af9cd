//! `raw_sync`: pthread's, behind boxed traits. Its handles stay on their thread.

use std::ptr::null_mut;

use raw_sync::Timeout;
use raw_sync::events::{self, EventImpl, EventInit, EventState};
use raw_sync::locks::{self, LockGuard, LockImpl, LockInit};

use crate::placed::Placed;
use crate::traits::{Event, Lock};

/// Room for one of theirs.
type Memory = Placed<[u64; 32]>;

fn memory(needed: usize) -> Memory {
    assert!(needed <= size_of::<[u64; 32]>(), "there is room");
    Placed::new([0; 32])
}

pub(crate) struct Mutex {
    lock: Box<dyn LockImpl>,
    _memory: Memory,
}

pub(crate) fn mutex() -> Box<Mutex> {
    let memory = memory(locks::Mutex::size_of(None));
    let place = std::ptr::from_ref(&*memory).cast_mut().cast();
    // SAFETY: it is large enough, and nobody else's; nobody asks for the data.
    let made = unsafe { locks::Mutex::new(place, null_mut()) };
    let (lock, _) = made.expect("a mutex");
    Box::new(Mutex {
        lock,
        _memory: memory,
    })
}

pub(crate) struct Flag {
    event: Box<dyn EventImpl>,
    _memory: Memory,
}

pub(crate) fn event() -> Box<Flag> {
    let memory = memory(events::Event::size_of(None));
    let place = std::ptr::from_ref(&*memory).cast_mut().cast();
    let resets_itself = false;
    // SAFETY: it is large enough, and nobody else's.
    let made = unsafe { events::Event::new(place, resets_itself) };
    let (event, _) = made.expect("an event");
    Box::new(Flag {
        event,
        _memory: memory,
    })
}

impl Lock for Mutex {
    type Guard<'lock> = LockGuard<'lock>;

    #[inline]
    fn lock(&self) -> LockGuard<'_> {
        self.lock.lock().expect("nobody dies here")
    }
}

impl Event for Flag {
    #[inline]
    fn set(&self) {
        self.event.set(EventState::Signaled).expect("an event");
    }

    #[inline]
    fn clear(&self) {
        self.event.set(EventState::Clear).expect("an event");
    }

    #[inline]
    fn wait(&self) {
        self.event.wait(Timeout::Infinite).expect("an event");
    }
}
