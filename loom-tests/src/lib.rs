//! What the models have in common: data that shows a death, and threads that use it.
#![cfg(loom)]

use loom::cell::Cell;
use procsync::{AcquireError, Lock, LockGuard, RLock, RLockGuard};

/// Two counters that are equal unless somebody died between them. loom checks every access.
#[derive(Debug)]
pub struct Pair(Cell<u32>, Cell<u32>);

impl Default for Pair {
    fn default() -> Self {
        Self(Cell::new(0), Cell::new(0))
    }
}

impl Pair {
    /// One step of work, with a place to die in the middle.
    pub fn advance(&self) {
        self.0.set(self.0.get() + 1);
        procsync::model::step();
        self.1.set(self.1.get() + 1);
    }

    /// Whether nobody is, or died, in the middle of it.
    pub fn is_whole(&self) -> bool {
        self.0.get() == self.1.get()
    }

    /// How often it was advanced in full.
    pub fn count(&self) -> u32 {
        self.1.get()
    }

    /// Makes it whole.
    pub fn repair(&self) {
        self.0.set(self.1.get());
    }
}

/// Acquired in health or in poison; `bool`: poison.
///
/// # Panics
///
/// If the lock was not acquired.
pub fn held<'lock, T>(
    acquired: Result<LockGuard<'lock, T>, AcquireError<LockGuard<'lock, T>>>,
) -> (LockGuard<'lock, T>, bool) {
    match acquired {
        Ok(guard) => (guard, false),
        Err(AcquireError::Poisoned(guard)) => (guard, true),
        Err(error) => panic!("{error}"),
    }
}

/// One critical section: what is healthy is whole.
pub fn work(lock: &Lock<Pair>) {
    let (guard, poisoned) = held(lock.acquire());
    assert!(
        poisoned || guard.is_whole(),
        "half-done work, and no poison"
    );
    guard.advance();
}

/// The same on an `RLock`.
///
/// # Panics
///
/// If the lock was not acquired.
pub fn held_again<'lock, T>(
    acquired: Result<RLockGuard<'lock, T>, AcquireError<RLockGuard<'lock, T>>>,
) -> (RLockGuard<'lock, T>, bool) {
    match acquired {
        Ok(guard) => (guard, false),
        Err(AcquireError::Poisoned(guard)) => (guard, true),
        Err(error) => panic!("{error}"),
    }
}

/// A critical section entered twice.
pub fn work_twice(lock: &RLock<Pair>) {
    let (outer, poisoned) = held_again(lock.acquire());
    assert!(
        poisoned || outer.is_whole(),
        "half-done work, and no poison"
    );
    outer.advance();
    let (inner, _) = held_again(lock.acquire());
    inner.advance();
    drop(inner);
    outer.advance();
}
