//! Threads whose robust list is not as glibc makes it: like musl's, unknown to libc, or none.

use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use procsync::{
    AcquireError, Lock, RLock, ShareError, Shared, Timer, TimerError, TimerOutcome, TimerState,
};

use crate::common::held::{hold, is_poisoned_and_free, is_sound_and_free, static_in_child};
use crate::common::{End, MUSLS_OFFSET, Mapped, fork, register_list, unregister_list, until};
use crate::sandbox::forbid;
use crate::{die_doing, kill_me};

const BOTH: [libc::c_long; 2] = [libc::SYS_get_robust_list, libc::SYS_set_robust_list];

#[test]
fn a_list_like_musls_is_as_good() {
    let locks: Mapped<[Lock<u32>; 3]> = Mapped::zeroed();
    die_doing(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                register_list(MUSLS_OFFSET);
                locks.iter().for_each(hold);
                // SAFETY: held by this thread, whose guard was forgotten.
                unsafe { locks[1].force_release() };
                kill_me();
            });
        });
    });
    assert!(is_poisoned_and_free(&locks[0]));
    assert!(is_sound_and_free(&locks[1]));
    assert!(is_poisoned_and_free(&locks[2]));
}

#[test]
fn a_thread_that_ends_behind_libcs_back_is_dead() {
    for offset in [None, Some(MUSLS_OFFSET)] {
        let lock: Mapped<Lock<u32>> = Mapped::zeroed();
        let child = fork(|| {
            let shared = static_in_child(&*lock);
            thread::spawn(move || {
                if let Some(offset) = offset {
                    register_list(offset);
                }
                hold(shared);
                // SAFETY: ends the thread; its stack and thread-locals stay.
                unsafe { libc::syscall(libc::SYS_exit, 0) };
            });
            until(|| is_poisoned_and_free(&lock)).expect("the kernel tells");
        });
        child.succeed();
    }
}

/// A thread that has no list gets one.
#[test]
fn a_thread_without_a_list_is_recovered_too() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    die_doing(|| {
        unregister_list();
        hold(&lock);
    });
    assert!(is_poisoned_and_free(&lock));
}

/// Nor can one that a sandbox does not let look for its list.
#[test]
fn a_thread_that_may_not_see_its_list_is_recovered_too() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    die_doing(|| {
        forbid(&[libc::SYS_get_robust_list], libc::EPERM);
        hold(&lock);
        drop(Shared::anonymous(Lock::new(0_u32)).expect("deaths are told"));
    });
    assert!(is_poisoned_and_free(&lock));
}

/// A process in a sandbox that keeps both calls away.
fn unheard(body: impl Fn()) {
    for errno in [libc::ENOSYS, libc::EPERM] {
        fork(|| {
            forbid(&BOTH, errno);
            body();
        })
        .succeed();
    }
}

#[test]
fn nobody_holds_a_shared_lock_whose_death_would_not_be_heard_of() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let rlock: Mapped<RLock<u32>> = Mapped::zeroed();
    let timer = Shared::anonymous(Timer::new()).expect("a mapping");
    let soon = Duration::from_millis(1);
    unheard(|| {
        for _ in 0..2 {
            assert!(matches!(lock.acquire(), Err(AcquireError::NoRobustList)));
            assert!(matches!(
                lock.try_acquire(),
                Err(AcquireError::NoRobustList)
            ));
            assert!(matches!(
                lock.acquire_timeout(soon),
                Err(AcquireError::NoRobustList)
            ));
            assert!(matches!(rlock.acquire(), Err(AcquireError::NoRobustList)));
        }
        let run = timer.run(soon, || unreachable!("it is not armed"));
        assert!(matches!(run, Err(TimerError::NoRobustList)));
        assert_eq!(timer.state(), TimerState::Idle);
        assert!(!lock.is_locked() && !rlock.is_locked());
    });
    assert!(is_sound_and_free(&lock));
    assert!(rlock.acquire().is_ok());
    assert!(
        timer
            .run(soon, || ())
            .is_ok_and(|end| end == TimerOutcome::Fired)
    );
}

#[test]
fn nobody_shares_whose_death_would_not_be_heard_of() {
    unheard(|| {
        let refused = Shared::anonymous(Lock::new(0_u32));
        assert!(matches!(refused, Err(ShareError::NoRobustList)));
    });
}

/// They die with the process.
#[test]
fn locks_in_private_memory_need_no_list() {
    unheard(|| {
        let lock = Lock::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..1000).for_each(|_| *lock.acquire().expect("private") += 1));
            }
        });
        assert_eq!(lock.acquire().map(|count| *count).ok(), Some(2000));
    });
}

/// What a thread's list was asked for before a sandbox was entered, it keeps.
#[test]
fn a_list_that_was_found_serves_in_a_sandbox() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    die_doing(|| {
        drop(lock.acquire());
        forbid(&BOTH, libc::EPERM);
        hold(&lock);
    });
    assert!(is_poisoned_and_free(&lock));
}

/// Also one of which only the slot for what is under way was asked for, by whoever shares something.
#[test]
fn a_list_that_was_looked_for_serves_in_a_sandbox() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    die_doing(|| {
        drop(Shared::anonymous(()));
        forbid(&BOTH, libc::EPERM);
        hold(&lock);
    });
    assert!(is_poisoned_and_free(&lock));
}

/// Nobody can be told of by the thread that would keep its locks.
#[test]
fn a_thread_that_forgot_a_guard_does_not_end_well_in_a_sandbox() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let child = fork(|| {
        let shared = static_in_child(&*lock);
        let end = thread::spawn(move || {
            hold(shared);
            forbid(&BOTH, libc::EPERM);
        });
        let _ = end.join();
        unreachable!("it is aborted");
    });
    assert_eq!(child.join(), Ok(End::Killed(Signal::SIGABRT)));
    assert!(is_poisoned_and_free(&lock));
}
