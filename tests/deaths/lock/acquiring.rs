//! The victim acquires: alone, behind others, and not for ever.

use std::time::Duration;

use super::{
    House, acquire_and_write, everybody_goes_on, fall_asleep, greedy_holder, holder,
    holder_of_both, keep_held, keep_held_fresh, kill_holder, scenario, take, visitor, warm_up,
    warm_up_all,
};
use crate::harness::{Outcome, SOON, Scenario, once};
use crate::scene::Scene;
use crate::stepper::Cue;

// ---- Nobody there ----------------------------------------------------------------------------------

pub(super) fn alone() -> Vec<Scenario<House>> {
    vec![
        scenario("lock: acquire", |house, cue| {
            warm_up_all(house);
            cue.begin();
            let guard = take(&house.room.lock);
            cue.end();
            drop(guard);
        }),
        scenario("lock: release", |house, cue| {
            warm_up_all(house);
            let guard = take(&house.room.lock);
            cue.begin();
            drop(guard);
            cue.end();
        }),
        scenario("lock: acquire, write, release", |house, cue| {
            warm_up_all(house);
            cue.begin();
            take(&house.room.lock).write();
            cue.end();
        }),
        Scenario {
            stride: 5,
            ..scenario("lock: first acquisition of a thread", |house, cue| {
                cue.begin();
                take(&house.room.lock).write();
                cue.end();
            })
        },
        scenario("lock: try_acquire, write, release", |house, cue| {
            warm_up_all(house);
            cue.begin();
            if let Ok(guard) = house.room.lock.try_acquire() {
                guard.write();
            }
            cue.end();
        }),
    ]
}

// ---- It waits --------------------------------------------------------------------------------------

pub(super) fn waiting() -> Vec<Scenario<House>> {
    vec![
        Scenario {
            before: |scene| keep_held_fresh(scene, holder),
            asleep: let_go,
            ..scenario("lock: spin, wait, released, alone", acquire_and_write)
        },
        Scenario {
            before: |scene| keep_held(scene, holder),
            asleep: let_go,
            ..scenario("lock: wait, released, alone", acquire_and_write)
        },
        Scenario {
            before: |scene| {
                keep_held(scene, holder)?;
                fall_asleep(scene, 1)
            },
            asleep: let_go,
            ..scenario("lock: wait, released, one sleeps ahead", acquire_and_write)
        },
        Scenario {
            before: |scene| keep_held(scene, holder),
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    scene.let_go.open();
                    scene.until("it lets go", |house| house.room.lock.waiters() <= 1)
                })
            },
            ..scenario("lock: wait, released, one sleeps behind", acquire_and_write)
        },
        Scenario {
            before: |scene| keep_held(scene, greedy_holder),
            asleep: overtake,
            ..scenario(
                "lock: wait, overtaken, one sleeps behind",
                acquire_and_write,
            )
        },
        Scenario {
            before: |scene| keep_held(scene, holder),
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    kill_holder(scene);
                    Ok(())
                })
            },
            after: |scene| {
                kill_holder(scene);
                everybody_goes_on(scene)
            },
            ..scenario(
                "lock: wait, holder dies, one sleeps behind",
                acquire_and_write,
            )
        },
    ]
}

fn let_go(scene: &mut Scene<'_, House>, n: u32) -> Outcome {
    once(n, || {
        scene.let_go.open();
        Ok(())
    })
}

/// The holder releases, which wakes the victim, and takes the lock again before it can.
fn overtake(scene: &mut Scene<'_, House>, n: u32) -> Outcome {
    match n {
        1 => {
            fall_asleep(scene, 1)?;
            scene.let_go.open();
            scene.until("it holds again", |house| house.held_again.is_open())
        }
        2 => {
            scene.let_go_again.open();
            Ok(())
        }
        _ => Ok(()),
    }
}

// ---- It gives up -----------------------------------------------------------------------------------

pub(super) fn giving_up() -> Vec<Scenario<House>> {
    let held = |scene: &mut Scene<'_, House>| keep_held(scene, holder);
    let held_and_waited_for = |scene: &mut Scene<'_, House>| {
        keep_held(scene, holder)?;
        fall_asleep(scene, 1)
    };
    vec![
        Scenario {
            before: held,
            ..scenario("lock: wait, times out, alone", wait_soon)
        },
        Scenario {
            before: held_and_waited_for,
            ..scenario("lock: wait, times out, one sleeps ahead", wait_soon)
        },
        Scenario {
            before: held,
            asleep: |scene, n| once(n, || scene.start_asleep(visitor)),
            ..scenario("lock: wait, times out, one sleeps behind", wait_soon)
        },
        Scenario {
            before: held_and_waited_for,
            ..scenario("lock: try_acquire, held, one sleeps", |house, cue| {
                warm_up(house);
                cue.begin();
                drop(house.room.lock.try_acquire());
                cue.end();
            })
        },
        Scenario {
            before: |scene| {
                scene.start(holder_of_both);
                scene.until("it holds", |house| house.held.is_open())
            },
            after: |scene| {
                scene.other.log.expect_poison_from_now();
                kill_holder(scene);
                everybody_goes_on(scene)
            },
            ..scenario(
                "lock: try_acquire, held, whose holder dies with two",
                |house, cue| {
                    warm_up(house);
                    cue.begin();
                    drop(house.room.lock.try_acquire());
                    cue.end();
                },
            )
        },
        Scenario {
            before: held_and_waited_for,
            ..scenario("lock: timeout of zero, held, one sleeps", |house, cue| {
                warm_up(house);
                cue.begin();
                drop(house.room.lock.acquire_timeout(Duration::ZERO));
                cue.end();
            })
        },
    ]
}

fn wait_soon(house: &House, cue: &Cue) {
    warm_up(house);
    cue.begin();
    if let Ok(guard) = house.room.lock.acquire_timeout(SOON) {
        guard.write();
    }
    cue.end();
}
