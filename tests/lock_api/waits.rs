//! Waits with a timeout, and waits with a `Condition`.

use std::thread;
use std::time::{Duration, Instant};

use procsync::lock_api::{Mutex, Poison as _};
use procsync::{Condition, Poisoned};

use crate::common::until;
use crate::scene::{
    LONG, SHORT, is_free, keeps_timeouts, lock_of, panic_after, until_asleep, wherever_it_is,
    while_held,
};

#[test]
fn what_is_free_needs_no_patience() {
    wherever_it_is(|mutex| {
        let past = Instant::now();
        assert!(mutex.try_lock_for(Duration::ZERO).is_some());
        assert!(mutex.try_lock_until(past).is_some());
        assert!(mutex.try_lock_for(Duration::MAX).is_some());
        assert!(!mutex.is_locked());
    });
}

#[test]
fn a_timeout_is_kept() {
    wherever_it_is(|mutex| {
        while_held(mutex, |_| keeps_timeouts(mutex));
    });
}

#[test]
fn a_wait_with_patience_gets_what_is_released() {
    for patience in [LONG, Duration::MAX] {
        wherever_it_is(|mutex| {
            while_held(mutex, |let_go| {
                thread::scope(|scope| {
                    let waiter = scope.spawn(|| mutex.try_lock_for(patience).is_some());
                    until_asleep(mutex, 1);
                    let_go.open();
                    assert!(waiter.join().expect("it only waits"));
                });
            });
        });
    }
}

#[test]
fn a_condition_waits_with_its_guard() {
    wherever_it_is(|mutex| {
        let changed = Condition::new();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let mut guard = mutex.lock();
                let waited = changed.wait_for_timeout(&mut guard, LONG, |value| *value == 1);
                assert!(!is_free(mutex), "it has the lock again");
                (waited, *guard)
            });
            until(|| *mutex.lock() == 0 && crate::common::sleepers(&changed) == 1)
                .expect("it waits, and others can lock");
            *mutex.lock() = 1;
            changed.notify_one();
            assert_eq!(waiter.join().ok(), Some((Ok(true), 1)));
        });
        assert!(!mutex.is_locked());
    });
}

#[test]
fn a_condition_tells_of_poison() {
    let mutex = Mutex::new(0);
    panic_after(|| mutex.lock());
    let mut guard = mutex.lock();
    let waited = Condition::new().wait_timeout(&mut guard, SHORT);
    assert_eq!(waited, Err(Poisoned));
    assert!(lock_of(&mutex).is_owned_by_current_thread());
    mutex.clear_poison();
    let waited = Condition::new().wait_timeout(&mut guard, SHORT);
    assert_eq!(waited, Ok(false));
}
