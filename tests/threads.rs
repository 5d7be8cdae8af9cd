//! Locks between threads, and what a lock does for its own thread.

mod common;

use std::cell::Cell;
use std::mem::{MaybeUninit, forget};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{End, Gate, Mapped, OnDrop, fork, until};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use procsync::{AcquireError, Lock, RLock};

/// Far more than anything here takes, far less than for ever.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

fn tid() -> u32 {
    nix::unistd::gettid().as_raw().unsigned_abs()
}

/// Runs `test` on a lock in private memory, and on one in shared memory.
fn wherever_it_is(test: impl Fn(&Lock<u32>)) {
    test(&Lock::new(0));
    let shared: Mapped<Lock<u32>> = Mapped::zeroed();
    test(&shared);
}

/// Runs `body` while another thread holds the lock.
fn while_held<R>(lock: &Lock<u32>, body: impl FnOnce(&Gate) -> R) -> R {
    let (held, let_go) = (Gate::default(), Gate::default());
    thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = lock.acquire();
            held.open();
            let_go.wait();
        });
        held.wait();
        let result = body(&let_go);
        let_go.open();
        result
    })
}

// ---- Who holds it ----------------------------------------------------------------------------------

#[test]
fn a_second_acquisition_is_a_deadlock_and_says_so() {
    wherever_it_is(|lock| {
        let guard = lock.acquire();
        assert!(guard.is_ok());
        let started = Instant::now();
        assert!(matches!(lock.acquire(), Err(AcquireError::Deadlock)));
        assert!(matches!(lock.try_acquire(), Err(AcquireError::Deadlock)));
        for timeout in [Duration::ZERO, LONG, Duration::MAX] {
            let again = lock.acquire_timeout(timeout);
            assert!(matches!(again, Err(AcquireError::Deadlock)));
        }
        let again = lock.acquire_until(Instant::now() + LONG);
        assert!(matches!(again, Err(AcquireError::Deadlock)));
        assert!(started.elapsed() < LONG);
        drop(guard);
        assert!(lock.acquire().is_ok());
    });
}

#[test]
fn it_names_its_owner() {
    wherever_it_is(|lock| {
        assert_eq!((lock.owner(), lock.is_locked()), (None, false));
        let guard = lock.acquire();
        assert_eq!((lock.owner(), lock.is_locked()), (Some(tid()), true));
        assert!(lock.is_owned_by_current_thread());
        thread::scope(|scope| {
            scope.spawn(|| assert!(!lock.is_owned_by_current_thread()));
        });
        drop(guard);
        assert_eq!((lock.owner(), lock.is_locked()), (None, false));
        assert!(!lock.is_owned_by_current_thread());
    });
}

#[test]
fn it_counts_its_sleepers() {
    wherever_it_is(|lock| {
        let guard = lock.acquire();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| *lock.acquire().expect("sound") += 1);
            }
            until(|| lock.waiters() == 3).expect("they fall asleep");
            drop(guard);
        });
        assert_eq!(
            (lock.waiters(), *lock.acquire().expect("sound") % 3),
            (0, 0)
        );
    });
}

#[test]
fn one_at_a_time() {
    const THREADS: u32 = 4;
    const ROUNDS: u32 = 5_000;
    wherever_it_is(|lock| {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        *lock.acquire().expect("sound") += 1;
                    }
                });
            }
        });
        assert_eq!(*lock.acquire().expect("sound"), THREADS * ROUNDS);
    });
}

#[test]
fn an_rlock_counts_its_holds() {
    let lock = RLock::new(Cell::new(0));
    let outer = lock.acquire().expect("sound");
    let inner = lock.try_acquire().expect("re-entrant");
    assert_eq!((outer.depth(), inner.depth()), (2, 2));
    drop(outer);
    assert_eq!(inner.depth(), 1);
    thread::scope(|scope| {
        let other = || matches!(lock.try_acquire(), Err(AcquireError::WouldBlock));
        assert!(scope.spawn(other).join().expect("no panic"));
        drop(inner);
        assert!(
            scope
                .spawn(|| lock.try_acquire().is_ok())
                .join()
                .expect("no panic")
        );
    });
}

// ---- Timeouts ----------------------------------------------------------------------------------------

#[test]
fn no_patience_is_one_try() {
    wherever_it_is(|lock| {
        assert!(lock.acquire_timeout(Duration::ZERO).is_ok());
        assert!(lock.acquire_until(Instant::now()).is_ok());
        while_held(lock, |_| {
            let past = Instant::now().checked_sub(SHORT).expect("uptime");
            let started = Instant::now();
            assert!(matches!(lock.try_acquire(), Err(AcquireError::WouldBlock)));
            let zero = lock.acquire_timeout(Duration::ZERO);
            assert!(matches!(zero, Err(AcquireError::TimedOut)));
            for deadline in [past, started] {
                let late = lock.acquire_until(deadline);
                assert!(matches!(late, Err(AcquireError::TimedOut)));
            }
            assert!(started.elapsed() < LONG);
        });
    });
}

