//! The mistakes that everybody makes once: the models find them, and prove them absent where they are.
#![cfg(loom)]

use std::sync::Arc;

use loom::thread::spawn;
use loom_tests::{CALM, explore, held};
use procsync::{Condition, Lock, Semaphore};

type Two = (Lock<u32>, Lock<u32>);

fn lock_both(first: &Lock<u32>, second: &Lock<u32>) {
    let first = held(first.acquire());
    let second = held(second.acquire());
    drop((second, first));
}

fn by_address(two: &Two) -> [&Lock<u32>; 2] {
    let mut locks = [&two.0, &two.1];
    locks.sort_by_key(|lock| std::ptr::from_ref(*lock).addr());
    locks
}

#[test]
#[should_panic(expected = "deadlock")]
fn two_locks_in_opposite_order_deadlock() {
    CALM.run(|| {
        let two = Arc::new(Two::default());
        let theirs = two.clone();
        let other = spawn(move || lock_both(&theirs.1, &theirs.0));
        lock_both(&two.0, &two.1);
        other.join().unwrap();
    });
}

#[test]
fn two_locks_ordered_by_address_do_not() {
    explore(CALM, || {
        let two = Arc::new(Two::default());
        let theirs = two.clone();
        let other = spawn(move || {
            let [first, second] = by_address(&theirs);
            lock_both(first, second);
        });
        let [first, second] = by_address(&two);
        lock_both(first, second);
        other.join().unwrap();
    });
}

/// A wait without a look at what it waits for. It looks around for the dead for ever.
#[test]
#[should_panic(expected = "exceeded maximum number of branches")]
fn a_notify_before_the_wait_is_lost() {
    CALM.run(|| {
        let room = Arc::new((Lock::new(()), Condition::new()));
        let theirs = room.clone();
        let other = spawn(move || theirs.1.notify_one());
        let (mut guard, _) = held(room.0.acquire());
        room.1.wait(&mut guard).unwrap();
        drop(guard);
        other.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_semaphore_as_a_lock_must_be_released() {
    CALM.run(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let theirs = semaphore.clone();
        let other = spawn(move || theirs.acquire().forget());
        semaphore.acquire().forget();
        other.join().unwrap();
    });
}
