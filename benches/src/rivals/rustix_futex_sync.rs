//! `rustix-futex-sync`, its `shm` module.

use rustix_futex_sync::shm::{Condvar, Mutex, MutexGuard};

use crate::placed::Placed;
use crate::traits::{Condition, GuardOf, Lock, Monitor, Parts, notifies_by_itself};

pub(crate) fn mutex() -> Placed<Mutex<()>> {
    Placed::new(Mutex::new(()))
}

pub(crate) fn monitor() -> impl Monitor {
    let condition = || Placed::new(Condvar::new());
    Parts {
        lock: mutex(),
        conditions: [condition(), condition()],
    }
}

impl Lock for Mutex<()> {
    type Guard<'lock> = MutexGuard<'lock, ()>;

    #[inline]
    fn lock(&self) -> MutexGuard<'_, ()> {
        Self::lock(self)
    }
}

impl Condition for Condvar {
    type Lock = Mutex<()>;

    #[inline]
    fn wait<'lock>(&self, guard: GuardOf<'lock, Self::Lock>) -> GuardOf<'lock, Self::Lock> {
        Self::wait(self, guard)
    }

    notifies_by_itself!();
}
