//! Those who wait for it.

use std::time::Duration;

use super::{
    Crossing, fall_asleep, go_on_when_it_is_set, is_set_already, scenario, set_and_clear, setter,
};
use crate::common::sleepers;
use crate::harness::{Outcome, SOON, Scenario};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

// ---- Wait ------------------------------------------------------------------------------------------------

pub(super) fn waiting() -> Vec<Scenario<Crossing>> {
    vec![
        Scenario {
            before: is_set_already,
            ..scenario("event: wait when it is set", wait)
        },
        Scenario {
            asleep: |scene, n| only_once(n, || scene.run(setter)),
            after: go_on_when_it_is_set,
            ..scenario("event: wait, woken, alone", wait)
        },
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            asleep: |scene, n| {
                only_once(n, || {
                    fall_asleep(scene, 1)?;
                    scene.run(setter)
                })
            },
            after: go_on_when_it_is_set,
            ..scenario("event: wait, woken, one ahead and one behind", wait)
        },
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            asleep: one_behind_and_set_and_cleared,
            after: go_on_when_it_is_set,
            ..scenario(
                "event: wait, set and cleared, one ahead and one behind",
                wait,
            )
        },
        Scenario {
            before: |scene| fall_asleep(scene, 1),
            after: |scene| {
                let asleep = sleepers(&scene.green);
                require(asleep == 1, || format!("{asleep} of 1 sleep"))?;
                go_on_when_it_is_set(scene)
            },
            ..scenario("event: timeout of zero, one asleep", |crossing, cue| {
                expect(crossing, cue, Duration::ZERO, false);
            })
        },
    ]
}

pub(super) fn wait(crossing: &Crossing, cue: &Cue) {
    cue.begin();
    crossing.green.wait();
    cue.end();
}

/// Only one sleep is enough, also where it was cleared at once.
fn only_once(n: u32, disturb: impl FnOnce() -> Outcome) -> Outcome {
    require(n == 1, || "it was set, and the victim sleeps again".into())?;
    disturb()
}

fn one_behind_and_set_and_cleared(scene: &mut Scene<'_, Crossing>, n: u32) -> Outcome {
    only_once(n, || {
        fall_asleep(scene, 1)?;
        scene.run(set_and_clear)
    })
}

// ---- Wait, with a timeout --------------------------------------------------------------------------------

pub(super) fn giving_up() -> Vec<Scenario<Crossing>> {
    vec![
        Scenario {
            after: go_on_when_it_is_set,
            ..scenario("event: timeout, passes, alone", |crossing, cue| {
                expect(crossing, cue, SOON, false);
            })
        },
        Scenario {
            before: |scene| fall_asleep(scene, 2),
            after: |scene| {
                let asleep = sleepers(&scene.green);
                require(asleep == 2, || format!("{asleep} of 2 sleep"))?;
                go_on_when_it_is_set(scene)
            },
            ..scenario("event: timeout, passes, two asleep", |crossing, cue| {
                expect(crossing, cue, SOON, false);
            })
        },
        Scenario {
            asleep: one_behind_and_set_and_cleared,
            after: go_on_when_it_is_set,
            ..scenario(
                "event: timeout, set and cleared before, one behind",
                |crossing, cue| expect(crossing, cue, Duration::from_secs(1000), true),
            )
        },
    ]
}

fn expect(crossing: &Crossing, cue: &Cue, timeout: Duration, answer: bool) {
    cue.begin();
    let was_set = crossing.green.wait_timeout(timeout);
    assert!(was_set == answer, "waited, and answered {was_set}");
    cue.end();
}
