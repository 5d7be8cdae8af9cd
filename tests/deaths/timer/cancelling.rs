//! The one who cancels it.

use std::sync::atomic::Ordering;

use super::{
    IDLE, Kitchen, all_are_told, all_are_told_once_cancelled, canceller, fall_asleep, kill_runner,
    long_runner, look_at_runner, phase, ring, ringing_runner, scenario, short_runner, start_runner,
    used_before, warm_up,
};
use crate::harness::{Outcome, Scenario};
use crate::scene::Scene;
use crate::stepper::Cue;

fn cancel(kitchen: &Kitchen, cue: &Cue) {
    warm_up(kitchen);
    cue.begin();
    let cancelled = kitchen.timer.cancel();
    cue.end();
    // One that is spared tells.
    kitchen
        .cancelled
        .fetch_add(u32::from(cancelled), Ordering::SeqCst);
}

fn cancel_in_vain(kitchen: &Kitchen, cue: &Cue) {
    warm_up(kitchen);
    cue.begin();
    let cancelled = kitchen.timer.cancel();
    assert!(!cancelled, "it was too late, and it was cancelled");
    cue.end();
}

fn cancel_in_time(kitchen: &Kitchen, cue: &Cue) {
    warm_up(kitchen);
    cue.begin();
    let cancelled = kitchen.timer.cancel();
    assert!(cancelled, "nobody else cancelled it, nor did this one");
    cue.end();
}

fn armed(scene: &mut Scene<'_, Kitchen>) -> Outcome {
    start_runner(scene, long_runner)
}

pub(super) fn at_all_times() -> Vec<Scenario<Kitchen>> {
    vec![
        scenario("timer: cancel, idle, nobody waits", cancel_in_time),
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("timer: cancel, idle, two asleep", cancel_in_time)
        },
        Scenario {
            before: armed,
            after: all_are_told_once_cancelled,
            ..scenario("timer: cancel, armed, nobody waits", cancel_in_time)
        },
        Scenario {
            before: armed,
            staged: |scene| fall_asleep(scene, 2),
            after: all_are_told_once_cancelled,
            ..scenario("timer: cancel, armed, two asleep", cancel_in_time)
        },
        Scenario {
            staged: |scene| {
                fall_asleep(scene, 1)?;
                scene.start(short_runner);
                scene.until("it was begun", |kitchen| phase(kitchen) != IDLE)
            },
            ..scenario("timer: cancel when it may fire, one asleep", cancel)
        },
        Scenario {
            before: |scene| start_runner(scene, ringing_runner),
            staged: |scene| fall_asleep(scene, 1),
            ..scenario("timer: cancel, running, one asleep", cancel_in_vain)
        },
        Scenario {
            before: |scene| {
                used_before(scene)?;
                scene.run(short_runner)
            },
            ..scenario("timer: cancel, fired", cancel_in_vain)
        },
        Scenario {
            before: |scene| {
                used_before(scene)?;
                scene.run(canceller)
            },
            ..scenario("timer: cancel, cancelled", cancel_in_vain)
        },
        Scenario {
            staged: |scene| {
                scene.start_puppet(|kitchen, cue| {
                    cue.begin();
                    let _ = kitchen.timer.run(super::LONG, || ring(kitchen));
                })?;
                fall_asleep(scene, 1)
            },
            after: |scene| {
                look_at_runner(scene)?;
                scene.kill_puppets();
                all_are_told(scene)
            },
            ..scenario(
                "timer: cancel, the runner dies, too, one asleep",
                cancel_in_time,
            )
        },
    ]
}

/// Nobody dies but others, while the victim cancels.
pub(super) fn just_then() -> Vec<Scenario<Kitchen>> {
    vec![
        Scenario {
            before: armed,
            staged: |scene| fall_asleep(scene, 1),
            look: |scene| scene.run(canceller),
            dies: false,
            ..scenario("timer: another cancels during a cancel, one asleep", cancel)
        },
        Scenario {
            before: armed,
            staged: |scene| fall_asleep(scene, 2),
            look: |scene| {
                kill_runner(scene);
                Ok(())
            },
            dies: false,
            ..scenario("timer: the runner dies during a cancel, two asleep", cancel)
        },
        Scenario {
            look: |scene| {
                scene.start(short_runner);
                Ok(())
            },
            dies: false,
            ..scenario("timer: another runs it during a cancel", cancel)
        },
    ]
}
