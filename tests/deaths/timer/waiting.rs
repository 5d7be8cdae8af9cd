//! Those who wait for its end, look at it, or reset it.

use std::time::Duration;

use procsync::TimerState;

use super::{
    Kitchen, all_are_told, all_are_told_once_cancelled, canceller, fall_asleep, kill_runner,
    long_runner, one_comes_soon, ringing_runner, run_again, scenario, short_runner, start_runner,
    used_before, warm_up,
};
use crate::harness::{Outcome, SOON, Scenario, once};
use crate::scene::Scene;
use crate::stepper::Cue;

fn wait(kitchen: &Kitchen, cue: &Cue) {
    warm_up(kitchen);
    cue.begin();
    let state = kitchen.timer.wait();
    assert!(state.is_finished());
    cue.end();
}

fn armed(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    start_runner(scene, long_runner)
}

fn armed_one_ahead(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    armed(scene)?;
    fall_asleep(scene, 1)
}

fn the_runner_dies(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    kill_runner(scene);
    Ok(())
}

fn one_behind_and_the_runner_dies(scene: &mut Scene<'_, Kitchen>, n: u32) -> Outcome {
    once(n, || {
        fall_asleep(scene, 1)?;
        the_runner_dies(scene)
    })
}

// ---- Asleep, then told ---------------------------------------------------------------------------------

pub(super) fn woken() -> Vec<Scenario<Kitchen>> {
    vec![
        Scenario {
            before: |scene| {
                start_runner(scene, ringing_runner)?;
                fall_asleep(scene, 1)
            },
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    scene.enough.open();
                    Ok(())
                })
            },
            ..scenario("timer: wait, fired, one ahead and one behind", wait)
        },
        Scenario {
            before: armed_one_ahead,
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    scene.run(canceller)
                })
            },
            after: all_are_told_once_cancelled,
            ..scenario("timer: wait, cancelled, one ahead and one behind", wait)
        },
        Scenario {
            before: armed_one_ahead,
            asleep: one_behind_and_the_runner_dies,
            after: all_are_told_once_cancelled,
            ..scenario("timer: wait, runner dies, one ahead and one behind", wait)
        },
        Scenario {
            before: armed,
            asleep: one_behind_and_the_runner_dies,
            after: all_are_told_once_cancelled,
            ..scenario("timer: wait, runner dies, one behind", wait)
        },
        Scenario {
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    scene.run(short_runner)
                })
            },
            ..scenario("timer: wait when idle, then fired, one behind", wait)
        },
        Scenario {
            before: armed,
            asleep: |scene, _| the_runner_dies(scene),
            look: the_runner_dies,
            dies: false,
            ..scenario("timer: the runner dies during a wait", wait)
        },
        Scenario {
            before: |scene| start_runner(scene, ringing_runner),
            asleep: |scene, _| the_runner_dies(scene),
            look: the_runner_dies,
            dies: false,
            ..scenario("timer: the runner dies, ringing, during a wait", wait)
        },
        Scenario {
            before: armed,
            asleep: |scene, _| scene.run(canceller),
            look: |scene| scene.run(canceller),
            dies: false,
            ..scenario("timer: another cancels during a wait", wait)
        },
    ]
}

// ---- Giving up -------------------------------------------------------------------------------------------

pub(super) fn giving_up() -> Vec<Scenario<Kitchen>> {
    vec![
        Scenario {
            before: armed_one_ahead,
            asleep: |scene, n| once(n, || one_comes_soon(scene)),
            after: all_are_told_once_cancelled,
            ..scenario(
                "timer: timeout, passes, one ahead and one behind",
                |kitchen, cue| give_up(kitchen, cue, SOON),
            )
        },
        Scenario {
            before: armed_one_ahead,
            after: all_are_told_once_cancelled,
            ..scenario("timer: timeout of zero, one asleep", |kitchen, cue| {
                give_up(kitchen, cue, Duration::ZERO);
            })
        },
        Scenario {
            before: armed,
            asleep: one_behind_and_the_runner_dies,
            after: all_are_told_once_cancelled,
            ..scenario(
                "timer: timeout, runner dies before, one behind",
                |kitchen, cue| {
                    warm_up(kitchen);
                    cue.begin();
                    let state = kitchen.timer.wait_timeout(super::LONG);
                    assert_eq!(state, TimerState::Abandoned);
                    cue.end();
                },
            )
        },
    ]
}

