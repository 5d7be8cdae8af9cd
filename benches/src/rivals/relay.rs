//! Turns that are passed by means of other primitives.

use std::ops::Deref;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use procsync::Shared;

use super::ours::shared;
use crate::traits::{Baton, Condition, Event, Monitor, Semaphore};

/// A permit is a turn.
pub(crate) struct BySemaphore<H>(pub(crate) H);

impl<H: Deref<Target: Semaphore>> Baton for BySemaphore<H> {
    #[inline]
    fn pass(&self) {
        self.0.release();
    }

    #[inline]
    fn take(&self) {
        self.0.acquire();
    }
}

/// A set event is a turn.
pub(crate) struct ByEvent<H>(pub(crate) H);

impl<H: Deref<Target: Event>> Baton for ByEvent<H> {
    #[inline]
    fn pass(&self) {
        self.0.set();
    }

    #[inline]
    fn take(&self) {
        self.0.wait();
        self.0.clear();
    }
}

/// A number under a lock is a turn.
pub(crate) struct ByCondition<M> {
    monitor: M,
    turns: Shared<AtomicU32>,
}

impl<M: Monitor> ByCondition<M> {
    pub(crate) fn new(monitor: M) -> Self {
        let turns = shared(AtomicU32::new(0));
        Self { monitor, turns }
    }
}

impl<M: Monitor> Baton for ByCondition<M> {
    #[inline]
    fn pass(&self) {
        let guard = self.monitor.lock();
        self.turns.store(self.turns.load(Relaxed) + 1, Relaxed);
        self.monitor.condition(0).notify_one();
        drop(guard);
    }

    #[inline]
    fn take(&self) {
        let mut guard = self.monitor.lock();
        while self.turns.load(Relaxed) == 0 {
            guard = self.monitor.condition(0).wait(guard);
        }
        self.turns.store(self.turns.load(Relaxed) - 1, Relaxed);
        drop(guard);
    }
}
