//! Waits of each kind, by the method that there is for it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use procsync::{
    Condition, ConditionGuard, FutexWait, FutexWord, Ready, Source, WaitError, wait_any,
    wait_any_timeout, wait_any_until,
};

use super::input::{Patience, Predicate};
use super::outcome::Outcome;

pub const BRIEF: Duration = Duration::from_millis(1);

pub fn the_past() -> Instant {
    Instant::now().checked_sub(BRIEF).expect("uptime")
}

/// A wait of each kind, by the method that there is for it.
pub fn patiently<R>(
    patience: Patience,
    forever: impl FnOnce() -> R,
    once: impl FnOnce() -> R,
    timeout: impl FnOnce(Duration) -> R,
    until: impl FnOnce(Instant) -> R,
) -> R {
    match patience {
        Patience::Forever => forever(),
        Patience::Try => once(),
        Patience::Zero => timeout(Duration::ZERO),
        Patience::Past => until(the_past()),
        Patience::Brief => timeout(BRIEF),
    }
}

pub fn await_notify<G: ConditionGuard>(
    condition: &Condition,
    guard: &mut G,
    patience: Patience,
) -> Outcome {
    let guard = Cell::new(Some(guard));
    let guard = || guard.take().expect("one of these is called");
    Outcome::Notified(patiently(
        patience,
        || condition.wait(guard()).map(|()| true),
        || condition.wait_timeout(guard(), Duration::ZERO),
        |timeout| condition.wait_timeout(guard(), timeout),
        |deadline| condition.wait_until(guard(), deadline),
    ))
}

pub fn await_predicate<G: ConditionGuard>(
    condition: &Condition,
    guard: &mut G,
    predicate: Predicate,
    patience: Patience,
) -> Outcome {
    let guard = Cell::new(Some(guard));
    let guard = || guard.take().expect("one of these is called");
    let asked = Cell::new(0);
    let holds = |_: &G::Target| {
        asked.set(asked.get() + 1);
        match predicate {
            Predicate::Holds => true,
            Predicate::HoldsLater => asked.get() > 1,
            Predicate::NeverHolds => false,
        }
    };
    Outcome::Notified(patiently(
        patience,
        || condition.wait_for(guard(), holds).map(|()| true),
        || condition.wait_for_timeout(guard(), Duration::ZERO, holds),
        |timeout| condition.wait_for_timeout(guard(), timeout, holds),
        |deadline| condition.wait_for_until(guard(), deadline, holds),
    ))
}

pub fn await_word(word: &FutexWord, expected: u32, patience: Patience) -> FutexWait {
    patiently(
        patience,
        || word.wait(expected),
        || word.wait_timeout(expected, Duration::ZERO),
        |timeout| word.wait_timeout(expected, timeout),
        |deadline| word.wait_until(expected, deadline),
    )
}

pub fn await_any<'world>(
    sources: &[Source<'world>],
    patience: Patience,
) -> Result<Ready<'world>, WaitError> {
    patiently(
        patience,
        || wait_any(sources),
        || wait_any_timeout(sources, Duration::ZERO),
        |timeout| wait_any_timeout(sources, timeout),
        |deadline| wait_any_until(sources, deadline),
    )
}
