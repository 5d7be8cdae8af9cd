//! Who holds it, and what `lock_api` makes of guards.

use std::mem::forget;
use std::sync::Arc;
use std::thread;

use lock_api::RawMutex;
use procsync::Lock;
use procsync::lock_api::{MappedMutexGuard, Mutex, MutexGuard};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::common::Gate;
use crate::scene::{is_free, lock_of, until_asleep, wherever_it_is, while_held};

assert_impl_all!(Mutex<std::cell::Cell<u32>>: Send, Sync);
assert_not_impl_any!(Mutex<*mut u8>: Send, Sync);
assert_not_impl_any!(MutexGuard<'static, u32>: Send);
assert_not_impl_any!(MappedMutexGuard<'static, u32>: Send);
assert_impl_all!(MutexGuard<'static, u32>: Sync);
assert_impl_all!(MappedMutexGuard<'static, u32>: Sync);
assert_not_impl_any!(Mutex<u32>: procsync::Shareable);

#[test]
fn one_at_a_time() {
    const THREADS: u32 = 4;
    const ROUNDS: u32 = 20_000;
    wherever_it_is(|mutex| {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let mut guard = mutex.lock();
                        let value = *guard;
                        // Another holder would come between these two.
                        std::hint::black_box(&mut guard);
                        *guard = value + 1;
                    }
                });
            }
        });
        assert_eq!(*mutex.lock(), THREADS * ROUNDS);
    });
}

#[test]
fn it_is_held_while_the_guard_lives() {
    wherever_it_is(|mutex| {
        assert!(!mutex.is_locked() && is_free(mutex));
        let guard = mutex.lock();
        assert!(mutex.is_locked() && !is_free(mutex));
        assert!(lock_of(mutex).is_owned_by_current_thread());
        drop(guard);
        assert!(!mutex.is_locked() && is_free(mutex));
        let guard = mutex.try_lock();
        assert!(guard.is_some() && mutex.is_locked() && !is_free(mutex));
    });
}

#[test]
fn who_sleeps_is_woken() {
    wherever_it_is(|mutex| {
        thread::scope(|scope| {
            let guard = mutex.lock();
            let sleeper = scope.spawn(|| *mutex.lock());
            until_asleep(mutex, 1);
            drop(guard);
            assert_eq!(sleeper.join().ok(), Some(0));
        });
    });
}

#[test]
fn a_part_of_the_data_is_held_as_the_whole() {
    let pair = Mutex::new((1, 2));
    let mut second = MutexGuard::map(pair.lock(), |pair| &mut pair.1);
    *second += 10;
    assert!(pair.is_locked());
    let again = MappedMutexGuard::try_map(second, |_| None::<&mut u32>);
    assert!(pair.is_locked());
    drop(again);
    assert!(!pair.is_locked());
    assert_eq!(pair.into_inner(), (1, 12));
}

#[test]
fn unlocked_lets_others_in() {
    wherever_it_is(|mutex| {
        let mut guard = mutex.lock();
        MutexGuard::unlocked(&mut guard, || {
            thread::scope(|scope| {
                scope.spawn(|| *mutex.lock() += 1);
            });
        });
        assert!(*guard > 0 && !is_free(mutex));
    });
}

#[test]
fn a_forgotten_guard_leaves_it_locked_until_it_is_made_again() {
    wherever_it_is(|mutex| {
        forget(mutex.lock());
        assert!(mutex.is_locked() && !is_free(mutex));
        // SAFETY: this thread holds it, and the guard is forgotten.
        let mut guard = unsafe { mutex.make_guard_unchecked() };
        *guard = 5;
        drop(guard);
        assert!(!mutex.is_locked());
        *MutexGuard::leak(mutex.lock()) = 6;
        assert!(mutex.is_locked());
        // SAFETY: this thread holds it, and the reference is not used any more.
        unsafe { mutex.force_unlock() };
        assert_eq!(mutex.try_lock().as_deref(), Some(&6));
    });
}

#[test]
fn a_leaked_mutex_may_be_moved_and_freed() {
    let mutex = Box::new(Mutex::new(7));
    forget(mutex.lock());
    let moved = *mutex;
    assert_eq!(moved.into_inner(), 7);
    assert_eq!(*Mutex::new(8).lock(), 8);
}

#[test]
fn a_static_one_and_an_unsized_one_are_as_good() {
    static COUNT: Mutex<u32> = Mutex::new(1);
    *COUNT.lock() += 1;
    assert_eq!(*COUNT.lock(), 2);
    let dynamic: Arc<Mutex<dyn Fn() -> u32 + Send>> = Arc::new(Mutex::new(|| 4));
    assert_eq!(dynamic.lock()(), 4);
}

/// As code does that takes any raw lock.
struct Spare<R: RawMutex>(R);

impl<R: RawMutex> Spare<R> {
    fn with<T>(&self, body: impl FnOnce() -> T) -> T {
        self.0.lock();
        let result = body();
        // SAFETY: it was locked above.
        unsafe { self.0.unlock() };
        result
    }
}

#[test]
fn a_guard_may_keep_the_mutex() {
    let mutex = Arc::new(Mutex::new(1));
    let mut guard = mutex.lock_arc();
    *guard += 1;
    assert!(Arc::strong_count(&mutex) == 2 && mutex.is_locked());
    drop(guard);
    assert_eq!(mutex.try_lock().as_deref(), Some(&2));
}

#[test]
fn a_lock_is_a_raw_mutex() {
    let spare = Spare(<Lock as RawMutex>::INIT);
    assert!(spare.with(|| spare.0.is_locked() && spare.0.is_owned_by_current_thread()));
    assert!(!spare.0.is_locked());
    assert!(spare.0.acquire().is_ok());
}

#[test]
fn nobody_else_can_take_what_is_held() {
    wherever_it_is(|mutex| {
        while_held(mutex, |let_go: &Gate| {
            assert!(mutex.is_locked() && mutex.try_lock().is_none());
            let_go.open();
            drop(mutex.lock());
        });
    });
}
