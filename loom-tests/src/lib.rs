//! What the models have in common: data that shows a death, and threads that use it.
#![cfg(loom)]

use std::mem::discriminant;
use std::ops::Deref;

use loom::cell::Cell;
use procsync::model::Exploration;
use procsync::{AcquireError, Lock, RLock};

/// As its original.
pub const CALM: Exploration = Exploration::CALM;
/// As its original.
pub const NAPS: Exploration = Exploration::NAPS;
/// As its original.
pub const DEATHS: Exploration = Exploration::DEATHS;

/// Explores, and says how much.
pub fn explore(exploration: Exploration, scenario: impl Fn() + Send + Sync + 'static) {
    println!("{:?}", exploration.run(scenario));
}

/// Lets others go on until they sleep; whether `count` do.
pub fn others_sleep(count: usize) -> bool {
    loom::thread::yield_now();
    procsync::model::asleep() == count
}

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

    /// Checks that it is whole, unless who had it before died or panicked.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub fn check(&self, poisoned: bool) {
        assert!(poisoned || self.is_whole(), "half-done work, and no poison");
    }

    /// Checks what is left when nobody is left: healthy if nobody died, whole if healthy, and all the
    /// work of survivors.
    ///
    /// # Panics
    ///
    /// If that is not so.
    pub fn check_end(&self, poisoned: bool, somebody_died: bool, at_least: u32) {
        assert!(somebody_died || !poisoned, "poison, and nobody died");
        self.check(poisoned);
        assert!(self.count() >= at_least, "work of a survivor was lost");
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

/// The guard of a `Lock` or an `RLock`, acquired in health or in poison; `bool`: poison.
///
/// # Panics
///
/// If the lock was not acquired.
pub fn held<G>(acquired: Result<G, AcquireError<G>>) -> (G, bool) {
    match acquired {
        Ok(guard) => (guard, false),
        Err(AcquireError::Poisoned(guard)) => (guard, true),
        Err(error) => panic!("{error}"),
    }
}

/// One step of work, if the lock was acquired; otherwise it was refused for this reason.
///
/// # Panics
///
/// If it was for another one.
pub fn advance_unless<G: Deref<Target = Pair>>(
    refusal: &AcquireError<()>,
    acquired: Result<G, AcquireError<G>>,
) {
    match acquired {
        Ok(guard) => guard.advance(),
        Err(error) => {
            let error = error.without_guard();
            assert_eq!(discriminant(&error), discriminant(refusal), "{error}");
        }
    }
}

/// One critical section: what is healthy is whole.
pub fn work(lock: &Lock<Pair>) {
    let (guard, poisoned) = held(lock.acquire());
    guard.check(poisoned);
    guard.advance();
}

/// A critical section entered twice.
pub fn work_twice(lock: &RLock<Pair>) {
    let (outer, poisoned) = held(lock.acquire());
    outer.check(poisoned);
    outer.advance();
    let (inner, _) = held(lock.acquire());
    inner.advance();
    drop(inner);
    outer.advance();
}