#[test]
fn a_timeout_is_kept() {
    wherever_it_is(|lock| {
        while_held(lock, |_| {
            let started = Instant::now();
            let waited = lock.acquire_timeout(SHORT);
            assert!(matches!(waited, Err(AcquireError::TimedOut)));
            assert!((SHORT..LONG).contains(&started.elapsed()));
            let started = Instant::now();
            let waited = lock.acquire_until(started + SHORT);
            assert!(matches!(waited, Err(AcquireError::TimedOut)));
            assert!((SHORT..LONG).contains(&started.elapsed()));
        });
        assert!(lock.acquire().is_ok());
    });
}

#[test]
fn what_the_clock_cannot_express_is_for_ever() {
    wherever_it_is(|lock| {
        while_held(lock, |let_go| {
            thread::scope(|scope| {
                let waiter = scope.spawn(|| lock.acquire_timeout(Duration::MAX).is_ok());
                until(|| lock.waiters() == 1).expect("it falls asleep");
                let_go.open();
                assert!(waiter.join().expect("no panic"));
            });
        });
    });
}

static SIGNALS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count_signal(_: i32) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

/// Every millisecond, and system calls do not restart by themselves.
fn be_interrupted() {
    let action = SigAction::new(
        SigHandler::Handler(count_signal),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler is async-signal-safe.
    unsafe { sigaction(Signal::SIGALRM, &action) }.expect("a handler can be set");
    let millisecond = libc::timeval {
        tv_sec: 0,
        tv_usec: 1000,
    };
    let interval = libc::itimerval {
        it_interval: millisecond,
        it_value: millisecond,
    };
    // SAFETY: valid arguments.
    let result =
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const interval, std::ptr::null_mut()) };
    assert_eq!(result, 0);
}

#[test]
fn signals_neither_end_nor_prolong_a_wait() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let guard = lock.acquire();
    let timed_out: Mapped<Gate> = Mapped::zeroed();
    let child = fork(|| {
        be_interrupted();
        let started = Instant::now();
        let waited = lock.acquire_timeout(4 * SHORT);
        assert!(matches!(waited, Err(AcquireError::TimedOut)));
        assert!((4 * SHORT..LONG).contains(&started.elapsed()));
        assert!(SIGNALS.load(Ordering::Relaxed) > 10);
        timed_out.open();
        assert!(lock.acquire().is_ok());
        assert!(SIGNALS.load(Ordering::Relaxed) > 20);
    });
    timed_out.wait();
    // Some signals more, while it sleeps.
    thread::sleep(SHORT);
    drop(guard);
    child.succeed();
}

// ---- Leaks -------------------------------------------------------------------------------------------

const PATTERN: u64 = 0xa5a5_a5a5_a5a5_a5a5;

/// A place for a lock, in private memory, that can be looked at when the lock has left it.
#[repr(C)]
union Place {
    lock: std::mem::ManuallyDrop<MaybeUninit<Lock<u64>>>,
    words: [u64; 6],
}

/// Acquires and leaks a lock, moves it away, and leaves the pattern in its place.
fn leak_and_move(place: &mut Place) {
    place.lock = std::mem::ManuallyDrop::new(MaybeUninit::new(Lock::new(7)));
    // SAFETY: just written.
    let lock = unsafe { place.lock.assume_init_ref() };
    forget(lock.acquire());
    // SAFETY: as above; what stays behind is overwritten.
    let moved = unsafe { place.lock.assume_init_read() };
    place.words = [PATTERN; 6];
    assert_eq!(moved.into_inner(), 7);
}

fn is_untouched(place: &Place) -> bool {
    // SAFETY: filled with integers.
    unsafe { place.words == [PATTERN; 6] }
}

#[test]
fn a_leaked_lock_may_be_moved_and_its_memory_used() {
    let locks: Mapped<[Lock<u32>; 3]> = Mapped::zeroed();
    let child = fork(|| {
        let place = thread::scope(|scope| {
            let leaker = scope.spawn(|| {
                let mut place = Box::new(Place { words: [0; 6] });
                forget(locks[0].acquire());
                leak_and_move(&mut place);
                assert!(is_untouched(&place));
                forget(locks[1].acquire());
                drop(locks[2].acquire());
                assert!(is_untouched(&place));
                // SAFETY: held by this thread, whose guard was forgotten.
                unsafe { locks[0].force_release() };
                forget(locks[0].acquire());
                place
            });
            leaker.join().expect("no panic")
        });
        assert!(is_untouched(&place));
        drop(locks[2].acquire());
        assert!(is_untouched(&place));
        let _ = raise(Signal::SIGKILL);
    });
    assert_eq!(child.join(), Ok(End::Killed(Signal::SIGKILL)));
    let is_poisoned =
        |lock: &Lock<u32>| matches!(lock.try_acquire(), Err(AcquireError::Poisoned(_)));
    assert!(is_poisoned(&locks[0]) && is_poisoned(&locks[1]));
    assert!(locks[2].try_acquire().is_ok());
}

/// In shared memory that stays mapped, as it must while it is held.
fn for_ever() -> &'static Lock<u32> {
    Box::leak(Box::new(Mapped::zeroed()))
}

