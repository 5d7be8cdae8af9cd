//! The victim is who waits.

use std::sync::atomic::Ordering;
use std::time::Duration;

use libtest_mimic::Trial;

use super::{
    AT_ONCE, Hall, all_due_return, all_wake_and_leave, crier, everybody_goes_on, fall_asleep,
    keep_held, look, scenario, sleeper, take,
};
use crate::harness::{Outcome, SOON, Scenario, once};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = notified();
    all.extend(notified_and_taking_the_lock());
    all.extend(giving_up());
    all.extend(waiting_for_something());
    all.extend(mourning());
    all.extend(notified_anywhere());
    crate::as_trials(all)
}

fn wait(hall: &Hall, cue: &Cue) {
    let mut guard = take(hall);
    cue.begin();
    let _ = hall.condition.wait(&mut guard);
    cue.end();
}

// ---- Notified ----------------------------------------------------------------------------------------

/// Whoever is left is notified once more.
fn notified() -> Vec<Scenario<Hall>> {
    vec![
        Scenario {
            asleep: |scene, n| once(n, || notify_one(scene)),
            ..scenario("condition: wait, notify_one, alone", wait)
        },
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            asleep: |scene, n| {
                once(n, || {
                    notify_one(scene)?;
                    scene.until("it returns", |hall| hall.returned() == 1)?;
                    notify_one(scene)
                })
            },
            ..scenario("condition: wait, notify_one twice, one ahead", wait)
        },
        Scenario {
            asleep: one_behind_and_notify,
            look: look_at_one_notified,
            after: |scene| {
                scene.is_owed.set(false);
                everybody_goes_on(scene)
            },
            ..scenario("condition: wait, notify_one, one behind", wait)
        },
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    scene.due.set(2);
                    scene.is_owed.set(true);
                    scene.run(|hall| hall.condition.notify_all())
                })
            },
            ..scenario(
                "condition: wait, notify_all, one ahead and one behind",
                wait,
            )
        },
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            asleep: |scene, n| {
                once(n, || {
                    scene.due.set(1);
                    scene.is_owed.set(true);
                    scene.run(|hall| hall.condition.notify(2))
                })
            },
            ..scenario("condition: wait, notify(2), one ahead", wait)
        },
    ]
}

fn notify_one(scene: &Scene<'_, Hall>) -> Outcome {
    scene.run(|hall| hall.condition.notify_one())
}

fn one_behind_and_notify(scene: &mut Scene<'_, Hall>, n: u32) -> Outcome {
    once(n, || {
        fall_asleep(scene, 1)?;
        scene.due.set(1);
        notify_one(scene)
    })
}

/// If the victim was notified and has not the lock, what it was notified of is another's. If it has
/// the lock, nobody else's wait has ended.
fn look_at_one_notified(scene: &mut Scene<'_, Hall>) -> Outcome {
    look(scene)?;
    let was_notified = scene.due.get() > 0;
    let has_the_lock = scene.lock.owner() == Some(scene.victim);
    scene.is_owed.set(was_notified && !has_the_lock);
    require(
        !was_notified || !has_the_lock || scene.returned() < scene.due.get(),
        || "one was notified, and another returned, too".into(),
    )
}

// ---- Notified, and dead before it has the lock -------------------------------------------------------

/// What it was notified of goes to another. That may take a second each: so not at every instruction
/// in the short form.
fn notified_and_taking_the_lock() -> Vec<Scenario<Hall>> {
    vec![
        Scenario {
            asleep: one_behind_and_notify,
            look: look_at_one_notified,
            stride: 7,
            ..scenario("condition: notified, another gets it", wait)
        },
        Scenario {
            asleep: |scene, n| then_let_go(scene, n, keep_held_and_notify),
            look: look_at_one_notified,
            stride: 11,
            ..scenario(
                "condition: notified, the lock is held, another gets it",
                wait,
            )
        },
        Scenario {
            before: |scene| fall_asleep(scene, 5),
            asleep: |scene, n| then_let_go(scene, n, fill_the_places_and_notify),
            look: look_at_one_notified,
            stride: 19,
            ..scenario(
                "condition: notified, five on their way, another gets it",
                wait,
            )
        },
        Scenario {
            asleep: |scene, n| match n {
                1 => five_behind_and_notify(scene),
                2 => five_follow(scene),
                _ => Ok(()),
            },
            look: look_at_the_followed,
            stride: 17,
            ..scenario("condition: notified, the lock is held, five follow", wait)
        },
    ]
}

