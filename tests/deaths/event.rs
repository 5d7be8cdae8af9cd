//! [`Event`]: killed in every role.
//!
//! A set is whole or not at all: all who slept go on, or all sleep on an event that is not set, until
//! a survivor sets it.

mod waiting;

use std::sync::atomic::{AtomicU32, Ordering};

use libtest_mimic::Trial;
use procsync::Event;

use crate::common::{Plain, sleepers};
use crate::harness::{Outcome, Scenario};
use crate::scene::{Scene, require};
use crate::stepper::Cue;
use waiting::wait;

#[repr(C)]
struct Crossing {
    green: Event,
    /// Survivors who came to wait, and those who have gone on.
    came: AtomicU32,
    passed: AtomicU32,
}

// SAFETY: all fields are, as promised in `Event`'s documentation.
unsafe impl Plain for Crossing {}

const fn scenario(name: &'static str, victim: fn(&Crossing, &Cue)) -> Scenario<Crossing> {
    Scenario {
        after: all_or_none,
        show,
        ..Scenario::new(name, victim)
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = setting();
    all.extend(clearing());
    all.extend(setting_and_clearing());
    all.extend(with_others_just_then());
    all.extend(waiting::waiting());
    all.extend(waiting::giving_up());
    crate::as_trials(all)
}

// ---- Roles -----------------------------------------------------------------------------------------

fn walker(crossing: &Crossing) {
    crossing.green.wait();
    crossing.passed.fetch_add(1, Ordering::SeqCst);
}

fn setter(crossing: &Crossing) {
    crossing.green.set();
}

fn clearer(crossing: &Crossing) {
    crossing.green.clear();
}

fn set_and_clear(crossing: &Crossing) {
    crossing.green.set();
    crossing.green.clear();
}

fn set(crossing: &Crossing, cue: &Cue) {
    cue.begin();
    crossing.green.set();
    cue.end();
}

fn clear(crossing: &Crossing, cue: &Cue) {
    cue.begin();
    crossing.green.clear();
    cue.end();
}

fn set_then_clear(crossing: &Crossing, cue: &Cue) {
    cue.begin();
    set_and_clear(crossing);
    cue.end();
}

/// So many come and sleep.
fn fall_asleep(scene: &mut Scene<'_, Crossing>, count: u32) -> Outcome {
    (0..count).try_for_each(|_| {
        one_more_comes(scene)?;
        require(!scene.green.is_set(), || "it is set".into())
    })
}

/// One who then sleeps, or has gone on.
fn one_more_comes(scene: &mut Scene<'_, Crossing>) -> Outcome {
    let others = sleepers(&scene.green);
    scene.came.fetch_add(1, Ordering::SeqCst);
    let walker = scene.fork(walker);
    let is_placed = |crossing: &Crossing| sleepers(&crossing.green) > others || walker.has_ended();
    scene.until("it sleeps or is done", is_placed)?;
    scene.adopt(walker);
    Ok(())
}

fn is_set_already(scene: &mut Scene<'_, Crossing>) -> Outcome {
    scene.run(setter)
}

// ---- The verdict -------------------------------------------------------------------------------------

/// At the death of one who may have set it.
fn all_or_none(scene: &mut Scene<'_, Crossing>) -> Outcome {
    let came = scene.came.load(Ordering::SeqCst) as usize;
    let asleep = sleepers(&scene.green);
    require(asleep == 0 || asleep == came, || {
        format!("of {came} who wait, {asleep} still sleep")
    })?;
    require(asleep == 0 || !scene.green.is_set(), || {
        format!("it is set, and {asleep} sleep")
    })?;
    require(asleep == 0 || !scene.ended, || {
        format!("it was set, and {asleep} sleep")
    })?;
    if asleep > 0 {
        scene.run(setter)?;
    }
    everybody_goes_on(scene)
}

/// Without help from anybody.
fn everybody_goes_on(scene: &mut Scene<'_, Crossing>) -> Outcome {
    scene.join_all()?;
    let count = |count: &AtomicU32| count.load(Ordering::SeqCst);
    require(count(&scene.passed) == count(&scene.came), || {
        "not all have passed".into()
    })?;
    newcomers_do(scene)
}

/// The victim did not set it; a survivor does.
fn go_on_when_it_is_set(scene: &mut Scene<'_, Crossing>) -> Outcome {
    scene.run(setter)?;
    everybody_goes_on(scene)
}

/// It works as before: cleared, waited for, set, waited for.
fn newcomers_do(scene: &mut Scene<'_, Crossing>) -> Outcome {
    scene.run(clearer)?;
    require(!scene.green.is_set(), || "it cannot be cleared".into())?;
    fall_asleep(scene, 2)?;
    require(sleepers(&scene.green) == 2, || "not set, and passed".into())?;
    scene.run(setter)?;
    require(sleepers(&scene.green) == 0, || "set, and asleep".into())?;
    scene.join_all()?;
    scene.run(walker)
}

fn show(crossing: &Crossing) -> String {
    format!(
        "set: {}, {} asleep, {} of {} have passed",
        crossing.green.is_set(),
        sleepers(&crossing.green),
        crossing.passed.load(Ordering::SeqCst),
        crossing.came.load(Ordering::SeqCst)
    )
}

// ---- Set -----------------------------------------------------------------------------------------------

fn setting() -> Vec<Scenario<Crossing>> {
    vec![
        Scenario {
            look: |scene| {
                require(!scene.ended || scene.green.is_set(), || {
                    "it is not set".into()
                })
            },
            ..scenario("event: set, nobody waits", set)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 1),
            ..scenario("event: set, one asleep", set)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("event: set, two asleep", set)
        },
        Scenario {
            staged: |scene| {
                let walker = scene.fork(walker);
                scene.until("it sleeps", |crossing| sleepers(&crossing.green) == 1)?;
                walker.kill();
                Ok(())
            },
            ..scenario("event: set, the one who waited was killed", set)
        },
        Scenario {
            before: is_set_already,
            look: |scene| require(scene.green.is_set(), || "it is not set".into()),
            ..scenario("event: set when it is set", set)
        },
        Scenario {
            staged: a_puppet_and_one,
            after: |scene| {
                scene.kill_puppets();
                all_or_none(scene)
            },
            ..scenario("event: set, the first woken dies, too, one asleep", set)
        },
    ]
}

