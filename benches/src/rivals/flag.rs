//! An event made of a lock and a condition, for those who have none.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use procsync::Shared;

use super::ours::shared;
use crate::traits::{Condition, Event, Monitor};

/// Whether it is set, under the lock.
pub(crate) struct Flag<M> {
    monitor: M,
    is_set: Shared<AtomicU32>,
}

impl<M: Monitor> Flag<M> {
    pub(crate) fn new(monitor: M) -> Box<Self> {
        let is_set = shared(AtomicU32::new(0));
        Box::new(Self { monitor, is_set })
    }
}

impl<M: Monitor> Event for Flag<M> {
    #[inline]
    fn set(&self) {
        let guard = self.monitor.lock();
        self.is_set.store(1, Relaxed);
        self.monitor.condition(0).notify_all();
        drop(guard);
    }

    #[inline]
    fn clear(&self) {
        let guard = self.monitor.lock();
        self.is_set.store(0, Relaxed);
        drop(guard);
    }

    #[inline]
    fn wait(&self) {
        let mut guard = self.monitor.lock();
        while self.is_set.load(Relaxed) == 0 {
            guard = self.monitor.condition(0).wait(guard);
        }
        drop(guard);
    }
}
