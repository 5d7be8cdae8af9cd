//! The one who runs it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use procsync::TimerOutcome;

use super::{
    Kitchen, LONG, SHORT, all_are_told, canceller, fall_asleep, look_at_runner, one_comes_soon,
    one_more_comes, ring, ringing_runner, scenario, start_runner, used_before, warm_up,
};
use crate::harness::{Outcome, SOON, Scenario};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

/// One who dies, if nothing else is said.
const fn runner(name: &'static str, victim: fn(&Kitchen, &Cue)) -> Scenario<Kitchen> {
    Scenario {
        look: look_at_runner,
        ..scenario(name, victim)
    }
}

fn run(kitchen: &Kitchen, cue: &Cue, interval: Duration) {
    warm_up(kitchen);
    cue.begin();
    let _ = kitchen.timer.run(interval, || ring(kitchen));
    cue.end();
}

fn run_at_once(kitchen: &Kitchen, cue: &Cue) {
    run(kitchen, cue, Duration::ZERO);
}

fn run_a_short_time(kitchen: &Kitchen, cue: &Cue) {
    run(kitchen, cue, SHORT);
}

fn run_a_long_time(kitchen: &Kitchen, cue: &Cue) {
    run(kitchen, cue, LONG);
}

// ---- Nobody waits --------------------------------------------------------------------------------------

pub(super) fn alone() -> Vec<Scenario<Kitchen>> {
    vec![
        Scenario {
            look: fired_in_the_end,
            ..runner("timer: run, fires at once, nobody waits", run_at_once)
        },
        Scenario {
            before: |scene| start_runner(scene, ringing_runner),
            staged: |scene| fall_asleep(scene, 1),
            ..scenario("timer: run when another runs it, one asleep", run_at_once)
        },
        Scenario {
            before: |scene| {
                used_before(scene)?;
                scene.run(canceller)
            },
            ..scenario("timer: run, called off before", |kitchen, cue| {
                warm_up(kitchen);
                cue.begin();
                let outcome = kitchen.timer.run(LONG, || ring(kitchen));
                assert!(matches!(outcome, Ok(TimerOutcome::Cancelled)));
                cue.end();
            })
        },
    ]
}

fn fired_in_the_end(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    look_at_runner(scene)?;
    let rung = scene.rung.load(Ordering::SeqCst);
    require(!scene.ended || rung == 1, || {
        format!("it rang {rung} times")
    })
}

// ---- Somebody sleeps -----------------------------------------------------------------------------------

pub(super) fn with_sleepers() -> Vec<Scenario<Kitchen>> {
    vec![
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            look: fired_in_the_end,
            ..runner("timer: run, fires at once, two asleep", run_at_once)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            look: fired_in_the_end,
            ..runner("timer: run, fires soon, two asleep", run_a_short_time)
        },
        Scenario {
            asleep: |scene, n| {
                if n > 1 {
                    return Ok(());
                }
                one_comes_soon(scene)?;
                one_comes_soon(scene)
            },
            look: fired_in_the_end,
            ..runner(
                "timer: run, fires soon, two came when armed",
                |kitchen, cue| {
                    run(kitchen, cue, SOON);
                },
            )
        },
        Scenario {
            staged: |scene| {
                scene.start_puppet(|kitchen, cue| {
                    cue.begin();
                    let _ = kitchen.timer.wait();
                })?;
                fall_asleep(scene, 1)
            },
            after: |scene| {
                scene.kill_puppets();
                all_are_told(scene)
            },
            ..runner(
                "timer: run, the first told dies, too, one asleep",
                run_at_once,
            )
        },
        Scenario {
            look: |scene| {
                one_more_comes(scene)?;
                look_at_runner(scene)
            },
            ..runner(
                "timer: run, one comes just before the death",
                run_a_short_time,
            )
        },
    ]
}

// ---- Others end it, or come ------------------------------------------------------------------------------

pub(super) fn ended_by_others() -> Vec<Scenario<Kitchen>> {
    vec![
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            asleep: |scene, n| if n == 1 { scene.run(canceller) } else { Ok(()) },
            ..runner("timer: run, cancelled, two asleep", run_a_long_time)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 1),
            look: |scene| scene.run(canceller),
            dies: false,
            ..scenario(
                "timer: another cancels during a run, one asleep",
                run_a_short_time,
            )
        },
        Scenario {
            look: one_comes_soon,
            dies: false,
            ..scenario("timer: a waiter comes during a run", run_at_once)
        },
    ]
}
