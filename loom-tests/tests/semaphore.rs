//! `Semaphore` and `BoundedSemaphore`: exact counts, and nobody asleep while permits are free.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::thread::spawn;
use loom_tests::{CALM, DEATHS, NAPS, Pair, explore, others_sleep};
use procsync::model::{in_a_handler, spawn_mortal};
use procsync::{BoundedSemaphore, Permit, ReleaseError, Semaphore};

fn fresh(permits: u32) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(permits))
}

/// As a lock: what was done before a release is seen after the acquire.
#[test]
fn one_permit_excludes() {
    struct Room {
        semaphore: Semaphore,
        pair: Pair,
    }
    // A lock's data, and loom checks every access.
    // SAFETY: one thread at a time has the permit.
    unsafe impl Sync for Room {}
    let visit = |room: &Room| {
        let _permit = room.semaphore.acquire();
        assert!(room.pair.is_whole());
        room.pair.advance();
    };
    explore(NAPS, move || {
        let room = Arc::new(Room {
            semaphore: Semaphore::new(1),
            pair: Pair::default(),
        });
        let theirs = room.clone();
        let other = spawn(move || visit(&theirs));
        visit(&room);
        other.join().unwrap();
        assert_eq!(room.semaphore.available_permits(), 1);
        assert_eq!(room.pair.count(), 2);
    });
}

/// Two permits in one release, two waiters, one of whom dies: the other gets one.
#[test]
fn a_dead_waiter_passes_on() {
    explore(DEATHS.within(2), || {
        let semaphore = fresh(0);
        let (theirs, victims) = (semaphore.clone(), semaphore.clone());
        let victim = spawn_mortal(move || victims.acquire().forget());
        let other = spawn(move || theirs.acquire().forget());
        semaphore.release(2).unwrap();
        other.join().unwrap();
        let took = 2 - semaphore.available_permits();
        let died = victim.join().is_none();
        assert!(died || semaphore.available_permits() == 0, "a permit more");
        assert!(took >= 1, "a permit for nothing");
    });
}

/// One permit, two sleepers, one of whom dies or gives up: if the permit is left, the other gets it.
#[test]
fn a_dead_sleeper_passes_on() {
    explore(DEATHS.within(2), || {
        let semaphore = fresh(0);
        let (theirs, victims) = (semaphore.clone(), semaphore.clone());
        let victim = spawn_mortal(move || {
            let permit = victims.acquire_timeout(Duration::from_secs(1));
            permit.map(Permit::forget).is_some()
        });
        let other = spawn(move || theirs.acquire().forget());
        others_sleep(2);
        semaphore.release(1).unwrap();
        let took = victim.join();
        let somebody_took = semaphore.available_permits() == 0;
        if took == Some(true) || took.is_none() && somebody_took {
            semaphore.release(1).unwrap();
        }
        other.join().unwrap();
    });
}

/// A releaser dies: if the permit is there, the sleeper gets it without help.
#[test]
fn a_dead_releaser_has_released_or_not() {
    explore(DEATHS, || {
        let semaphore = fresh(0);
        let (theirs, victims) = (semaphore.clone(), semaphore.clone());
        let other = spawn(move || theirs.acquire().forget());
        let victim = spawn_mortal(move || victims.release(1).unwrap());
        let died = victim.join().is_none();
        if died && semaphore.available_permits() == 0 {
            semaphore.release(1).unwrap();
        }
        other.join().unwrap();
        assert!(semaphore.available_permits() <= 1);
    });
}

/// In a signal handler: a release that is told of nowhere takes place when the next one comes.
#[test]
fn who_comes_next_finds_what_the_dead_have_offered() {
    explore(DEATHS, || {
        let semaphore = fresh(0);
        let (theirs, victims) = (semaphore.clone(), semaphore.clone());
        let other = spawn(move || theirs.acquire().forget());
        let slept = others_sleep(1);
        let victim = spawn_mortal(move || in_a_handler(|| victims.release(1).unwrap()));
        let died = victim.join().is_none();
        let sleeps_on = slept && procsync::model::asleep() == 1;
        assert!(
            !sleeps_on || semaphore.available_permits() == 0,
            "asleep while a permit is free"
        );
        let took = died && semaphore.try_acquire().map(Permit::forget).is_some();
        let sleeps_on = slept && procsync::model::asleep() == 1;
        if took || died && (sleeps_on || !slept) {
            semaphore.release(1).unwrap();
        }
        other.join().unwrap();
        assert!(
            !sleeps_on || semaphore.available_permits() == 0,
            "released in part"
        );
    });
}

