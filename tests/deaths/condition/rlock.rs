//! With an [`RLock`], held twice: what its depth adds. The rest is as with a `Lock`.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use libtest_mimic::Trial;
use procsync::{AcquireError, Condition, RLock, RLockGuard};

use crate::common::{Gate, Plain, sleepers};
use crate::harness::{Outcome, Scenario};
use crate::ledger::{Ledger, Log};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

#[repr(C)]
struct Hall {
    condition: Condition,
    lock: RLock<Ledger>,
    log: Log,
    returned: AtomicU32,
    /// What the victim's depth was when it had waited.
    depth: AtomicU32,
    held: Gate,
    let_go: Gate,
    is_owed: Cell<bool>,
}

// SAFETY: all fields are, and zeros are a condition and `false`.
unsafe impl Plain for Hall {}

const fn scenario(name: &'static str, victim: fn(&Hall, &Cue)) -> Scenario<Hall> {
    Scenario {
        look,
        after: everybody_goes_on,
        ..Scenario::new(name, victim)
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    crate::as_trials(vec![
        Scenario {
            asleep: |scene, n| {
                if n == 1 {
                    fall_asleep(scene, 1)?;
                    notify_one(scene)?;
                }
                Ok(())
            },
            after: |scene| {
                scene.is_owed.set(false);
                everybody_goes_on(scene)
            },
            ..scenario("condition: rlock held twice, wait, one behind", wait)
        },
        Scenario {
            asleep: |scene, n| {
                if n == 1 {
                    fall_asleep(scene, 1)?;
                    scene.start(holder);
                    scene.until("it holds", |hall| hall.held.is_open())?;
                    notify_one(scene)?;
                } else {
                    scene.let_go.open();
                }
                Ok(())
            },
            stride: 23,
            ..scenario("condition: rlock held twice, another gets it", wait)
        },
        Scenario {
            before: |scene| fall_asleep(scene, 2),
            ..scenario(
                "condition: rlock held twice, notify_all, two asleep",
                |hall, cue| {
                    let guards = take_twice(hall);
                    cue.begin();
                    hall.condition.notify_all();
                    guards[1].write();
                    drop(guards);
                    cue.end();
                },
            )
        },
    ])
}

// ---- Roles -----------------------------------------------------------------------------------------

fn take(hall: &Hall) -> RLockGuard<'_, Ledger> {
    hall.lock
        .acquire()
        .or_else(|error| error.into_guard().ok_or("not acquired"))
        .expect("a lock can be had, poisoned or not")
}

fn take_twice(hall: &Hall) -> [RLockGuard<'_, Ledger>; 2] {
    [take(hall), take(hall)]
}

fn wait(hall: &Hall, cue: &Cue) {
    let mut guards = take_twice(hall);
    cue.begin();
    let _ = hall.condition.wait(&mut guards[1]);
    hall.depth.store(guards[0].depth(), Ordering::SeqCst);
    cue.end();
}

fn use_it(hall: &Hall, guard: &RLockGuard<'_, Ledger>, poisoned: bool) {
    hall.log.note(poisoned);
    if poisoned {
        guard.repair();
    }
    guard.check_and_write();
}

fn sleeper(hall: &Hall) {
    let mut guards = take_twice(hall);
    let poisoned = hall.condition.wait(&mut guards[1]).is_err();
    assert_eq!(guards[1].depth(), 2, "a wait gives back all levels");
    hall.returned.fetch_add(1, Ordering::SeqCst);
    use_it(hall, &guards[0], poisoned);
}

fn visit(hall: &Hall) -> RLockGuard<'_, Ledger> {
    let (guard, poisoned) = match hall.lock.acquire() {
        Ok(guard) => (guard, false),
        Err(AcquireError::Poisoned(guard)) => (guard, true),
        Err(error) => panic!("a survivor was refused: {error}"),
    };
    assert_eq!(guard.depth(), 1, "a new owner holds it once");
    use_it(hall, &guard, poisoned);
    guard
}

fn crier(hall: &Hall) {
    let _guard = visit(hall);
    hall.condition.notify_all();
}

fn holder(hall: &Hall) {
    let guards = take_twice(hall);
    hall.held.open();
    hall.let_go.wait();
    guards[1].check_and_write();
}

fn fall_asleep(scene: &mut Scene<'_, Hall>, count: usize) -> Outcome {
    let all = sleepers(&scene.condition) + count;
    for _ in 0..count {
        scene.start(sleeper);
    }
    scene.until("they sleep", |hall| sleepers(&hall.condition) == all)
}

/// Of two, the victim.
fn notify_one(scene: &mut Scene<'_, Hall>) -> Outcome {
    scene.is_owed.set(true);
    scene.run(|hall| hall.condition.notify_one())
}

// ---- What the verdicts rest on -----------------------------------------------------------------------

fn look(scene: &mut Scene<'_, Hall>) -> Outcome {
    if scene.lock.owner() == Some(scene.victim) {
        scene.log.expect_poison_from_now();
        scene.is_owed.set(false);
    }
    let depth = scene.depth.load(Ordering::SeqCst);
    require([0, 2].contains(&depth), || {
        format!("the victim came back at depth {depth}")
    })
}

fn everybody_goes_on(scene: &mut Scene<'_, Hall>) -> Outcome {
    scene.let_go.open();
    if scene.is_owed.get() {
        scene.until("what the dead one was notified of is passed on", |hall| {
            hall.returned.load(Ordering::SeqCst) > 0
        })?;
    }
    scene.run(crier)?;
    scene.join_all()?;
    scene.run(|hall| drop(visit(hall)))?;
    scene.log.check()?;
    require(!scene.lock.is_locked(), || "the lock is held".into())?;
    require(sleepers(&scene.condition) == 0, || "somebody sleeps".into())
}
