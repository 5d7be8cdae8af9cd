//! All eight primitives and a word, in one place.

use std::cell::Cell;
use std::ops::Deref;

use procsync::{
    Barrier, BoundedSemaphore, Condition, Event, FutexWord, Lock, RLock, Semaphore, Shared, Timer,
};

use super::input::{MOST, Sequence};

procsync::shareable! {
    pub struct World {
        pub locks: [Lock<u32>; 2],
        pub nested: [RLock<Cell<u32>>; 2],
        pub semaphore: Semaphore,
        pub bounded: BoundedSemaphore,
        pub event: Event,
        pub condition: Condition,
        pub barrier: Barrier,
        pub timer: Timer,
        pub word: FutexWord,
    }
}

/// Where it lies.
pub enum Place {
    Private(Box<World>),
    Shared(Shared<World>),
}

impl Place {
    pub fn new(sequence: &Sequence) -> Self {
        let world = World {
            locks: [Lock::new(0), Lock::new(0)],
            nested: [RLock::new(Cell::new(0)), RLock::new(Cell::new(0))],
            semaphore: Semaphore::new(sequence.permits.count().min(MOST)),
            bounded: BoundedSemaphore::new(sequence.bound.count()),
            event: Event::new(),
            condition: Condition::new(),
            barrier: Barrier::new(sequence.parties.count()),
            timer: Timer::new(),
            word: FutexWord::new(0),
        };
        if sequence.shared {
            Self::Shared(Shared::anonymous(world).expect("memory can be had"))
        } else {
            Self::Private(Box::new(world))
        }
    }
}

impl Deref for Place {
    type Target = World;

    fn deref(&self) -> &World {
        match self {
            Self::Private(world) => world,
            Self::Shared(world) => world,
        }
    }
}
