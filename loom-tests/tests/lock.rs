//! `Lock`: exclusion, nobody stranded, poison where it is due and nowhere else. A stranded thread is
//! a deadlock, which loom reports.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::thread::{spawn, yield_now};
use loom_tests::{DEATHS, Pair, advance_unless, explore, held, others_sleep, work};
use procsync::model::{Exploration, spawn_mortal};
use procsync::{AcquireError, Lock};

const CALM: Exploration = Exploration::CALM.unbounded();
const NAPS: Exploration = Exploration::NAPS.unbounded();
const ALL: Exploration = Exploration::DEATHS_AND_NAPS;

fn fresh() -> Arc<Lock<Pair>> {
    Arc::new(Lock::new(Pair::default()))
}

/// Nobody is left who could be waiting: the lock is free.
fn check_end(lock: &Lock<Pair>, somebody_died: bool, at_least: u32) {
    let (guard, poisoned) = held(lock.try_acquire());
    guard.check_end(poisoned, somebody_died, at_least);
}

#[test]
fn two_threads_exclude_each_other() {
    explore(NAPS, || {
        let lock = fresh();
        let theirs = lock.clone();
        let other = spawn(move || work(&theirs));
        work(&lock);
        other.join().unwrap();
        check_end(&lock, false, 2);
    });
}

#[test]
fn a_lock_that_was_contended_is_quiet_again() {
    explore(NAPS.within(3), || {
        let lock = fresh();
        let theirs = lock.clone();
        let other = spawn(move || {
            work(&theirs);
            work(&theirs);
        });
        work(&lock);
        work(&lock);
        other.join().unwrap();
        check_end(&lock, false, 4);
    });
}

/// Two sleep when the owner lets go: each of them wakes the next.
#[test]
fn a_crowd_is_served() {
    explore(CALM.within(1), || {
        let lock = fresh();
        let guard = held(lock.acquire()).0;
        let others: [_; 2] = std::array::from_fn(|_| {
            let theirs = lock.clone();
            spawn(move || work(&theirs))
        });
        others_sleep(2);
        drop(guard);
        for other in others {
            other.join().unwrap();
        }
        check_end(&lock, false, 2);
    });
}

/// Its first wait leaves `WAITERS` behind; its second must be seen all the same.
#[test]
fn one_that_gave_up_may_come_again() {
    explore(NAPS.within(2), || {
        let lock = fresh();
        let guard = held(lock.acquire()).0;
        let theirs = lock.clone();
        let other = spawn(move || {
            drop(theirs.acquire_timeout(Duration::from_secs(1)));
            work(&theirs);
        });
        loom::thread::yield_now();
        drop(guard);
        other.join().unwrap();
        check_end(&lock, false, 1);
    });
}

#[test]
fn a_death_among_three_strands_nobody() {
    explore(DEATHS.within(1), || {
        let lock = fresh();
        let (theirs, victims) = (lock.clone(), lock.clone());
        let victim = spawn_mortal(move || work(&victims));
        let other = spawn(move || work(&theirs));
        work(&lock);
        other.join().unwrap();
        let died = victim.join().is_none();
        check_end(&lock, died, 2);
    });
}

/// The race that robust pthread mutexes lose: the owner releases, acquires by the fast path, and
/// releases again, while a woken waiter dies and another sleeps.
#[test]
fn a_dead_waiter_does_not_strand_another_while_the_owner_comes_back() {
    explore(DEATHS.within(1), || {
        let lock = fresh();
        let (theirs, victims) = (lock.clone(), lock.clone());
        let first = held(lock.acquire()).0;
        let victim = spawn_mortal(move || drop(held(victims.acquire())));
        let other = spawn(move || drop(held(theirs.acquire())));
        // Not a preemption: here the others fall asleep, and there one wakes up.
        yield_now();
        drop(first);
        let second = held(lock.acquire()).0;
        yield_now();
        drop(second);
        other.join().unwrap();
        victim.join();
    });
}

#[test]
fn a_death_between_two_rounds_strands_nobody() {
    explore(ALL, || {
        let lock = fresh();
        let victims = lock.clone();
        let victim = spawn_mortal(move || {
            work(&victims);
            work(&victims);
        });
        work(&lock);
        work(&lock);
        let died = victim.join().is_none();
        check_end(&lock, died, 2);
    });
}

