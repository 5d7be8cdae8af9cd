//! `parking_lot`, for threads of one process.

use parking_lot::{Condvar, Mutex, MutexGuard, ReentrantMutex, ReentrantMutexGuard};

use crate::traits::{Condition, GuardOf, Lock, Monitor, Parts, notifies_by_itself};

pub(crate) fn mutex() -> Box<Mutex<()>> {
    Box::new(Mutex::new(()))
}

pub(crate) fn reentrant() -> Box<ReentrantMutex<()>> {
    Box::new(ReentrantMutex::new(()))
}

pub(crate) fn monitor() -> impl Monitor<Lock: Sync, Condition: Sync> + Sync {
    Parts {
        lock: mutex(),
        conditions: [Box::new(Condvar::new()), Box::new(Condvar::new())],
    }
}

impl Lock for Mutex<()> {
    type Guard<'lock> = MutexGuard<'lock, ()>;

    #[inline]
    fn lock(&self) -> MutexGuard<'_, ()> {
        Self::lock(self)
    }
}

impl Lock for ReentrantMutex<()> {
    type Guard<'lock> = ReentrantMutexGuard<'lock, ()>;

    #[inline]
    fn lock(&self) -> ReentrantMutexGuard<'_, ()> {
        Self::lock(self)
    }
}

impl Condition for Condvar {
    type Lock = Mutex<()>;

    #[inline]
    fn wait<'lock>(&self, mut guard: GuardOf<'lock, Self::Lock>) -> GuardOf<'lock, Self::Lock> {
        Self::wait(self, &mut guard);
        guard
    }

    notifies_by_itself!();
}
