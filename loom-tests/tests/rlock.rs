//! `RLock`: what `Lock` promises, at every depth.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::thread::spawn;
use loom_tests::{DEATHS, NAPS, Pair, advance_unless, explore, held, work_twice};
use procsync::model::spawn_mortal;
use procsync::{AcquireError, RLock};

fn fresh() -> Arc<RLock<Pair>> {
    Arc::new(RLock::new(Pair::default()))
}

/// Nobody is left who could be waiting: the lock is free, and held once by whoever takes it now.
fn check_end(lock: &RLock<Pair>, somebody_died: bool, at_least: u32) {
    let (guard, poisoned) = held(lock.try_acquire());
    assert_eq!(guard.depth(), 1, "a hold of somebody else's");
    guard.check_end(poisoned, somebody_died, at_least);
}

#[test]
fn two_threads_exclude_each_other_at_every_depth() {
    explore(NAPS, || {
        let lock = fresh();
        let theirs = lock.clone();
        let other = spawn(move || work_twice(&theirs));
        work_twice(&lock);
        other.join().unwrap();
        check_end(&lock, false, 6);
    });
}

#[test]
fn a_death_at_any_depth_strands_nobody() {
    explore(DEATHS.within(1), || {
        let lock = fresh();
        let (theirs, victims) = (lock.clone(), lock.clone());
        let victim = spawn_mortal(move || work_twice(&victims));
        let other = spawn(move || drop(held(theirs.acquire())));
        drop(held(lock.acquire()));
        other.join().unwrap();
        let died = victim.join().is_none();
        check_end(&lock, died, 0);
    });
}

#[test]
fn the_next_owner_sees_the_poison_and_holds_once() {
    explore(DEATHS, || {
        let lock = fresh();
        let victims = lock.clone();
        let victim = spawn_mortal(move || {
            let _outer = held(victims.acquire());
            let _inner = held(victims.acquire());
            let (guard, _) = held(victims.acquire());
            assert_eq!(guard.depth(), 3);
            guard.advance();
        });
        let (guard, poisoned) = held(lock.acquire());
        assert_eq!(guard.depth(), 1);
        assert!(poisoned || guard.is_whole());
        drop(guard);
        victim.join();
    });
}

#[test]
fn a_waiter_that_times_out_leaves_no_trace() {
    explore(NAPS, || {
        let lock = fresh();
        let theirs = lock.clone();
        let impatient = spawn(move || {
            let acquired = theirs.acquire_timeout(Duration::from_secs(1));
            advance_unless(&AcquireError::TimedOut, acquired);
        });
        work_twice(&lock);
        impatient.join().unwrap();
        check_end(&lock, false, 3);
    });
}
