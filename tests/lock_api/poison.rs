//! That a panic poisons a mutex, that nobody is told who does not ask, and the repair.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use procsync::lock_api::{Mutex, MutexGuard, Poison as _};

use crate::common::OnDrop;
use crate::scene::{lock_of, panic_after, wherever_it_is};

#[test]
fn a_panic_poisons_and_nobody_is_told_unless_he_asks() {
    wherever_it_is(|mutex| {
        assert!(!mutex.is_poisoned());
        panic_after(|| {
            let mut guard = mutex.lock();
            *guard = 1;
            guard
        });
        assert!(mutex.is_poisoned() && !mutex.is_locked());
        assert_eq!(*mutex.lock(), 1);
        assert_eq!(mutex.try_lock().as_deref(), Some(&1));
        assert!(mutex.try_lock_for(std::time::Duration::ZERO).is_some());
        assert!(mutex.is_poisoned());
        assert!(lock_of(mutex).acquire().is_err(), "as a Lock tells");
        mutex.clear_poison();
        assert!(!mutex.is_poisoned() && lock_of(mutex).acquire().is_ok());
    });
}

#[test]
fn a_panic_poisons_through_a_part_of_the_data() {
    let mutex = Mutex::new((0, 0));
    panic_after(|| MutexGuard::map(mutex.lock(), |pair| &mut pair.0));
    assert!(mutex.is_poisoned() && !mutex.is_locked());
}

#[test]
fn a_panic_that_began_before_does_not_poison() {
    wherever_it_is(|mutex| {
        panic_after(|| OnDrop(|| *mutex.lock() += 1));
        assert!(!mutex.is_poisoned());
        panic_after(|| mutex.lock());
        assert!(mutex.is_poisoned(), "the next panic does");
        assert_eq!(*mutex.lock(), 1);
    });
}

#[test]
fn a_panic_while_it_is_unlocked_does_not_poison() {
    wherever_it_is(|mutex| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut guard = mutex.lock();
            MutexGuard::unlocked(&mut guard, || resume_unwind(Box::new(())));
        }));
        assert!(panicked.is_err() && !mutex.is_poisoned() && !mutex.is_locked());
    });
}

#[test]
fn a_repair_is_made_once_and_only_where_it_is_needed() {
    wherever_it_is(|mutex| {
        drop(mutex.lock_or_repair(|_| unreachable!("it is sound")));
        panic_after(|| mutex.lock());
        let repaired = mutex.lock_or_repair(|value| {
            assert!(mutex.is_poisoned(), "until it is repaired");
            *value = 9;
        });
        assert_eq!(*repaired, 9);
        drop(repaired);
        assert!(!mutex.is_poisoned() && !mutex.is_locked());
        drop(mutex.lock_or_repair(|_| unreachable!("it is sound again")));
    });
}

#[test]
fn a_panic_in_a_repair_leaves_the_poison() {
    wherever_it_is(|mutex| {
        panic_after(|| mutex.lock());
        for _ in 0..2 {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                drop(mutex.lock_or_repair(|_| resume_unwind(Box::new(()))));
            }));
            assert!(panicked.is_err() && mutex.is_poisoned() && !mutex.is_locked());
        }
    });
}

#[test]
fn a_guard_made_again_poisons_as_the_first_would() {
    wherever_it_is(|mutex| {
        std::mem::forget(mutex.lock());
        // SAFETY: this thread holds it, and the guard is forgotten.
        panic_after(|| unsafe { mutex.make_guard_unchecked() });
        assert!(mutex.is_poisoned() && !mutex.is_locked());
    });
}
