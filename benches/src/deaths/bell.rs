//! What can be rung, again and again, for one who waits: made of an event, or of a condition.

use std::ops::Deref;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use procsync::Shared;

use crate::rivals::ours::shared;
use crate::traits::{Condition, Event, Monitor};

pub(super) trait Bell {
    /// Until it is rung.
    fn wait(&self);

    /// For one who waits.
    fn ring(&self);
}

/// Whoever heard it clears it.
pub(super) struct ByEvent<H>(pub(super) H);

impl<H: Deref<Target: Event>> Bell for ByEvent<H> {
    fn wait(&self) {
        self.0.wait();
        self.0.clear();
    }

    fn ring(&self) {
        self.0.set();
    }
}

/// Wake-ups for nothing are no rings: those are counted, under the lock.
pub(super) struct ByCondition<M> {
    monitor: M,
    rings: Shared<AtomicU32>,
}

impl<M: Monitor> ByCondition<M> {
    pub(super) fn new(monitor: M) -> Self {
        let rings = shared(AtomicU32::new(0));
        Self { monitor, rings }
    }
}

impl<M: Monitor> Bell for ByCondition<M> {
    fn wait(&self) {
        let mut guard = self.monitor.lock();
        let before = self.rings.load(Relaxed);
        while self.rings.load(Relaxed) == before {
            guard = self.monitor.condition(0).wait(guard);
        }
        drop(guard);
    }

    fn ring(&self) {
        let guard = self.monitor.lock();
        self.rings.store(self.rings.load(Relaxed) + 1, Relaxed);
        self.monitor.condition(0).notify_one();
        drop(guard);
    }
}
