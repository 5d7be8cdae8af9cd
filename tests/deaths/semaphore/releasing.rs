//! Those who give permits.

use std::sync::atomic::Ordering;

use procsync::{BoundedSemaphore, ReleaseError};

use super::acquiring::acquire;
use super::{
    BOUND, Counter, Stock, everybody_goes_on, everybody_goes_on_all_done, fall_asleep, give,
    one_more_comes, scenario, set_up, stepped,
};
use crate::harness::{Outcome, Scenario};
use crate::scene::Scene;
use crate::stepper::Cue;

fn release<P: Counter, const N: u32>(stock: &Stock<P>, cue: &Cue) {
    stepped(stock, cue, N as i32, || {
        // Where it fails, the count tells.
        let _ = stock.permits().release(N);
    });
}

/// One that survivors gave.
fn drop_a_permit<P: Counter>(stock: &Stock<P>, cue: &Cue) {
    let permit = stock.permits().acquire();
    stock.given.fetch_sub(1, Ordering::SeqCst);
    stepped(stock, cue, 1, || drop(permit));
}

fn with_a_permit<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    set_up(scene)?;
    give::<P, 1>(scene)
}

// ---- Nobody waits --------------------------------------------------------------------------------------

pub(super) fn alone<P: Counter>() -> Vec<Scenario<Stock<P>>> {
    vec![
        scenario("release, nobody waits", release::<P, 1>),
        scenario("release of three, nobody waits", release::<P, 3>),
        Scenario {
            before: with_a_permit,
            ..scenario("drop a permit, nobody waits", drop_a_permit)
        },
        Scenario {
            staged: killed_asleep,
            ..scenario("release, the one who waited was killed", release::<P, 1>)
        },
    ]
}

fn killed_asleep<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    let waiter = scene.fork(super::taker);
    scene.until("it sleeps", |stock| stock.asleep() == 1)?;
    waiter.kill();
    Ok(())
}

// ---- Somebody sleeps -----------------------------------------------------------------------------------

pub(super) fn with_sleepers<P: Counter>() -> Vec<Scenario<Stock<P>>> {
    vec![
        Scenario {
            staged: |scene| fall_asleep(scene, 1),
            ..scenario("release, one asleep", release::<P, 1>)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("release, two asleep", release::<P, 1>)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 3),
            ..scenario("release of two, three asleep", release::<P, 2>)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("release of three, two asleep", release::<P, 3>)
        },
        Scenario {
            before: with_a_permit,
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("drop a permit, two asleep", drop_a_permit)
        },
        Scenario {
            staged: a_puppet_and_two,
            after: |scene| {
                scene.kill_puppets();
                everybody_goes_on(scene)
            },
            ..scenario("release of two, the first woken dies, too", release::<P, 2>)
        },
        Scenario {
            staged: |scene| {
                a_puppet_and_two(scene)?;
                give::<P, 1>(scene)
            },
            after: |scene| {
                scene.kill_puppets();
                everybody_goes_on(scene)
            },
            ..scenario(
                "release to a woken one, who dies, two asleep",
                release::<P, 1>,
            )
        },
        Scenario {
            staged: |scene| {
                scene.takers.fetch_add(1, Ordering::SeqCst);
                a_puppet_and_two(scene)?;
                give::<P, 1>(scene)
            },
            after: |scene| {
                scene.let_puppets_go()?;
                everybody_goes_on(scene)
            },
            ..scenario(
                "release to a woken one, who goes on, two asleep",
                release::<P, 1>,
            )
        },
    ]
}

/// The first to be woken stands still then.
fn a_puppet_and_two<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    let stake = scene.stake.load(Ordering::SeqCst);
    scene.start_puppet(acquire)?;
    scene.stake.store(stake, Ordering::SeqCst);
    fall_asleep(scene, 2)
}

// ---- Somebody comes just then ----------------------------------------------------------------------------

/// Nobody dies: one who waits comes after each instruction of a release.
pub(super) fn with_a_newcomer<P: Counter>() -> Vec<Scenario<Stock<P>>> {
    vec![
        Scenario {
            look: one_more_comes,
            dies: false,
            after: everybody_goes_on_all_done,
            ..scenario("a waiter comes during a release", release::<P, 1>)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 1),
            look: one_more_comes,
            dies: false,
            after: everybody_goes_on_all_done,
            ..scenario("a second waiter comes during a release", release::<P, 2>)
        },
    ]
}

// ---- At the bound ------------------------------------------------------------------------------------------

pub(super) fn at_the_bound() -> Vec<Scenario<Stock<BoundedSemaphore>>> {
    vec![
        Scenario {
            before: full,
            ..scenario("release at the bound", too_many::<1>)
        },
        Scenario {
            before: half_full,
            ..scenario("release past the bound", too_many::<4>)
        },
        Scenario {
            before: half_full,
            ..scenario("release up to the bound", release::<_, 3>)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("release up to the bound, two asleep", release::<_, BOUND>)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("release past the bound, two asleep", too_many::<7>)
        },
        Scenario {
            before: full,
            staged: give::<_, 1>,
            ..scenario("drop a permit at the bound", |stock, cue| {
                let permit = stock.permits().acquire();
                stock.given.fetch_sub(1, Ordering::SeqCst);
                stepped(stock, cue, 0, || drop(permit));
            })
        },
    ]
}

fn full(scene: &mut Scene<'_, Stock<BoundedSemaphore>>) -> Outcome {
    set_up(scene)?;
    give::<_, BOUND>(scene)
}

fn half_full(scene: &mut Scene<'_, Stock<BoundedSemaphore>>) -> Outcome {
    set_up(scene)?;
    give::<_, 3>(scene)
}

fn too_many<const N: u32>(stock: &Stock<BoundedSemaphore>, cue: &Cue) {
    stepped(stock, cue, 0, || {
        let released = stock.permits().release(N);
        assert_eq!(released, Err(ReleaseError::BoundExceeded));
    });
}
