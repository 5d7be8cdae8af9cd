//! The victim releases: before those who sleep, and beside those who come just then.

use super::{
    House, fall_asleep, killed_asleep, leave_waiters_behind, scenario, take, visitor, warm_up,
    warm_up_all,
};
use crate::harness::{Outcome, Scenario};
use crate::scene::Scene;
use crate::stepper::Cue;

// ---- Before those who fell asleep while the victim held it -----------------------------------------

pub(super) fn releasing() -> Vec<Scenario<House>> {
    vec![
        Scenario {
            staged: |scene| fall_asleep(scene, 1),
            ..scenario("lock: write, release, one waits", write_and_release)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("lock: write, release, two wait", write_and_release)
        },
        Scenario {
            staged: killed_asleep,
            ..scenario(
                "lock: release, the one who waited was killed",
                write_and_release,
            )
        },
        Scenario {
            before: leave_waiters_behind,
            ..scenario(
                "lock: acquire, release, nobody is left (probe)",
                |house, cue| {
                    warm_up(house);
                    cue.begin();
                    take(&house.room.lock).write();
                    cue.end();
                },
            )
        },
    ]
}

fn write_and_release(house: &House, cue: &Cue) {
    warm_up_all(house);
    let guard = take(&house.room.lock);
    cue.begin();
    guard.write();
    drop(guard);
    cue.end();
}

// ---- With somebody who comes just then -------------------------------------------------------------

/// Nobody dies: a waiter falls asleep after each instruction of a release.
pub(super) fn with_a_newcomer() -> Vec<Scenario<House>> {
    vec![
        Scenario {
            look: one_more_comes,
            dies: false,
            ..scenario("lock: a waiter comes during a release", write_and_release)
        },
        Scenario {
            before: leave_waiters_behind,
            look: one_more_comes,
            dies: false,
            ..scenario(
                "lock: a waiter comes during a release (probe)",
                |house, cue| {
                    warm_up(house);
                    let guard = take(&house.room.lock);
                    cue.begin();
                    drop(guard);
                    cue.end();
                },
            )
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 1),
            look: one_more_comes,
            dies: false,
            ..scenario(
                "lock: a second waiter comes during a release",
                write_and_release,
            )
        },
        Scenario {
            staged: killed_asleep,
            look: one_more_comes,
            dies: false,
            ..scenario(
                "lock: a waiter comes where one was killed",
                write_and_release,
            )
        },
    ]
}

/// Starts a visitor, who then sleeps, or had its turn.
fn one_more_comes(scene: &mut Scene<'_, House>) -> Outcome {
    let others = scene.room.lock.waiters();
    let visitor = scene.fork(visitor);
    let settled = |house: &House| house.room.lock.waiters() > others || visitor.has_ended();
    scene.until("it waits or is done", settled)?;
    scene.adopt(visitor);
    Ok(())
}
