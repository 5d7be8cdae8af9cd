//! What a worker does: one deed after another, until it is killed or may go home.
//!
//! It panics where it is not told the truth: where the two halves of what a lock protects differ,
//! and the lock is not poisoned.

use std::sync::atomic::Ordering;
use std::time::Duration;

use fastrand::Rng;
use procsync::{AcquireError, BarrierError, Lock, LockGuard, Permit, TimerOutcome, TimerState};

use crate::world::{PERMITS, World, count};

type Deed = fn(&World, &mut Rng);

/// Some of them wait for others as long as it takes: *patient*.
pub(crate) const DEEDS: [(&str, Deed); 19] = [
    ("change the pair", |world, random| {
        change(&mut take_pair(world), random);
    }),
    ("change the pair in time", change_in_time),
    ("change what is nested", change_nested),
    ("take a permit", |world, random| {
        use_permit(world.semaphore.acquire_timeout(patience(random)), random);
    }),
    ("take a permit, patient", |world, random| {
        use_permit(Some(world.semaphore.acquire()), random);
    }),
    ("give a permit", give_permit),
    ("take a bounded permit", |world, random| {
        use_permit(world.bounded.acquire_timeout(patience(random)), random);
    }),
    ("take a bounded permit, patient", |world, random| {
        use_permit(Some(world.bounded.acquire()), random);
    }),
    ("give a bounded permit", |world, _| {
        // Nobody may have taken it.
        let _ = world.bounded.release(1);
    }),
    ("set the event, perhaps clear it", |world, random| {
        world.event.set();
        if random.bool() {
            world.event.clear();
        }
    }),
    ("clear the event", |world, _| world.event.clear()),
    ("wait for the event", |world, random| {
        world.event.wait_timeout(patience(random));
    }),
    ("wait for the event, patient", |world, _| world.event.wait()),
    ("wait for a change", wait_for_a_change),
    ("wait for a notify, patient", |world, _| {
        let mut pair = take_pair(world);
        let waited = world.changed.wait(&mut pair);
        waited.unwrap_or_else(|_| repair(world, &mut pair));
        check(&pair);
    }),
    ("change the pair and notify", |world, random| {
        change(&mut take_pair(world), random);
        world.changed.notify(random.u32(1..4));
    }),
    ("meet", meet),
    ("run the timer", run_timer),
    ("cancel, wait for or reset the timer", bother_timer),
];

pub(crate) fn work(world: &World, place: usize, seed: u64) {
    let mut random = Rng::with_seed(seed);
    while world.over.load(Ordering::Relaxed) == 0 {
        let deed = random.usize(..DEEDS.len());
        world.begin(place, deed);
        (DEEDS[deed].1)(world, &mut random);
    }
}

fn patience(random: &mut Rng) -> Duration {
    Duration::from_micros(random.u64(..3_000))
}

/// Seldom, and long enough to be killed meanwhile.
fn linger(random: &mut Rng) {
    if random.u32(..10) == 0 {
        std::thread::sleep(Duration::from_micros(300));
    }
}

fn check(pair: &[u64; 2]) {
    assert_eq!(pair[0], pair[1], "half a change, and no poison");
}

fn change(pair: &mut LockGuard<'_, [u64; 2]>, random: &mut Rng) {
    check(pair);
    pair[0] += 1;
    linger(random);
    pair[1] += 1;
}

pub(crate) fn repair(world: &World, pair: &mut LockGuard<'_, [u64; 2]>) {
    pair[1] = pair[0];
    world.pair.clear_poison();
    count(&world.poisonings);
}

pub(crate) fn take_pair(world: &World) -> LockGuard<'_, [u64; 2]> {
    let lock: &Lock<_> = &world.pair;
    match lock.acquire() {
        Ok(pair) => pair,
        Err(AcquireError::Poisoned(mut pair)) => {
            repair(world, &mut pair);
            pair
        }
        Err(error) => panic!("{error}"),
    }
}

fn change_in_time(world: &World, random: &mut Rng) {
    match world.pair.acquire_timeout(patience(random)) {
        Ok(mut pair) => change(&mut pair, random),
        Err(AcquireError::Poisoned(mut pair)) => repair(world, &mut pair),
        Err(AcquireError::TimedOut) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Holds it twice.
pub(crate) fn change_nested(world: &World, random: &mut Rng) {
    let repaired = world.nested.acquire_or_repair(|halves| {
        halves[1].set(halves[0].get());
        count(&world.poisonings);
    });
    let outer = repaired.expect("repaired");
    let inner = world.nested.acquire().expect("sound");
    assert_eq!(inner.depth(), 2);
    assert_eq!(
        inner[0].get(),
        inner[1].get(),
        "half a change, and no poison"
    );
    inner[0].set(inner[0].get() + 1);
    drop(inner);
    linger(random);
    outer[1].set(outer[1].get() + 1);
}

/// Keeps it for a moment, and seldom for good.
fn use_permit(permit: Option<Permit<'_>>, random: &mut Rng) {
    linger(random);
    match permit {
        Some(permit) if random.u32(..20) == 0 => permit.forget(),
        permit => drop(permit),
    }
}

/// The dead take some along.
fn give_permit(world: &World, random: &mut Rng) {
    if world.semaphore.available_permits() < PERMITS {
        world
            .semaphore
            .release(random.u32(..3))
            .expect("there is room");
    }
}

fn wait_for_a_change(world: &World, random: &mut Rng) {
    let mut pair = take_pair(world);
    let before = pair[0];
    let is_changed = |pair: &[u64; 2]| pair[0] != before;
    let patience = patience(random);
    match world
        .changed
        .wait_for_timeout(&mut pair, patience, is_changed)
    {
        Ok(changed) => assert_eq!(changed, pair[0] != before),
        Err(_) => repair(world, &mut pair),
    }
    check(&pair);
}

fn meet(world: &World, random: &mut Rng) {
    let barrier = &world.barrier;
    let meeting = match random.u32(..8) {
        0 => barrier.wait(),
        1 => barrier.wait_with_action(|| world.event.set()),
        2 => return barrier.abort(),
        _ => barrier.wait_timeout(patience(random)),
    };
    match meeting {
        Ok(meeting) => assert!(meeting.index() < barrier.parties()),
        Err(BarrierError::Broken) => {
            count(&world.broken);
            barrier.reset();
        }
        Err(_) => barrier.reset(),
    }
}

fn run_timer(world: &World, random: &mut Rng) {
    let mut calls = 0;
    let run = world.timer.run(patience(random), || calls += 1);
    if let Ok(outcome) = run {
        assert_eq!(calls == 1, outcome == TimerOutcome::Fired);
    }
}

fn bother_timer(world: &World, random: &mut Rng) {
    match random.u32(..4) {
        0 => drop(world.timer.cancel()),
        1 if world.over.load(Ordering::Relaxed) == 0 => {
            world.timer.wait_timeout(patience(random));
        }
        _ => {
            let was_abandoned = world.timer.state() == TimerState::Abandoned;
            if world.timer.reset() && was_abandoned {
                count(&world.abandoned);
            }
        }
    }
}
