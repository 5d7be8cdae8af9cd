//! Where somebody sleeps, or the operation itself has to: system calls.
//!
//! Instructions depend on the clock, and on how long others take.

use std::time::Duration;

use crate::case::{Case, Peer, Stage};
use crate::meter::Meter;

pub(crate) fn cases() -> Vec<Case> {
    let mut all = wakers();
    all.extend(sleepers());
    all
}

const SHORT: Duration = Duration::from_millis(1);

/// Counted once; the others come at the cue.
fn once(meter: &Meter, operation: impl FnOnce()) {
    meter.begin();
    meter.count(operation);
    meter.end();
}

// ---- Who wakes ------------------------------------------------------------------------------------------

fn wakers() -> Vec<Case> {
    vec![
        Case::new("Lock, one sleeps: release", |stage, meter| {
            let guard = stage.lock.acquire();
            once(meter, || drop(guard));
        })
        .with(Peer::Then(wait_for_lock))
        .system_calls(&[1]),
        // A wake-up that finds nobody, a look whether anybody sleeps, then nothing more.
        Case::new(
            "Lock, one has slept and is gone: releases",
            |stage, meter| {
                let mut guard = stage.lock.acquire();
                meter.begin();
                for _ in 0..3 {
                    meter.count(|| drop(guard));
                    guard = stage.lock.acquire();
                }
                meter.end();
            },
        )
        .with(Peer::ThenKilled(wait_for_lock))
        .system_calls(&[1, 1, 0]),
        Case::new("Semaphore, one sleeps: release", |stage, meter| {
            warm_up(stage);
            once(meter, || stage.semaphore.release(1).expect("there is room"));
        })
        .with(Peer::Then(|stage| stage.semaphore.acquire().forget()))
        .system_calls(&[1]),
        Case::new("Event, one sleeps: set", |stage, meter| {
            once(meter, || stage.event.set());
        })
        .with(Peer::Then(|stage| stage.event.wait()))
        .system_calls(&[1]),
        Case::new("Condition, one sleeps: notify_one", |stage, meter| {
            warm_up(stage);
            once(meter, || stage.condition.notify_one());
        })
        .with(Peer::Then(wait_for_notify))
        .system_calls(&[1]),
        Case::new("Condition, one sleeps: notify_all", |stage, meter| {
            warm_up(stage);
            once(meter, || stage.condition.notify_all());
        })
        .with(Peer::Then(wait_for_notify))
        .system_calls(&[2]),
    ]
}

/// So that the thread's first steps are not counted.
fn warm_up(stage: &Stage) {
    drop(stage.others[0].acquire());
}

fn wait_for_lock(stage: &Stage) {
    drop(stage.lock.acquire());
}

fn wait_for_notify(stage: &Stage) {
    let mut guard = stage.lock.acquire().expect("it is free");
    stage.condition.wait(&mut guard).expect("nobody has died");
}

// ---- Who sleeps -----------------------------------------------------------------------------------------

fn sleepers() -> Vec<Case> {
    vec![
        Case::new("Lock, held: acquire, in vain", |stage, meter| {
            meter.laps(|| drop(stage.lock.acquire_timeout(SHORT).expect_err("it is held")));
        })
        .with(Peer::First(|stage| {
            let _held = stage.lock.acquire();
            stage.gate.wait();
        }))
        .system_calls(&[5]),
        Case::new("Semaphore, empty: acquire, in vain", |stage, meter| {
            meter.laps(|| assert!(stage.semaphore.acquire_timeout(SHORT).is_none()));
        })
        .system_calls(&[1]),
        Case::new("Event, not set: wait, in vain", |stage, meter| {
            meter.laps(|| assert!(!stage.event.wait_timeout(SHORT)));
        })
        .system_calls(&[1]),
        Case::new("Condition: wait, in vain", |stage, meter| {
            let mut guard = stage.lock.acquire().expect("it is free");
            meter.laps(|| {
                let notified = stage.condition.wait_timeout(&mut guard, SHORT);
                assert_eq!(notified, Ok(false));
            });
        })
        .system_calls(&[1]),
    ]
}