#[test]
fn a_thread_may_end_with_a_leaked_guard() {
    for lock in [&Lock::new(0), for_ever()] {
        let gone = thread::scope(|scope| {
            let leaker = scope.spawn(|| {
                forget(lock.acquire());
                tid()
            });
            leaker.join().expect("it just ends")
        });
        assert!(matches!(lock.try_acquire(), Err(AcquireError::WouldBlock)));
        let timed_out = lock.acquire_timeout(SHORT);
        assert!(matches!(timed_out, Err(AcquireError::TimedOut)));
        assert!(!lock.is_poisoned());
        assert!(lock.owner().is_some());
        assert!(!lock.is_owned_by_current_thread(), "{gone} held it");
    }
}

#[test]
fn a_shared_lock_that_leaked_names_a_thread_that_lives() {
    let lock = for_ever();
    let leaker = thread::spawn(|| {
        forget(lock.acquire());
        tid()
    });
    let gone = leaker.join().expect("it just ends");
    let keeper = lock.owner().expect("it is held");
    assert_ne!(keeper, gone);
    assert!(std::path::Path::new(&format!("/proc/self/task/{keeper}")).exists());
}

// ---- Poison --------------------------------------------------------------------------------------------

#[test]
fn a_panic_poisons_what_it_unwinds_through() {
    wherever_it_is(|lock| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _guard = lock.acquire();
            resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err() && lock.is_poisoned() && !lock.is_locked());
        let error = lock.acquire().expect_err("poisoned");
        assert!(lock.is_locked());
        drop(error);
        assert!(!lock.is_locked() && lock.is_poisoned());
        let repaired = lock.acquire_or_repair(|value| *value = 9);
        assert_eq!(repaired.ok().as_deref(), Some(&9));
        assert!(!lock.is_poisoned());
    });
}

#[test]
fn a_panic_that_began_before_does_not_poison() {
    wherever_it_is(|lock| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _later = OnDrop(|| *lock.acquire().expect("sound") += 1);
            resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err() && !lock.is_poisoned() && !lock.is_locked());
    });
}

#[test]
fn a_panic_in_a_repair_leaves_the_poison() {
    wherever_it_is(|lock| {
        for _ in 0..2 {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let _guard = lock.acquire_or_repair(|_| resume_unwind(Box::new(())));
                resume_unwind(Box::new(()));
            }));
            assert!(panicked.is_err() && lock.is_poisoned() && !lock.is_locked());
        }
    });
}

#[test]
fn a_repair_waits_no_longer_than_it_may() {
    const A_WHILE: Duration = Duration::from_millis(5);
    let unused = |_: &mut u32| unreachable!("it was not to be had");
    wherever_it_is(|lock| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _guard = lock.acquire();
            resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        let guard = lock.acquire().or_else(|error| error.into_guard().ok_or(()));
        thread::scope(|threads| {
            threads.spawn(|| {
                let late = lock.acquire_or_repair_timeout(A_WHILE, unused);
                assert!(matches!(late, Err(AcquireError::TimedOut)));
                let late = lock.acquire_or_repair_until(Instant::now(), unused);
                assert!(matches!(late, Err(AcquireError::TimedOut)));
            });
        });
        drop(guard);
        let repaired = lock.acquire_or_repair_timeout(A_WHILE, |value| *value = 9);
        assert_eq!(repaired.ok().as_deref(), Some(&9));
        let sound = lock.acquire_or_repair_until(Instant::now() + A_WHILE, unused);
        assert_eq!(sound.ok().as_deref(), Some(&9));
    });
}

// ---- The rest ------------------------------------------------------------------------------------------

#[test]
fn a_forgotten_guard_can_be_made_again() {
    wherever_it_is(|lock| {
        forget(lock.acquire());
        // SAFETY: held by this thread, and its guard was forgotten.
        let mut guard = unsafe { lock.make_guard_unchecked() };
        *guard = 5;
        drop(guard);
        assert!(!lock.is_locked());
        forget(lock.acquire());
        // SAFETY: as above.
        unsafe { lock.force_release() };
        assert_eq!(lock.acquire().ok().as_deref(), Some(&5));
    });
}

#[test]
fn the_value_is_there_without_the_lock() {
    let mut lock = Lock::new(vec![1]);
    lock.get_mut().push(2);
    assert_eq!(lock.into_inner(), [1, 2]);
    let mut lock = RLock::new(Cell::new(1));
    lock.get_mut().set(2);
    assert_eq!(lock.into_inner().get(), 2);
}

#[test]
fn the_value_may_be_unsized() {
    let array = Lock::new([1_u8, 2, 3]);
    let slice: &Lock<[u8]> = &array;
    slice.acquire().expect("sound")[0] = 9;
    assert_eq!(slice.acquire().expect("sound").len(), 3);
    let dynamic: Arc<Lock<dyn Fn() -> u32 + Send>> = Arc::new(Lock::new(|| 4));
    assert_eq!(dynamic.acquire().expect("sound")(), 4);
    assert_eq!(array.into_inner(), [9, 2, 3]);
}
