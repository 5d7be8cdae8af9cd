//! What goes wrong in models themselves is told, by words that help.
#![cfg(loom)]

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use procsync::model::{AtomicU32, Exploration, asleep, elapsed, loom, spawn_mortal, step};
use procsync::{Event, Lock, Semaphore};

#[test]
#[should_panic(expected = "a scenario has one mortal thread")]
fn two_mortals() {
    Exploration::DEATHS.run(|| {
        let _first = spawn_mortal(step);
        let _second = spawn_mortal(step);
    });
}

#[test]
#[should_panic(expected = "nobody died")]
fn deaths_of_nobody() {
    Exploration::DEATHS.run(|| drop(loom::thread::spawn(step).join()));
}

#[test]
#[should_panic(expected = "nobody died")]
fn a_mortal_that_takes_no_step() {
    Exploration::DEATHS.run(|| {
        spawn_mortal(|| {}).join();
    });
}

#[test]
#[should_panic(expected = "nothing waited")]
fn naps_of_nobody() {
    Exploration::NAPS.run(|| Event::new().set());
}

#[test]
#[should_panic(expected = "used outside of an exploration")]
fn a_primitive_outside() {
    let _ = Lock::new(());
}

#[test]
#[should_panic(expected = "used outside of an exploration")]
fn a_primitive_in_a_model_of_looms() {
    loom::model(|| assert!(Semaphore::new(1).try_acquire().is_some()));
}

#[test]
#[should_panic(expected = "used outside of an exploration")]
fn a_primitive_after_an_exploration() {
    Exploration::CALM.run(|| assert!(!Lock::new(()).is_locked()));
    let _ = Lock::new(());
}

#[test]
fn everything_outside() {
    let outside: [fn(); 4] = [
        step,
        || assert_eq!(asleep(), 0),
        || assert_eq!(elapsed(), Duration::ZERO),
        || assert_eq!(spawn_mortal(|| {}).join(), Some(())),
    ];
    for call in outside {
        let panic = std::panic::catch_unwind(call).unwrap_err();
        let message = panic.downcast_ref::<&str>().expect("a literal");
        assert!(
            message.contains("used outside of an exploration"),
            "{message}"
        );
    }
}

#[test]
#[should_panic(expected = "an exploration within an exploration")]
fn one_within_another() {
    Exploration::CALM.run(|| {
        Exploration::CALM.run(|| {});
    });
}

#[test]
#[should_panic(expected = "exceeded maximum number of branches")]
fn a_loop_that_does_not_yield() {
    Exploration::CALM.run(|| {
        let flag = Arc::new(AtomicU32::new(0));
        let theirs = flag.clone();
        let setter = loom::thread::spawn(move || theirs.store(1, Relaxed));
        while flag.load(Relaxed) == 0 {}
        setter.join().unwrap();
    });
}

/// The guards of those who wait for ever are dropped; that must not turn a failed test into an abort.
#[test]
#[should_panic(expected = "deadlock")]
fn a_deadlock_with_guards_and_permits() {
    Exploration::CALM.run(|| {
        let all = Arc::new((Lock::new(1), Semaphore::new(1), Event::new()));
        let theirs = all.clone();
        let other = loom::thread::spawn(move || {
            let _permit = theirs.1.acquire();
            let _guard = theirs.0.acquire();
            theirs.2.wait();
        });
        other.join().unwrap();
    });
}

/// A failing assertion, while others sleep, and hold something.
#[test]
#[should_panic(expected = "what the test is about")]
fn an_assertion_that_fails_beside_a_sleeper() {
    Exploration::CALM.run(|| {
        let all = Arc::new((Lock::new(1), Event::new()));
        let theirs = all.clone();
        let _other = loom::thread::spawn(move || {
            let _guard = theirs.0.acquire();
            theirs.1.wait_timeout(Duration::from_secs(1));
        });
        loom::thread::yield_now();
        let _guard = all.0.acquire();
        panic!("what the test is about");
    });
}

/// The next exploration begins from nothing, whatever the last one left behind.
#[test]
fn after_a_failure() {
    let failed = std::panic::catch_unwind(|| Exploration::CALM.run(|| panic!("on purpose")));
    assert!(failed.is_err());
    let explored = Exploration::CALM.run(|| drop(Lock::new(()).acquire()));
    assert_eq!(explored.executions, 1);
}
