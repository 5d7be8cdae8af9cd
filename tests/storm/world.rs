//! What the workers share.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use procsync::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore, Timer, shareable,
};

pub(crate) const WORKERS: usize = 6;
pub(crate) const PARTIES: u32 = 3;
pub(crate) const PERMITS: u32 = 2;

shareable! {
    /// All primitives, and what happened to them.
    pub struct World {
        pub(crate) pair: Lock<[u64; 2]>,
        pub(crate) nested: RLock<[Cell<u64>; 2]>,
        pub(crate) semaphore: Semaphore,
        pub(crate) bounded: BoundedSemaphore,
        pub(crate) event: Event,
        pub(crate) changed: Condition,
        pub(crate) barrier: Barrier,
        pub(crate) timer: Timer,
        /// Not 0: everybody goes home.
        pub(crate) over: AtomicU32,
        /// What each worker does: a number of `worker::DEEDS`.
        doing: [AtomicU32; 6],
        pub(crate) operations: AtomicU64,
        pub(crate) poisonings: AtomicU64,
        pub(crate) broken: AtomicU64,
        pub(crate) abandoned: AtomicU64,
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            pair: Lock::new([0; 2]),
            nested: RLock::new([const { Cell::new(0) }; 2]),
            semaphore: Semaphore::new(PERMITS),
            bounded: BoundedSemaphore::new(PERMITS),
            event: Event::new(),
            changed: Condition::new(),
            barrier: Barrier::new(PARTIES),
            timer: Timer::new(),
            over: AtomicU32::new(0),
            doing: [const { AtomicU32::new(0) }; WORKERS],
            operations: AtomicU64::new(0),
            poisonings: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
        }
    }

    pub(crate) fn begin(&self, place: usize, deed: usize) {
        let deed = u32::try_from(deed).expect("few");
        self.doing[place].store(deed, Ordering::Relaxed);
        count(&self.operations);
    }

    /// What the worker in this place was last seen to begin.
    pub(crate) fn doing(&self, place: usize) -> &'static str {
        let deed = self.doing[place].load(Ordering::Relaxed);
        crate::worker::DEEDS[deed as usize].0
    }

    pub(crate) fn report(&self) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        format!(
            "{} operations, {} poisonings, {} broken barriers, {} abandoned timers",
            read(&self.operations),
            read(&self.poisonings),
            read(&self.broken),
            read(&self.abandoned),
        )
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
