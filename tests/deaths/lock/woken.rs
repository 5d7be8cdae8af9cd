//! Somebody else was woken, and has not run yet, while the victim does its operation.

use super::poison::{clear, look_at_poison};
use super::{
    House, acquire_and_write, everybody_goes_on, fall_asleep, hold, holder, keep_held,
    killed_asleep, scenario, take, warm_up,
};
use crate::harness::{Outcome, Scenario};
use crate::scene::{Scene, ended_well};

pub(super) fn with_a_woken_one() -> Vec<Scenario<House>> {
    vec![
        Scenario {
            before: wake_one_of_two,
            after: |scene| {
                scene.kill_puppets();
                everybody_goes_on(scene)
            },
            ..scenario(
                "lock: overtake a woken one, who dies, one sleeps",
                acquire_and_write,
            )
        },
        Scenario {
            before: wake_one_of_two,
            staged: |scene| {
                scene.kill_puppets();
                Ok(())
            },
            ..scenario(
                "lock: release after the woken one's death, one sleeps",
                |house, cue| {
                    warm_up(house);
                    let guard = take(&house.room.lock);
                    cue.begin();
                    guard.write();
                    drop(guard);
                    cue.end();
                },
            )
        },
        Scenario {
            before: die_and_wake_one_of_two,
            look: look_at_poison,
            after: |scene| {
                scene.kill_puppets();
                everybody_goes_on(scene)
            },
            ..scenario(
                "lock: clear the mark of death, woken one dies, one sleeps",
                clear,
            )
        },
        Scenario {
            before: die_and_wake_one_of_two,
            look: look_at_poison,
            after: |scene| {
                scene.let_puppets_go()?;
                everybody_goes_on(scene)
            },
            ..scenario(
                "lock: clear the mark of death, woken one goes on, one sleeps",
                clear,
            )
        },
    ]
}

/// The lock is free; the puppet was woken and stands still; another one sleeps.
fn wake_one_of_two(scene: &mut Scene<'_, House>) -> Outcome {
    let holder = hold(scene, holder)?;
    killed_asleep(scene)?;
    scene.start_puppet(acquire_and_write)?;
    fall_asleep(scene, 1)?;
    scene.let_go.open();
    ended_well(holder)
}

/// The same, but the lock has the mark of death.
fn die_and_wake_one_of_two(scene: &mut Scene<'_, House>) -> Outcome {
    keep_held(scene, dies_when_let_go)?;
    scene.start_puppet(acquire_and_write)?;
    fall_asleep(scene, 1)?;
    scene.let_go.open();
    scene.until("it is dead", |house| !house.room.lock.is_locked())
}

fn dies_when_let_go(house: &House) {
    let _guard = take(&house.room.lock);
    house.held.open();
    house.let_go.wait();
    // SAFETY: ends the process.
    unsafe { libc::_exit(0) };
}
