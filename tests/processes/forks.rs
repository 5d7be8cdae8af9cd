//! What a forked child has of what its parent held: nothing.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use procsync::{AcquireError, Condition, Lock, RLock};

use crate::common::held::{hold, is_held, is_poisoned_and_free, is_sound_and_free, until_asleep};
use crate::common::{Child, Gate, Mapped, as_any_thread, fork, until};
use crate::{die_doing, elsewhere, tid};

/// A panic that drops `guard` on its way out.
fn panic_through<G>(guard: G) {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _guard = guard;
        resume_unwind(Box::new(()));
    }));
    assert!(panicked.is_err());
}

#[test]
fn an_inherited_guard_does_nothing() {
    as_any_thread(|| {
        let lock: Mapped<Lock<u32>> = Mapped::zeroed();
        let mut guard = lock.acquire().ok();
        assert!(guard.is_some());
        fork(|| {
            assert!(!lock.is_owned_by_current_thread());
            drop(guard.take());
            assert!(is_held(&lock), "not Deadlock, not acquired");
        })
        .succeed();
        assert_eq!(lock.owner(), Some(tid()));
        assert!(elsewhere(|| is_held(&lock)));
        drop(guard);
        assert!(elsewhere(|| is_sound_and_free(&lock)));
    });
}

#[test]
fn an_inherited_hold_of_an_rlock_does_nothing() {
    as_any_thread(|| {
        let lock: Mapped<RLock<Cell<u32>>> = Mapped::zeroed();
        let mut guards = (lock.acquire().ok(), lock.acquire().ok());
        fork(|| {
            drop(guards.0.take());
            drop(guards.1.take());
            assert!(matches!(lock.try_acquire(), Err(AcquireError::WouldBlock)));
        })
        .succeed();
        let depth = guards.0.as_ref().map(|guard| guard.depth());
        assert_eq!((depth, lock.owner()), (Some(2), Some(tid())));
        drop(guards);
        assert!(elsewhere(|| lock.try_acquire().is_ok()));
    });
}

/// The parent has released it meanwhile, and the child has a guard of its own.
#[test]
fn an_inherited_guard_leaves_the_childs_own_alone() {
    as_any_thread(|| {
        let lock: Mapped<Lock<u32>> = Mapped::zeroed();
        let mut guard = lock.acquire().ok();
        let child = fork(|| {
            let inherited = guard.take();
            let own = lock.acquire().expect("the parent lets go");
            drop(inherited);
            assert!(lock.is_owned_by_current_thread());
            drop(own);
            assert!(!lock.is_locked());
        });
        until_asleep(&lock, 1);
        drop(guard);
        child.succeed();
    });
}

#[test]
fn an_inherited_hold_of_an_rlock_leaves_the_childs_own_alone() {
    as_any_thread(|| {
        let lock: Mapped<RLock<Cell<u32>>> = Mapped::zeroed();
        let mut guards = (lock.acquire().ok(), lock.acquire().ok());
        let child = fork(|| {
            let inherited = (guards.0.take(), guards.1.take());
            let own = [(); 3].map(|()| lock.acquire().expect("the parent lets go"));
            drop(inherited);
            assert_eq!(own[0].depth(), 3);
            assert!(lock.is_owned_by_current_thread());
            drop(own);
            assert!(!lock.is_locked());
        });
        until(|| lock.waiters() == 1).expect("the child waits");
        drop(guards);
        child.succeed();
    });
}

#[test]
fn a_panic_through_an_inherited_guard_does_not_poison_what_the_child_holds() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let mut guard = lock.acquire().ok();
    let child = fork(|| {
        let inherited = guard.take();
        let _own = lock.acquire().expect("the parent lets go");
        panic_through(inherited);
        assert!(!lock.is_poisoned());
    });
    until_asleep(&lock, 1);
    drop(guard);
    child.succeed();
    assert!(is_sound_and_free(&lock));
}

