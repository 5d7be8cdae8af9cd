//! What somebody meets who uses the crate for the first time, and what it says then.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use nix::sys::signal::{SigHandler, Signal, raise, signal};
use procsync::{
    AcquireError, Barrier, BoundedSemaphore, Lock, RLock, Semaphore, ShareError, Shared, Timer,
    TimerError, unlink,
};

use crate::common::fork;

/// What a panic says.
fn panic_of<R>(body: impl FnOnce() -> R) -> String {
    let body = AssertUnwindSafe(|| drop(body()));
    let payload = catch_unwind(body).expect_err("it panics");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a text")).to_owned(),
    }
}

/// Data that say nothing of themselves: `unwrap` must do without.
struct Mute;

fn poisoned() -> Lock<Mute> {
    let lock = Lock::new(Mute);
    panic_of(|| {
        let _guard = lock.acquire().unwrap();
        panic!("on purpose");
    });
    lock
}

#[test]
fn a_poisoned_lock_says_what_to_do_until_somebody_does_it() {
    let lock = poisoned();
    for _ in 0..2 {
        let text = panic_of(|| lock.acquire().unwrap());
        assert!(
            text.starts_with("called `Result::unwrap()` on an `Err` value: Poisoned { message: ")
                && text.contains("repair the data and call clear_poison")
                && text.contains("acquire_or_repair"),
            "{text}"
        );
    }
    assert!(!lock.is_locked(), "the guard in the error has released it");
    drop(lock.acquire_or_repair(|_| ()).unwrap());
    drop(lock.acquire().unwrap());
}

fn passed_on(lock: &Lock<Mute>) -> Result<(), AcquireError<()>> {
    drop(lock.acquire()?);
    Ok(())
}

#[test]
fn a_question_mark_passes_on_the_error_and_releases_the_lock() {
    let lock = poisoned();
    assert!(matches!(passed_on(&lock), Err(AcquireError::Poisoned(()))));
    assert!(!lock.is_locked());
    lock.clear_poison();
    assert!(passed_on(&lock).is_ok() && !lock.is_locked());
}

static INTERRUPTED: Lock = Lock::new(());
static ANSWER: Semaphore = Semaphore::new(0);

extern "C" fn acquire_in_a_handler(_: i32) {
    if let Err(AcquireError::Deadlock) = INTERRUPTED.acquire() {
        let _ = ANSWER.release(1);
    }
}

#[test]
fn a_handler_that_wants_what_it_interrupted_is_refused_and_does_not_hang() {
    let handler = SigHandler::Handler(acquire_in_a_handler);
    // SAFETY: the handler acquires a lock, of which this test sees that it comes back, and releases.
    unsafe { signal(Signal::SIGUSR2, handler) }.unwrap();
    let guard = INTERRUPTED.acquire().unwrap();
    raise(Signal::SIGUSR2).unwrap();
    drop(guard);
    assert_eq!(ANSWER.available_permits(), 1);
}

#[test]
fn acquiring_again_is_an_error_and_no_hang() {
    let lock = Lock::new(0);
    let guard = lock.acquire().unwrap();
    let text = panic_of(|| lock.acquire().unwrap());
    assert!(
        text.contains("Deadlock") && text.contains("an RLock"),
        "{text}"
    );
    let again = lock.acquire_timeout(Duration::MAX);
    assert!(matches!(again, Err(AcquireError::Deadlock)), "{again:?}");
    drop(guard);
    assert!(lock.try_acquire().is_ok());
}

#[test]
fn impossible_numbers_panic_with_the_possible_ones() {
    let many = "a semaphore has at most 2147483647 permits, Semaphore::MAX_PERMITS";
    assert_eq!(panic_of(|| Semaphore::new(u32::MAX)), many);
    assert_eq!(panic_of(|| BoundedSemaphore::new(1 << 31)), many);
    let nobody = "a barrier is for one party at least";
    assert_eq!(panic_of(|| Barrier::new(0)), nobody);
}