/// `first` at the first sleep; at the second, for the lock, its holder lets go.
fn then_let_go(
    scene: &mut Scene<'_, Hall>,
    n: u32,
    first: fn(&mut Scene<'_, Hall>) -> Outcome,
) -> Outcome {
    if n == 2 {
        scene.let_go.open();
    }
    once(n, || first(scene))
}

fn keep_held_and_notify(scene: &mut Scene<'_, Hall>) -> Outcome {
    fall_asleep(scene, 1)?;
    keep_held(scene)?;
    scene.due.set(1);
    notify_one(scene)
}

/// As many as there are places wait for the lock.
fn fill_the_places_and_notify(scene: &mut Scene<'_, Hall>) -> Outcome {
    fall_asleep(scene, 1)?;
    keep_held(scene)?;
    scene.run(|hall| hall.condition.notify(5))?;
    scene.until("five wait for the lock", |hall| hall.lock.waiters() == 5)?;
    scene.due.set(6);
    notify_one(scene)
}

fn five_behind_and_notify(scene: &mut Scene<'_, Hall>) -> Outcome {
    fall_asleep(scene, 5)?;
    keep_held(scene)?;
    scene.due.set(1);
    notify_one(scene)
}

/// One more than there are places left. It waits for a place, which may be the victim's.
fn five_follow(scene: &mut Scene<'_, Hall>) -> Outcome {
    scene.run(|hall| hall.condition.notify(5))?;
    scene.until("all wait for the lock", |hall| hall.lock.waiters() == 5)?;
    scene.due.set(5);
    scene.let_go.open();
    Ok(())
}

fn look_at_the_followed(scene: &mut Scene<'_, Hall>) -> Outcome {
    if scene.due.get() < 5 {
        return look_at_one_notified(scene);
    }
    scene.is_owed.set(true);
    look(scene)
}

// ---- Not notified ------------------------------------------------------------------------------------

fn giving_up() -> Vec<Scenario<Hall>> {
    vec![
        scenario("condition: wait, times out, alone", wait_soon),
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            ..scenario("condition: wait, times out, one ahead", wait_soon)
        },
        Scenario {
            asleep: |scene, n| once(n, || scene.start_asleep(sleeper)),
            look: look_at_nobody_notified,
            ..scenario("condition: wait, times out, one behind", wait_soon)
        },
        Scenario {
            asleep: |scene, n| match n {
                1 => keep_held(scene),
                _ => {
                    scene.let_go.open();
                    Ok(())
                }
            },
            ..scenario("condition: wait, times out, the lock is held", wait_soon)
        },
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            look: look_at_nobody_notified,
            ..scenario("condition: timeout of zero, one asleep", |hall, cue| {
                let mut guard = take(hall);
                cue.begin();
                let _ = hall.condition.wait_timeout(&mut guard, Duration::ZERO);
                cue.end();
            })
        },
    ]
}

fn wait_soon(hall: &Hall, cue: &Cue) {
    let mut guard = take(hall);
    cue.begin();
    let _ = hall.condition.wait_timeout(&mut guard, SOON);
    cue.end();
}

/// As long as nobody is dead, the other one sleeps.
fn look_at_nobody_notified(scene: &mut Scene<'_, Hall>) -> Outcome {
    look(scene)?;
    require(scene.returned() == 0, || {
        "nobody notified, and one returned".into()
    })
}

// ---- With a predicate --------------------------------------------------------------------------------

fn waiting_for_something() -> Vec<Scenario<Hall>> {
    let told_in_vain = |scene: &mut Scene<'_, Hall>, n| match n {
        1 => {
            fall_asleep(scene, 1)?;
            notify_one(scene)
        }
        2 => {
            scene.ready.store(1, Ordering::SeqCst);
            scene.run(|hall| hall.condition.notify_all())
        }
        _ => Ok(()),
    };
    vec![
        Scenario {
            asleep: told_in_vain,
            ..scenario(
                "condition: wait_for, in vain, then not, one behind",
                |hall, cue| {
                    let mut guard = take(hall);
                    cue.begin();
                    let result = hall.condition.wait_for(&mut guard, |_| hall.is_ready());
                    assert!(result.is_err() || hall.is_ready());
                    cue.end();
                },
            )
        },
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            ..scenario(
                "condition: wait_for_timeout, times out, one ahead",
                |hall, cue| {
                    let mut guard = take(hall);
                    cue.begin();
                    let condition = &hall.condition;
                    let result = condition.wait_for_timeout(&mut guard, SOON, |_| hall.is_ready());
                    assert!(result != Ok(true));
                    cue.end();
                },
            )
        },
    ]
}

// ---- Another's death ---------------------------------------------------------------------------------

/// The victim is who notices that another died asleep; and has yet to tell the others.
fn mourning() -> Vec<Scenario<Hall>> {
    let others_return_at_once = |scene: &mut Scene<'_, Hall>| {
        all_due_return(scene, AT_ONCE)?;
        all_wake_and_leave(scene)
    };
    vec![
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    kill_first(scene, 1)
                })
            },
            after: others_return_at_once,
            ..scenario("condition: wait, one ahead dies, one behind", wait)
        },
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 2)?;
                    kill_first(scene, 2)
                })
            },
            after: others_return_at_once,
            ..scenario("condition: wait, one ahead dies, two behind", wait)
        },
    ]
}

/// After that, so many return.
fn kill_first(scene: &mut Scene<'_, Hall>, due: u32) -> Outcome {
    scene.due.set(due);
    scene.others.set(due);
    scene.kill_peer(0);
    Ok(())
}

// ---- Notified at every instruction -------------------------------------------------------------------

/// Nobody dies: a notify with the lock reaches whoever has released it to wait.
fn notified_anywhere() -> Vec<Scenario<Hall>> {
    let scenario = |name, before| Scenario {
        before,
        asleep: all_are_notified,
        look: somebody_cries,
        dies: false,
        after: all_wake_and_leave,
        ..scenario(name, wait)
    };
    vec![
        scenario("condition: wait, notify_all anywhere, nobody dies", |_| {
            Ok(())
        }),
        scenario("condition: wait, notify_all anywhere, one ahead", |scene| {
            fall_asleep(scene, 1)
        }),
    ]
}

/// The victim slept before it is looked at.
fn all_are_notified(scene: &mut Scene<'_, Hall>, n: u32) -> Outcome {
    once(n, || scene.run(|hall| hall.condition.notify_all()))
}

/// At once, or when the victim has released the lock.
fn somebody_cries(scene: &mut Scene<'_, Hall>) -> Outcome {
    let crier = scene.fork(crier);
    scene.until("it waits for the lock or is done", |hall| {
        hall.lock.waiters() > 0 || crier.has_ended()
    })?;
    scene.adopt(crier);
    Ok(())
}
