//! `Barrier`: nobody passes before all have come, and nobody is left behind.
#![cfg(loom)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use loom::cell::Cell;
use loom::thread::spawn;
use loom_tests::{CALM, DEATHS, NAPS, explore, others_sleep};
use procsync::model::spawn_mortal;
use procsync::{Barrier, BarrierError};

const SOON: Duration = Duration::from_secs(1);

/// Each writes its own before the meeting and reads the other's after it.
struct Hall {
    barrier: Barrier,
    papers: [Cell<u32>; 2],
}

// SAFETY: the barrier lies between each write and each read; loom checks.
unsafe impl Sync for Hall {}

fn hall() -> Arc<Hall> {
    Arc::new(Hall {
        barrier: Barrier::new(2),
        papers: [Cell::new(0), Cell::new(0)],
    })
}

fn work(hall: &Hall, me: usize, rounds: u32) -> u32 {
    let mut indices = 0;
    for round in 1..=rounds {
        hall.papers[me].set(round);
        let meeting = hall.barrier.wait().unwrap();
        assert_eq!(hall.papers[1 - me].get(), round);
        assert_eq!(meeting.is_leader(), meeting.index() == 1);
        indices = indices * 10 + meeting.index();
        if round < rounds {
            // Not before the other has read.
            hall.barrier.wait().unwrap();
        }
    }
    indices
}

#[test]
fn all_have_come_when_anybody_goes_on() {
    explore(NAPS.within(2), || {
        let hall = hall();
        let theirs = hall.clone();
        let other = spawn(move || work(&theirs, 1, 1));
        let mine = work(&hall, 0, 1);
        assert_eq!(mine + other.join().unwrap(), 1, "each index once");
    });
}

#[test]
fn they_meet_again_in_lockstep() {
    explore(CALM.within(1), || {
        let hall = hall();
        let theirs = hall.clone();
        let other = spawn(move || work(&theirs, 1, 2));
        let mine = work(&hall, 0, 2);
        assert_eq!(mine + other.join().unwrap(), 11, "each index once");
    });
}

#[test]
fn the_action_comes_before_anybody_goes_on() {
    explore(NAPS.within(2), || {
        let hall = hall();
        let meet = |hall: &Hall, me: usize| {
            hall.papers[me].set(1);
            hall.barrier
                .wait_with_action(|| {
                    let sum = hall.papers[0].get() + hall.papers[1].get();
                    hall.papers[0].set(sum);
                })
                .unwrap();
            assert_eq!(hall.papers[0].get(), 2);
        };
        let theirs = hall.clone();
        let other = spawn(move || meet(&theirs, 1));
        meet(&hall, 0);
        other.join().unwrap();
    });
}

/// Of two, one dies. The other ends, or meets a third that comes instead; and nobody is released for
/// fewer than two that came.
#[test]
fn a_dead_party_leaves_nobody_behind() {
    explore(DEATHS.within(1), || {
        let barrier = Arc::new(Barrier::new(2));
        let came = Arc::new(AtomicU32::new(0));
        let arrive = |barrier: &Barrier, came: &AtomicU32| {
            came.fetch_add(1, Ordering::SeqCst);
            barrier.wait_timeout(SOON).is_ok()
        };
        let theirs = (barrier.clone(), came.clone());
        let victims = (barrier.clone(), came.clone());
        let victim = spawn_mortal(move || arrive(&victims.0, &victims.1));
        let other = spawn(move || arrive(&theirs.0, &theirs.1));
        let died = victim.join().is_none();
        let released = other.join().unwrap();
        assert!(died || released || barrier.is_broken());
        assert!(!released || came.load(Ordering::SeqCst) >= 2);
    });
}

/// One sleeps, one dies in any step of its wait. If the barrier is whole, two more make it three.
#[test]
fn a_death_beside_a_sleeper_is_told_at_once() {
    explore(DEATHS.within(1), || {
        let barrier = Arc::new(Barrier::new(3));
        let (theirs, victims) = (barrier.clone(), barrier.clone());
        let other = spawn(move || theirs.wait());
        let asleep = others_sleep(1);
        let victim = spawn_mortal(move || victims.wait_timeout(SOON));
        let died = victim.join().is_none();
        // Nothing but the death has told the other: it has no deadline.
        if died && asleep && barrier.waiting() != 1 {
            assert_eq!(other.join().unwrap(), Err(BarrierError::Broken));
        } else {
            barrier.abort();
            assert_eq!(other.join().unwrap(), Err(BarrierError::Broken));
        }
    });
}

