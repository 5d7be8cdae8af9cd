//! iceoryx2's own primitives, of `iceoryx2-pal-concurrency-sync`. They leave it to the user how to
//! sleep and to wake; here by futexes on halves of their words.

use std::sync::atomic::AtomicU32;

use iceoryx2_pal_concurrency_sync::WaitAction;
use iceoryx2_pal_concurrency_sync::atomic::AtomicU64;
use iceoryx2_pal_concurrency_sync::strategy::{barrier, mutex, semaphore};
use rustix::thread::futex::{Flags, wait, wake};

use crate::placed::Placed;
use crate::traits;

pub(crate) struct Mutex(mutex::Mutex);

pub(crate) fn mutex() -> Placed<Mutex> {
    Placed::new(Mutex(mutex::Mutex::new()))
}

pub(crate) fn semaphore(permits: u64) -> Placed<semaphore::Semaphore> {
    Placed::new(semaphore::Semaphore::new(permits))
}

pub(crate) fn barrier(parties: u32) -> Placed<barrier::Barrier> {
    Placed::new(barrier::Barrier::new(parties))
}

/// The lower half, or the upper one.
#[derive(Clone, Copy)]
enum Half {
    Low,
    High,
}

fn half(word: &AtomicU64, half: Half) -> &AtomicU32 {
    let halves = std::ptr::from_ref(word).cast::<[AtomicU32; 2]>();
    // SAFETY: as large as the word, aligned, and borrowed as long. Only the kernel compares a half,
    // while others change the whole.
    let halves = unsafe { &*halves };
    let low = usize::from(cfg!(target_endian = "big"));
    match half {
        Half::Low => &halves[low],
        Half::High => &halves[1 - low],
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the half that is wanted")]
fn sleep_on_low(word: &AtomicU64, &seen: &u64) -> WaitAction {
    // It answers with an error if the word has changed.
    let _ = wait(half(word, Half::Low), Flags::empty(), seen as u32, None);
    WaitAction::Continue
}

/// A barrier's epoch is there.
fn sleep_on_high(word: &AtomicU64, &seen: &u64) {
    let seen = (seen >> 32) as u32;
    // As above.
    let _ = wait(half(word, Half::High), Flags::empty(), seen, None);
}

fn wake_one(word: &AtomicU64) {
    wake(half(word, Half::Low), Flags::empty(), 1).expect("a futex");
}

fn wake_all(word: &AtomicU64) {
    let everybody = u32::MAX >> 1;
    wake(half(word, Half::High), Flags::empty(), everybody).expect("a futex");
}

pub(crate) struct Guard<'lock>(&'lock Mutex);

impl traits::Lock for Mutex {
    type Guard<'lock> = Guard<'lock>;

    #[inline]
    fn lock(&self) -> Guard<'_> {
        self.0.lock(sleep_on_low);
        Guard(self)
    }
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.0.unlock(wake_one);
    }
}

impl traits::Semaphore for semaphore::Semaphore {
    #[inline]
    fn acquire(&self) {
        self.wait(sleep_on_low);
    }

    #[inline]
    fn release(&self) {
        self.post(wake_one, 1);
    }
}

impl traits::Barrier for barrier::Barrier {
    #[inline]
    fn wait(&self) {
        Self::wait(self, sleep_on_high, wake_all);
    }
}
