//! The calm between two storms.

use std::sync::atomic::Ordering;
use std::time::Duration;

use procsync::{Semaphore, TimerOutcome, TimerState};

use crate::common::{Child, End, fork, sleepers, until};
use crate::worker::{change_nested, take_pair};
use crate::world::{PARTIES, PERMITS, WORKERS, World};

/// Who does not go home within this time is stuck.
const STUCK: Duration = Duration::from_secs(10);

/// Nobody is killed any more, and nobody begins anything.
pub(crate) fn calm_down(world: &World, workers: Vec<Child>) {
    world.over.store(1, Ordering::SeqCst);
    let is_calm = || asleep(world) == workers.iter().filter(|worker| !worker.has_ended()).count();
    report_stuck(world, &workers, until(is_calm).is_ok());
    nobody_sleeps_for_nothing(world);
    call_home(world);
    for (place, worker) in workers.into_iter().enumerate() {
        let (doing, seen) = (world.doing(place), worker.describe());
        let end = worker.join_within(STUCK);
        assert_eq!(end, Ok(End::Exited(0)), "{doing}: {seen}");
    }
    world.over.store(0, Ordering::SeqCst);
}

/// How many sleep where they may sleep for long.
fn asleep(world: &World) -> usize {
    sleepers(&world.semaphore)
        + sleepers(&world.bounded)
        + sleepers(&world.event)
        + sleepers(&world.changed)
        + sleepers(&world.barrier)
}

fn report_stuck(world: &World, workers: &[Child], is_calm: bool) {
    if is_calm {
        return;
    }
    for (place, worker) in workers.iter().enumerate() {
        println!("{}: {}", world.doing(place), worker.describe());
    }
    panic!("somebody neither sleeps nor goes home");
}

fn nobody_sleeps_for_nothing(world: &World) {
    let no_permit = || world.semaphore.available_permits() == 0;
    until(|| no_permit() || sleepers(&world.semaphore) == 0).expect("free permits are taken");
    let no_permit = || world.bounded.available_permits() == 0;
    until(|| no_permit() || sleepers(&world.bounded) == 0).expect("free permits are taken");
    until(|| !world.event.is_set() || sleepers(&world.event) == 0).expect("it is set");
    until(|| !world.barrier.is_broken() || sleepers(&world.barrier) == 0).expect("it is broken");
}

/// Ends all waits, once.
fn call_home(world: &World) {
    let everybody = u32::try_from(WORKERS).expect("few");
    world.semaphore.release(everybody).expect("there is room");
    // Who takes one gives it back, or keeps it: then there may be too few.
    (0..everybody * PERMITS).for_each(|_| {
        let _ = world.bounded.release(1);
    });
    world.event.set();
    world.changed.notify_all();
    world.barrier.abort();
}

/// Nobody is left; all is as it was, or can be made so.
pub(crate) fn all_is_in_order(world: &World) {
    locks_can_be_had(world);
    permits_are_plausible(world);
    a_notify_arrives(world);
    all_can_meet(world);
    the_timer_runs(world);
}

fn locks_can_be_had(world: &World) {
    let pair = take_pair(world);
    assert_eq!(pair[0], pair[1]);
    drop(pair);
    change_nested(world, &mut fastrand::Rng::new());
    assert!(!world.pair.is_locked() && !world.nested.is_locked());
    assert_eq!((world.pair.waiters(), world.nested.waiters()), (0, 0));
}

fn permits_are_plausible(world: &World) {
    assert!(world.bounded.available_permits() <= PERMITS);
    let permits = world.semaphore.available_permits();
    assert!(permits <= 100, "{permits} of {}", Semaphore::MAX_PERMITS);
    while let Some(permit) = world.semaphore.try_acquire() {
        permit.forget();
    }
    let taken = PERMITS - world.bounded.available_permits();
    world.bounded.release(taken).expect("as many were taken");
    world.semaphore.release(PERMITS).expect("there is room");
    world.event.clear();
    assert_eq!(asleep(world), 0);
}

fn a_notify_arrives(world: &World) {
    let waiter = fork(|| assert!(world.changed.wait(&mut take_pair(world)).is_ok()));
    until(|| sleepers(&world.changed) == 1).expect("it falls asleep");
    world.changed.notify_one();
    waiter.succeed();
}

fn all_can_meet(world: &World) {
    world.barrier.reset();
    let parties: Vec<_> = (0..PARTIES)
        .map(|_| fork(|| (0..10).for_each(|_| assert!(world.barrier.wait().is_ok()))))
        .collect();
    parties.into_iter().for_each(Child::succeed);
}

fn the_timer_runs(world: &World) {
    let state = world.timer.state();
    assert!(
        state.is_finished() || state == TimerState::Idle,
        "{state:?}"
    );
    world.timer.reset();
    let run = world.timer.run(Duration::ZERO, || ());
    assert_eq!(run.ok(), Some(TimerOutcome::Fired));
    assert!(world.timer.reset());
}