/// It was there first, alone, and nobody saw it die.
#[test]
fn the_living_do_not_meet_the_dead() {
    explore(DEATHS.within(3), || {
        let barrier = Arc::new(Barrier::new(2));
        let victims = barrier.clone();
        let victim = spawn_mortal(move || victims.wait_timeout(SOON).is_ok());
        if victim.join().is_none() {
            assert!(barrier.wait_timeout(SOON).is_err());
        }
        barrier.reset();
        assert!(!barrier.is_broken());
    });
}

#[test]
fn one_that_gives_up_breaks_it_for_the_other() {
    explore(NAPS.within(2), || {
        let barrier = Arc::new(Barrier::new(2));
        let theirs = barrier.clone();
        let other = spawn(move || theirs.wait_timeout(SOON));
        let mine = barrier.wait();
        let others = other.join().unwrap();
        match (mine, others) {
            (Ok(mine), Ok(others)) => assert_ne!(mine.index(), others.index()),
            (Err(BarrierError::Broken), Err(BarrierError::TimedOut)) => {
                assert!(barrier.is_broken());
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn abort_and_reset_end_the_wait() {
    explore(NAPS.within(2), || {
        let barrier = Arc::new(Barrier::new(2));
        let theirs = barrier.clone();
        let other = spawn(move || theirs.wait_timeout(SOON));
        barrier.abort();
        barrier.reset();
        let mine = barrier.wait_timeout(SOON);
        let others = other.join().unwrap();
        assert_eq!(mine.is_ok(), others.is_ok(), "{mine:?}, {others:?}");
    });
}

/// What was released stays released, whatever follows.
#[test]
fn a_release_stands() {
    explore(NAPS.within(2), || {
        let barrier = Arc::new(Barrier::new(2));
        let theirs = barrier.clone();
        let other = spawn(move || theirs.wait());
        barrier.wait().unwrap();
        barrier.abort();
        barrier.reset();
        barrier.abort();
        other.join().unwrap().unwrap();
    });
}

#[test]
fn nobody_of_three_is_left_asleep() {
    explore(CALM.within(1), || {
        let barrier = Arc::new(Barrier::new(3));
        let others: [_; 2] = std::array::from_fn(|_| {
            let barrier = barrier.clone();
            spawn(move || barrier.wait().unwrap())
        });
        let mine = barrier.wait().unwrap().index();
        let [one, other] = others.map(|other| other.join().unwrap().index());
        assert_eq!(mine + one + other, 3, "each index once");
    });
}

/// Meetings of one, led by one while the last leader is about to let go, for whom it waits and no longer.
#[test]
fn leaders_follow_one_another() {
    explore(NAPS.within(2), || {
        let barrier = Arc::new(Barrier::new(1));
        let theirs = barrier.clone();
        let meet =
            |barrier: &Barrier| assert!(barrier.wait_with_action(|| ()).unwrap().is_leader());
        let other = spawn(move || meet(&theirs));
        meet(&barrier);
        other.join().unwrap();
    });
}

/// It falls asleep just as the one that has the watch dies.
#[test]
fn who_falls_asleep_beside_a_death_does_not_miss_it() {
    explore(DEATHS.within(1), || {
        let barrier = Arc::new(Barrier::new(3));
        let (theirs, victims) = (barrier.clone(), barrier.clone());
        let victim = spawn_mortal(move || victims.wait_timeout(SOON));
        let has_come = others_sleep(1);
        let other = spawn(move || theirs.wait());
        if victim.join().is_none() && !has_come {
            barrier.abort();
        }
        assert_eq!(other.join().unwrap(), Err(BarrierError::Broken));
    });
}

/// Two sleep when the last comes, who dies before it ends the generation, or wakes them, or after.
#[test]
fn what_the_dead_have_released_goes_on() {
    explore(DEATHS.within(0), || {
        let barrier = Arc::new(Barrier::new(3));
        let others: [_; 2] = std::array::from_fn(|_| {
            let barrier = barrier.clone();
            spawn(move || barrier.wait().is_ok())
        });
        others_sleep(2);
        let victims = barrier.clone();
        let victim = spawn_mortal(move || victims.wait().is_ok());
        let went_on = victim.join();
        if went_on.is_none() {
            // It wakes nobody whose generation is over.
            barrier.abort();
        }
        let [one, other] = others.map(|other| other.join().unwrap());
        assert_eq!(one, other, "released in part");
        assert!(went_on.is_none_or(|released| released == one));
    });
}