/// The same where the bound is reached with what was offered.
#[test]
fn who_is_refused_is_told_the_truth() {
    explore(DEATHS, || {
        let semaphore = Arc::new(BoundedSemaphore::new(1));
        semaphore.acquire().forget();
        let (theirs, victims) = (semaphore.clone(), semaphore.clone());
        let other = spawn(move || theirs.acquire().forget());
        let victim = spawn_mortal(move || in_a_handler(|| victims.release(1).unwrap()));
        if victim.join().is_none() {
            // For the dead, who may have done it.
            let _ = semaphore.release(1);
        }
        other.join().unwrap();
        assert!(semaphore.available_permits() <= 1);
    });
}

/// The same with two permits for two sleepers, of whom the kernel wakes one.
#[test]
fn who_is_woken_wakes_the_next() {
    // With more, one that a death has woken for nothing looks as if it had got a permit.
    explore(DEATHS.within(0), || {
        let semaphore = fresh(0);
        let others: [_; 2] = std::array::from_fn(|_| {
            let theirs = semaphore.clone();
            spawn(move || theirs.acquire().forget())
        });
        let slept = others_sleep(2);
        let victims = semaphore.clone();
        let victim = spawn_mortal(move || victims.release(2).unwrap());
        // Until it has released, nobody takes one.
        if victim.join().is_none() && !(slept && others_got_any(&semaphore)) {
            semaphore.release(2).unwrap();
        }
        for other in others {
            other.join().unwrap();
        }
    });
}

/// Two sleepers: permits are there, or at most one of them is asleep.
fn others_got_any(semaphore: &Semaphore) -> bool {
    semaphore.available_permits() > 0 || procsync::model::asleep() < 2
}

/// A crowd is served although one release wakes only one, and others take what they can.
#[test]
fn nobody_sleeps_while_permits_are_free() {
    explore(NAPS.within(2), || {
        let semaphore = fresh(0);
        let others: [_; 2] = std::array::from_fn(|_| {
            let theirs = semaphore.clone();
            spawn(move || theirs.acquire().forget())
        });
        semaphore.release(1).unwrap();
        semaphore.release(1).unwrap();
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(semaphore.available_permits(), 0);
    });
}

/// Two sleep; the first is gone again when the second permit comes.
#[test]
fn sleepers_are_remembered() {
    explore(CALM.within(0), || {
        let semaphore = fresh(0);
        let others: [_; 2] = std::array::from_fn(|_| {
            let theirs = semaphore.clone();
            spawn(move || theirs.acquire().forget())
        });
        others_sleep(2);
        semaphore.release(1).unwrap();
        loom::thread::yield_now();
        semaphore.release(1).unwrap();
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_timeout_loses_no_permit() {
    explore(NAPS, || {
        let semaphore = fresh(0);
        let theirs = semaphore.clone();
        let impatient = spawn(move || {
            let permit = theirs.acquire_timeout(Duration::from_secs(1));
            permit.map(Permit::forget).is_some()
        });
        semaphore.release(1).unwrap();
        let took = impatient.join().unwrap();
        assert_eq!(semaphore.available_permits(), u32::from(!took));
    });
}

#[test]
fn the_bound_holds_under_any_race() {
    explore(CALM, || {
        let semaphore = Arc::new(BoundedSemaphore::new(2));
        semaphore.acquire().forget();
        let theirs = semaphore.clone();
        let other = spawn(move || theirs.release(1));
        let mine = semaphore.release(1);
        let answers = [mine, other.join().unwrap()];
        let refused = answers
            .iter()
            .filter(|answer| **answer == Err(ReleaseError::BoundExceeded));
        assert_eq!(refused.count(), 1);
        assert_eq!(semaphore.available_permits(), 2);
    });
}
