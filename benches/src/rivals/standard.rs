//! std's, for threads of one process.

use std::sync::{Barrier, Condvar, Mutex, MutexGuard};

use crate::traits::{self, GuardOf, Monitor, Parts};

pub(crate) fn mutex() -> Box<Mutex<()>> {
    Box::new(Mutex::new(()))
}

pub(crate) fn monitor() -> impl Monitor<Lock: Sync, Condition: Sync> + Sync {
    Parts {
        lock: mutex(),
        conditions: [Box::new(Condvar::new()), Box::new(Condvar::new())],
    }
}

impl traits::Lock for Mutex<()> {
    type Guard<'lock> = MutexGuard<'lock, ()>;

    #[inline]
    fn lock(&self) -> MutexGuard<'_, ()> {
        Self::lock(self).expect("nobody panics here")
    }
}

impl traits::Condition for Condvar {
    type Lock = Mutex<()>;

    #[inline]
    fn wait<'lock>(&self, guard: GuardOf<'lock, Self::Lock>) -> GuardOf<'lock, Self::Lock> {
        Self::wait(self, guard).expect("nobody panics here")
    }

    #[inline]
    fn notify_one(&self) {
        Self::notify_one(self);
    }

    #[inline]
    fn notify_all(&self) {
        Self::notify_all(self);
    }
}

impl traits::Barrier for Barrier {
    #[inline]
    fn wait(&self) {
        Self::wait(self);
    }
}