#[test]
fn the_next_owner_sees_the_poison() {
    explore(DEATHS, || {
        let lock = fresh();
        let victims = lock.clone();
        let victim = spawn_mortal(move || {
            let (guard, _) = held(victims.acquire());
            guard.advance();
            procsync::model::step();
            std::mem::forget(guard);
            procsync::model::step();
        });
        let died = victim.join().is_none();
        if died {
            let (guard, poisoned) = held(lock.acquire());
            assert!(poisoned || guard.is_whole());
            assert!(
                poisoned || guard.count() == 0,
                "the victim held the lock as it died"
            );
        }
    });
}

#[test]
fn a_waiter_that_times_out_leaves_no_trace() {
    explore(NAPS.within(2), || {
        let lock = fresh();
        let (theirs, others) = (lock.clone(), lock.clone());
        let impatient = spawn(move || {
            let acquired = theirs.acquire_timeout(Duration::from_secs(1));
            advance_unless(&AcquireError::TimedOut, acquired);
        });
        let other = spawn(move || work(&others));
        work(&lock);
        impatient.join().unwrap();
        other.join().unwrap();
        check_end(&lock, false, 2);
    });
}

#[test]
fn an_impatient_waiter_may_die() {
    explore(ALL.within(1), || {
        let lock = fresh();
        let (victims, others) = (lock.clone(), lock.clone());
        let victim = spawn_mortal(move || {
            let _ = victims
                .acquire_timeout(Duration::from_secs(1))
                .map(|guard| guard.advance());
        });
        let other = spawn(move || work(&others));
        work(&lock);
        let died = victim.join().is_none();
        other.join().unwrap();
        check_end(&lock, died, 2);
    });
}

#[test]
fn both_of_two_nested_locks_are_recovered() {
    explore(DEATHS, || {
        let (outer, inner) = (fresh(), fresh());
        let victims = (outer.clone(), inner.clone());
        let victim = spawn_mortal(move || {
            let first = held(victims.0.acquire()).0;
            let second = held(victims.1.acquire()).0;
            drop(first);
            drop(second);
        });
        work(&inner);
        work(&outer);
        let died = victim.join().is_none();
        check_end(&outer, died, 1);
        check_end(&inner, died, 1);
    });
}

#[test]
fn locks_released_out_of_order_are_recovered() {
    explore(DEATHS, || {
        let locks = [fresh(), fresh(), fresh()];
        let victims = locks.clone();
        let victim = spawn_mortal(move || {
            let oldest = held(victims[0].acquire()).0;
            let middle = held(victims[1].acquire()).0;
            let newest = held(victims[2].acquire()).0;
            drop(middle);
            drop(newest);
            drop(oldest);
        });
        work(&locks[1]);
        let died = victim.join().is_none();
        for lock in &locks {
            check_end(lock, died, 0);
        }
    });
}

#[test]
fn a_repairer_may_die() {
    explore(DEATHS, || {
        let lock = fresh();
        let victims = lock.clone();
        let victim = spawn_mortal(move || {
            let guard = held(victims.acquire()).0;
            guard.advance();
            procsync::model::step();
            drop(guard);
        });
        let guard = lock.acquire_or_repair(|pair| pair.repair()).unwrap();
        assert!(guard.is_whole());
        drop(guard);
        let died = victim.join().is_none();
        let guard = lock.acquire_or_repair(|pair| pair.repair()).unwrap();
        assert!(guard.is_whole());
        assert!(died || guard.count() == 1);
    });
}

#[test]
fn clearing_poison_from_outside_strands_nobody() {
    explore(DEATHS, || {
        let lock = fresh();
        let (theirs, victims) = (lock.clone(), lock.clone());
        let victim = spawn_mortal(move || work(&victims));
        let other = spawn(move || drop(held(theirs.acquire())));
        lock.clear_poison();
        other.join().unwrap();
        victim.join();
        drop(held(lock.try_acquire()));
    });
}

#[test]
fn an_attempt_never_waits() {
    explore(CALM, || {
        let lock = fresh();
        let theirs = lock.clone();
        let other = spawn(move || advance_unless(&AcquireError::WouldBlock, theirs.try_acquire()));
        work(&lock);
        other.join().unwrap();
        check_end(&lock, false, 1);
    });
}

/// Time passes when nobody goes on, and the kernel does, on behalf of the dead.
#[test]
fn no_deadline_passes_while_the_locks_of_the_dead_are_freed() {
    explore(DEATHS.within(3), || {
        let lock = fresh();
        let victims = lock.clone();
        let victim = spawn_mortal(move || drop(held(victims.acquire())));
        drop(held(lock.acquire_timeout(Duration::from_secs(1))));
        victim.join();
    });
}