/// The first to be woken stands still then.
fn a_puppet_and_one(scene: &mut Scene<'_, Crossing>) -> Outcome {
    scene.start_puppet(wait)?;
    fall_asleep(scene, 1)
}

// ---- Clear ---------------------------------------------------------------------------------------------

fn clearing() -> Vec<Scenario<Crossing>> {
    vec![
        Scenario {
            before: is_set_already,
            look: |scene| {
                require(!scene.ended || !scene.green.is_set(), || {
                    "it is still set".into()
                })
            },
            ..scenario("event: clear", clear)
        },
        scenario("event: clear when it is not set", clear),
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            after: |scene| {
                let asleep = sleepers(&scene.green);
                require(asleep == 2, || format!("{asleep} of 2 sleep"))?;
                go_on_when_it_is_set(scene)
            },
            ..scenario("event: clear when it is not set, two asleep", clear)
        },
    ]
}

// ---- Set, and clear at once ------------------------------------------------------------------------------

fn setting_and_clearing() -> Vec<Scenario<Crossing>> {
    vec![
        scenario("event: set, clear, nobody waits", set_then_clear),
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("event: set, clear, two asleep", set_then_clear)
        },
        Scenario {
            before: is_set_already,
            staged: |scene| {
                scene.run(clearer)?;
                fall_asleep(scene, 2)
            },
            ..scenario(
                "event: set, clear, a second time, two asleep",
                set_then_clear,
            )
        },
    ]
}

// ---- Nobody dies, and another one does something just then -------------------------------------------------

fn with_others_just_then() -> Vec<Scenario<Crossing>> {
    vec![
        Scenario {
            look: one_more_comes,
            dies: false,
            after: everybody_goes_on,
            ..scenario("event: a waiter comes during a set", set)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 1),
            look: one_more_comes,
            dies: false,
            after: everybody_goes_on,
            ..scenario("event: a second waiter comes during a set", set)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 1),
            look: |scene| scene.run(clearer),
            dies: false,
            after: everybody_goes_on,
            ..scenario("event: another clears during a set, one asleep", set)
        },
        Scenario {
            before: is_set_already,
            look: |scene| scene.run(setter),
            dies: false,
            ..scenario("event: another sets during a clear", clear)
        },
        Scenario {
            look: |scene| scene.run(setter),
            dies: false,
            asleep: |scene, _| scene.run(setter),
            ..scenario("event: another sets during a wait", wait)
        },
        Scenario {
            look: |scene| {
                scene.run(set_and_clear)?;
                scene.run(setter)
            },
            dies: false,
            asleep: |scene, _| scene.run(set_and_clear),
            ..scenario("event: another sets, clears and sets during a wait", wait)
        },
    ]
}