/// It has given the lock up and taken it back, so the guard is its own then.
#[test]
fn a_child_that_waits_with_an_inherited_guard_has_the_lock() {
    let scene: Mapped<(Lock<u32>, Gate)> = Mapped::zeroed();
    let (lock, returned) = (&scene.0, &scene.1);
    let mut guard = lock.acquire().ok();
    let child = fork(|| {
        let mut inherited = guard.take().expect("the parent's");
        let condition = Condition::new();
        let notified = condition.wait_timeout(&mut inherited, Duration::ZERO);
        assert_eq!(notified, Ok(false));
        assert!(lock.is_owned_by_current_thread());
        drop(inherited);
        assert!(!lock.is_locked());
        returned.open();
    });
    until_asleep(lock, 1);
    drop(guard);
    child.succeed();
    assert!(returned.is_open() && is_sound_and_free(lock));
}

#[test]
fn a_child_that_waits_with_an_inherited_hold_has_one() {
    let lock: Mapped<RLock<Cell<u32>>> = Mapped::zeroed();
    let mut guards = (lock.acquire().ok(), lock.acquire().ok());
    let child = fork(|| {
        let mut inherited = guards.0.take().expect("the parent's");
        let notified = Condition::new().wait_timeout(&mut inherited, Duration::ZERO);
        assert_eq!((notified, inherited.depth()), (Ok(false), 1));
        drop(guards.1.take());
        assert!(lock.is_owned_by_current_thread());
        drop(inherited);
        assert!(!lock.is_locked());
    });
    until(|| lock.waiters() == 1).expect("the child waits");
    drop(guards);
    child.succeed();
}

/// By a guard of its own, which is the one that counts.
#[test]
fn a_child_that_waits_with_an_inherited_guard_keeps_its_own() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let mut guard = lock.acquire().ok();
    let child = fork(|| {
        let mut inherited = guard.take().expect("the parent's");
        let own = lock.acquire().expect("the parent lets go");
        let notified = Condition::new().wait_timeout(&mut inherited, Duration::ZERO);
        assert_eq!(notified, Ok(false));
        drop(inherited);
        assert!(lock.is_owned_by_current_thread());
        drop(own);
        assert!(!lock.is_locked());
    });
    until_asleep(&lock, 1);
    drop(guard);
    child.succeed();
}

#[test]
fn a_panic_in_a_child_does_not_poison_what_the_parent_holds() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let mut guard = lock.acquire().ok();
    fork(|| {
        panic_through(guard.take());
    })
    .succeed();
    assert!(!lock.is_poisoned());
    drop(guard);
    assert!(is_sound_and_free(&lock));
}

#[test]
fn a_child_acquires_at_once_and_its_death_is_its_own() {
    as_any_thread(|| {
        let locks: Mapped<[Lock<u32>; 3]> = Mapped::zeroed();
        hold(&locks[0]);
        die_doing(|| {
            drop(locks[1].acquire());
            hold(&locks[1]);
            hold(&locks[2]);
        });
        assert!(is_poisoned_and_free(&locks[1]));
        assert!(is_poisoned_and_free(&locks[2]));
        assert_eq!(locks[0].owner(), Some(tid()));
        // SAFETY: held by this thread, whose guard was forgotten.
        unsafe { locks[0].force_release() };
        assert!(is_sound_and_free(&locks[0]));
    });
}

#[test]
fn a_waiter_gets_what_another_process_releases() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let guard = lock.acquire().ok();
    let waiters: Vec<Child> = (0..3)
        .map(|_| fork(|| *lock.acquire().expect("sound") += 1))
        .collect();
    until_asleep(&lock, 3);
    drop(guard);
    waiters.into_iter().for_each(Child::succeed);
    assert_eq!(lock.acquire().ok().as_deref(), Some(&3));
    assert_eq!(lock.waiters(), 0);
}
