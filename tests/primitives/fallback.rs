//! The same where `futex_waitv(2)` is missing, as before Linux 5.16, or forbidden, as in some sandboxes.

use std::time::Duration;

use procsync::{Barrier, Semaphore, Timer, TimerOutcome, TimerState, shareable};

use crate::common::{End, fork, until};
use crate::condition::Scene;
use crate::sandbox::forbid;
use crate::scene::{LONG, lasting, shared, until_asleep};
use crate::{condition, condition_errors};

fn errno_of_futex_waitv() -> Option<i32> {
    let nothing = std::ptr::null::<libc::c_void>();
    // SAFETY: no waiters, which the kernel would refuse.
    let result = unsafe { libc::syscall(libc::SYS_futex_waitv, nothing, 0, 0, nothing, 0) };
    let error = std::io::Error::last_os_error();
    (result < 0).then(|| error.raw_os_error().expect("an error of the system"))
}

/// In processes of their own, with either answer.
fn without_futex_waitv(test: impl Fn()) {
    for errno in [libc::ENOSYS, libc::EPERM] {
        let child = fork(|| {
            forbid(&[libc::SYS_futex_waitv], errno);
            assert_eq!(errno_of_futex_waitv(), Some(errno));
            test();
        });
        assert_eq!(child.join_within(LONG), Ok(End::Exited(0)));
    }
}

shareable! {
    /// A door in each direction.
    struct Doors { there: Semaphore, back: Semaphore }
}

#[test]
fn semaphores_pass_permits_on() {
    without_futex_waitv(|| {
        let doors = shared(Doors {
            there: Semaphore::new(0),
            back: Semaphore::new(0),
        });
        let other = fork(|| {
            for _ in 0..300 {
                doors.there.acquire().forget();
                doors.back.release(1).expect("there is room");
            }
        });
        for _ in 0..300 {
            doors.there.release(1).expect("there is room");
            doors
                .back
                .acquire_timeout(LONG)
                .expect("it answers")
                .forget();
        }
        other.succeed();
    });
}

#[test]
fn timeouts_are_kept() {
    without_futex_waitv(|| {
        let semaphore = shared(Semaphore::new(0));
        for milliseconds in [1, 99, 250] {
            let patience = Duration::from_millis(milliseconds);
            assert!(lasting(patience, || semaphore.acquire_timeout(patience)).is_none());
        }
    });
}

/// Killed right after its wake-up, or after it took the permit: a free permit is not slept on.
#[test]
fn the_death_of_one_just_woken_is_noticed() {
    without_futex_waitv(|| {
        let semaphore = shared(Semaphore::new(0));
        for _ in 0..20 {
            let doomed = fork(|| semaphore.acquire().forget());
            until_asleep(&*semaphore, 1);
            let heir = fork(|| semaphore.acquire().forget());
            until_asleep(&*semaphore, 2);
            semaphore.release(1).expect("there is room");
            doomed.kill();
            let taken = || semaphore.available_permits() == 0;
            until(taken).expect("a free permit is taken");
            semaphore.release(1).expect("there is room");
            heir.ends();
            let _ = semaphore.try_acquire().map(procsync::Permit::forget);
        }
    });
}

#[test]
fn conditions_are_notified() {
    without_futex_waitv(|| {
        condition::processes_take_turns();
        condition::a_notify_ends_as_many_waits();
    });
}

#[test]
fn who_dies_while_taking_the_lock_back_passes_the_notification_on() {
    without_futex_waitv(
        condition_errors::who_dies_while_taking_the_lock_back_passes_the_notification_on,
    );
}

#[test]
fn a_long_wait_ends_by_its_timeout() {
    without_futex_waitv(|| {
        let scene = shared(Scene::new());
        let mut guard = scene.number.acquire().expect("sound");
        let patience = Duration::from_millis(1_250);
        let waited = lasting(patience, || {
            scene.changed.wait_timeout(&mut guard, patience)
        });
        assert_eq!(waited, Ok(false));
    });
}

#[test]
fn barriers_are_met_at() {
    without_futex_waitv(|| {
        let barrier = shared(Barrier::new(3));
        let parties =
            [(); 3].map(|()| fork(|| (0..100).for_each(|_| assert!(barrier.wait().is_ok()))));
        for party in parties {
            party.succeed();
        }
        let patience = Duration::from_millis(150);
        assert!(lasting(patience, || barrier.wait_timeout(patience)).is_err());
    });
}

#[test]
fn timers_end() {
    without_futex_waitv(|| {
        let timer = shared(Timer::new());
        let runner = fork(|| {
            let run = timer.run(LONG, || unreachable!("cancelled"));
            assert_eq!(run.ok(), Some(TimerOutcome::Cancelled));
        });
        let waiter = fork(|| assert_eq!(timer.wait(), TimerState::Cancelled));
        until_asleep(&*timer, 2);
        assert!(timer.cancel());
        runner.succeed();
        waiter.succeed();
        assert!(timer.reset());

        let runner = fork(|| drop(timer.run(LONG, || ())));
        let armed = || timer.state() == TimerState::Armed;
        until(armed).expect("it is armed");
        let waiter = fork(|| assert_eq!(timer.wait(), TimerState::Abandoned));
        until_asleep(&*timer, 2);
        runner.kill();
        waiter.succeed();
    });
}