fn give_up(kitchen: &Kitchen, cue: &Cue, timeout: Duration) {
    warm_up(kitchen);
    cue.begin();
    let state = kitchen.timer.wait_timeout(timeout);
    assert_eq!(state, TimerState::Armed);
    cue.end();
}

// ---- Looking -----------------------------------------------------------------------------------------------

pub(super) fn looking() -> Vec<Scenario<Kitchen>> {
    vec![
        Scenario {
            before: armed_one_ahead,
            after: all_are_told_once_cancelled,
            ..scenario("timer: state, armed, one asleep", state)
        },
        Scenario {
            before: armed_one_ahead,
            after: all_are_told_once_cancelled,
            ..scenario("timer: remaining, armed, one asleep", remaining)
        },
        Scenario {
            staged: dead_runner_and_woken_one,
            after: the_woken_one_dies_too,
            ..scenario("timer: state, runner and woken one die, one asleep", state)
        },
        Scenario {
            staged: dead_runner_and_woken_one,
            after: the_woken_one_dies_too,
            ..scenario(
                "timer: remaining, runner and woken one die, one asleep",
                remaining,
            )
        },
        Scenario {
            staged: |scene| {
                dead_runner_and_woken_one(scene)?;
                scene.kill_puppets();
                Ok(())
            },
            ..scenario("timer: state after both died, one told", state)
        },
    ]
}

fn state(kitchen: &Kitchen, cue: &Cue) {
    warm_up(kitchen);
    cue.begin();
    let _ = kitchen.timer.state();
    cue.end();
}

fn remaining(kitchen: &Kitchen, cue: &Cue) {
    warm_up(kitchen);
    cue.begin();
    let _ = kitchen.timer.remaining();
    cue.end();
}

/// The one whom the runner's death woke stands still; the other one sleeps.
fn dead_runner_and_woken_one(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    scene.start(long_runner);
    scene.until("it is armed", |kitchen| kitchen.asleep() == 1)?;
    scene.start_puppet(wait_where_it_is)?;
    fall_asleep(scene, 1)?;
    the_runner_dies(scene)
}

fn wait_where_it_is(kitchen: &Kitchen, cue: &Cue) {
    cue.begin();
    let _ = kitchen.timer.wait();
}

fn the_woken_one_dies_too(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    scene.kill_puppets();
    all_are_told(scene)
}

// ---- Reset ---------------------------------------------------------------------------------------------------

pub(super) fn resetting() -> Vec<Scenario<Kitchen>> {
    vec![
        Scenario {
            before: |scene| {
                used_before(scene)?;
                scene.run(short_runner)
            },
            after: |scene| scene.run(run_again),
            ..scenario("timer: reset, fired", reset)
        },
        Scenario {
            before: |scene| {
                used_before(scene)?;
                scene.run(canceller)
            },
            after: |scene| scene.run(run_again),
            ..scenario("timer: reset, cancelled", reset)
        },
        Scenario {
            before: |scene| {
                armed(scene)?;
                the_runner_dies(scene)
            },
            after: |scene| scene.run(run_again),
            ..scenario("timer: reset, abandoned", reset)
        },
        Scenario {
            before: armed_one_ahead,
            after: all_are_told_once_cancelled,
            ..scenario("timer: reset in vain, armed, one asleep", |kitchen, cue| {
                warm_up(kitchen);
                cue.begin();
                let was_finished = kitchen.timer.reset();
                assert!(!was_finished);
                cue.end();
            })
        },
    ]
}

fn reset(kitchen: &Kitchen, cue: &Cue) {
    warm_up(kitchen);
    cue.begin();
    let was_finished = kitchen.timer.reset();
    assert!(was_finished);
    cue.end();
}