#[test]
fn a_timer_that_was_not_reset_says_so() {
    let timer = Timer::new();
    timer.run(Duration::ZERO, || ()).unwrap();
    let again = timer.run(Duration::ZERO, || unreachable!());
    assert!(
        matches!(again, Err(TimerError::AlreadyStarted)),
        "{again:?}"
    );
    assert!(timer.reset());
    timer.run(Duration::ZERO, || ()).unwrap();
}

#[test]
fn a_lock_is_refused_where_its_holder_would_wait_for_itself_also_in_an_action() {
    let (lock, barrier) = (Lock::new(()), Barrier::new(1));
    let guard = lock.acquire().unwrap();
    barrier
        .wait_with_action(|| {
            let again = lock.acquire();
            assert!(matches!(again, Err(AcquireError::Deadlock)), "{again:?}");
        })
        .unwrap();
    drop(guard);
}

/// A name of this test, taken away in the end.
struct Name(String);

impl Name {
    fn new(of: &str) -> Self {
        Self(format!("/procsync-errors-{}-{of}", std::process::id()))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = unlink(&self.0);
    }
}

mod before {
    procsync::shareable! {
        pub struct Purses { pub left: u64, pub right: u32 }
        pub struct State { pub version: u32, pub purses: procsync::Lock<Purses> }
    }
}

mod after {
    procsync::shareable! {
        #[derive(Default)]
        pub struct Purses { pub left: u64, pub right: u64 }
        #[derive(Default)]
        pub struct State { pub version: u32, pub purses: procsync::Lock<Purses> }
    }
}

#[test]
fn a_program_that_was_changed_is_told_what_is_different() {
    let name = Name::new("changed");
    let old = before::State {
        version: 1,
        purses: Lock::new(before::Purses {
            left: 60,
            right: 40,
        }),
    };
    drop(Shared::create(&name.0, old).unwrap());
    let text = "the file holds a value of another type: `purses.right` is u32 there, and u64 in this program; ";
    let opened = Shared::<after::State>::open(&name.0).unwrap_err();
    assert!(opened.to_string().starts_with(text), "{opened}");
    let made = Shared::open_or_create(&name.0, after::State::default).unwrap_err();
    assert!(made.to_string().starts_with(text), "{made}");
    // The old one is as it was.
    let old = Shared::<before::State>::open(&name.0).unwrap();
    assert_eq!(old.purses.acquire().unwrap().right, 40);
    // As the message says:
    unlink(&name.0).unwrap();
    drop(Shared::open_or_create(&name.0, after::State::default).unwrap());
    assert_eq!(old.purses.acquire().unwrap().left, 60);
}

#[test]
fn a_program_that_runs_a_second_time_is_told_of_the_first() {
    let name = Name::new("twice");
    let run = || drop(Shared::create(&name.0, 1_u32).unwrap());
    run();
    let text = panic_of(run);
    assert!(
        text.contains("AlreadyExists")
            && text.contains("an earlier run")
            && text.contains("unlink"),
        "{text}"
    );
}

#[test]
fn an_rlock_that_was_left_poisoned_tells_every_holder() {
    let lock = Shared::anonymous(RLock::new(1_u32)).unwrap();
    fork(|| std::mem::forget(lock.acquire())).succeed();
    let outer = lock.acquire().unwrap_err().into_guard().unwrap();
    let inner = lock.acquire();
    assert!(matches!(inner, Err(AcquireError::Poisoned(_))), "{inner:?}");
    drop(inner);
    lock.clear_poison();
    drop(outer);
    drop(lock.acquire().unwrap());
}

#[test]
fn a_foreign_file_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let name = format!("{}/notes", directory.path().display());
    for content in ["", "short", &"a long text of somebody else's ".repeat(100)] {
        std::fs::write(&name, content).unwrap();
        let opened = Shared::<u64>::open(&name).unwrap_err();
        let made = Shared::open_or_create(&name, || -> u64 { unreachable!() }).unwrap_err();
        for error in [opened, made] {
            assert!(
                matches!(error, ShareError::TooSmall { .. } | ShareError::BadMagic),
                "{error}"
            );
            assert!(error.to_string().ends_with("take another name"), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&name).unwrap(), content);
    }
}
