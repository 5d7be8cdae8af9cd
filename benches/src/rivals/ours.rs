//! This crate's own.

use procsync::{
    AcquireError, Barrier, BoundedSemaphore, Condition, Event, Lock, LockGuard, RLock, RLockGuard,
    Semaphore, Shareable, Shared,
};

use crate::traits::{self, GuardOf, Monitor, Parts, notifies_by_itself};

/// In a mapping of its own.
pub(crate) fn shared<T: Shareable + Sync>(value: T) -> Shared<T> {
    Shared::anonymous(value).expect("shared memory")
}

pub(crate) fn lock() -> Shared<Lock> {
    shared(Lock::new(()))
}

pub(crate) fn semaphore(permits: u32) -> Shared<Semaphore> {
    shared(Semaphore::new(permits))
}

pub(crate) fn event() -> Shared<Event> {
    shared(Event::new())
}

pub(crate) fn barrier(parties: u32) -> Shared<Barrier> {
    shared(Barrier::new(parties))
}

pub(crate) fn monitor() -> impl Monitor {
    Parts {
        lock: lock(),
        conditions: [shared(Condition::new()), shared(Condition::new())],
    }
}

impl traits::Lock for Lock {
    type Guard<'lock> = LockGuard<'lock, ()>;

    #[inline]
    fn lock(&self) -> LockGuard<'_, ()> {
        self.acquire().expect("nobody dies here")
    }

    fn tells_of_death(&self) -> bool {
        has_told(self.acquire(), || self.clear_poison())
    }
}

impl traits::Lock for RLock {
    type Guard<'lock> = RLockGuard<'lock, ()>;

    #[inline]
    fn lock(&self) -> RLockGuard<'_, ()> {
        self.acquire().expect("nobody dies here")
    }

    fn tells_of_death(&self) -> bool {
        has_told(self.acquire(), || self.clear_poison())
    }
}

fn has_told<G>(acquired: Result<G, AcquireError<G>>, repair: impl FnOnce()) -> bool {
    match acquired {
        Ok(_guard) => false,
        Err(AcquireError::Poisoned(_guard)) => {
            repair();
            true
        }
        Err(refused) => panic!("no death: {}", refused.without_guard()),
    }
}

impl traits::Condition for Condition {
    type Lock = Lock;

    #[inline]
    fn wait<'lock>(&self, mut guard: GuardOf<'lock, Self::Lock>) -> GuardOf<'lock, Self::Lock> {
        Self::wait(self, &mut guard).expect("nobody dies here");
        guard
    }

    notifies_by_itself!();
}

impl traits::Semaphore for Semaphore {
    #[inline]
    fn acquire(&self) {
        Self::acquire(self).forget();
    }

    #[inline]
    fn release(&self) {
        Self::release(self, 1).expect("far from the limit");
    }
}

impl traits::Semaphore for BoundedSemaphore {
    #[inline]
    fn acquire(&self) {
        Self::acquire(self).forget();
    }

    #[inline]
    fn release(&self) {
        Self::release(self, 1).expect("it was acquired");
    }
}

impl traits::Event for Event {
    #[inline]
    fn set(&self) {
        Self::set(self);
    }

    #[inline]
    fn clear(&self) {
        Self::clear(self);
    }

    #[inline]
    fn wait(&self) {
        Self::wait(self);
    }
}

impl traits::Barrier for Barrier {
    #[inline]
    fn wait(&self) {
        Self::wait(self).expect("nobody dies here");
    }

    fn meet(&self) -> bool {
        Self::wait(self).is_ok()
    }
}
