//! std's, for threads of one process.

use std::sync::{Barrier, Condvar, Mutex, MutexGuard};

use crate::traits::{self, GuardOf, Monitor, Parts, notifies_by_itself};

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

    notifies_by_itself!();
}

impl traits::Barrier for Barrier {
    #[inline]
    fn wait(&self) {
        Self::wait(self);
    }
}
