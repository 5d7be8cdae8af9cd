//! Locks between processes: forks, deaths at rest, limits, libc's own robust mutexes; and conditions.
//! Here is what the tests have in common.

#[path = "../common/mod.rs"]
mod common;
mod conditions;
mod deaths;
mod forks;
mod libcs;
mod lists;

use std::mem::forget;

use common::{End, fork, until};
use procsync::{AcquireError, Lock};

fn hold<T>(lock: &Lock<T>) {
    forget(lock.acquire().expect("free and sound"));
}

fn is_held<T>(lock: &Lock<T>) -> bool {
    matches!(lock.try_acquire(), Err(AcquireError::WouldBlock))
}

fn is_poisoned_and_free<T>(lock: &Lock<T>) -> bool {
    matches!(lock.try_acquire(), Err(AcquireError::Poisoned(_)))
}

fn is_sound_and_free<T>(lock: &Lock<T>) -> bool {
    lock.try_acquire().is_ok()
}

/// As another process sees it.
fn elsewhere(check: impl FnOnce() -> bool) -> bool {
    fork(|| assert!(check())).join() == Ok(End::Exited(0))
}

fn kill_me() -> ! {
    let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    unreachable!("dead");
}

fn die_doing(body: impl FnOnce()) {
    let child = fork(|| {
        body();
        kill_me();
    });
    let end = child.join();
    assert_eq!(end, Ok(End::Killed(nix::sys::signal::Signal::SIGKILL)));
}

/// Waits until as many sleep on it.
fn until_asleep<T>(lock: &Lock<T>, count: usize) {
    until(|| lock.waiters() == count).expect("they fall asleep");
}

fn tid() -> u32 {
    nix::unistd::gettid().as_raw().unsigned_abs()
}

/// The child never unmaps it.
fn static_in_child<T>(value: &T) -> &'static T {
    // SAFETY: called in a child that ends without dropping what it inherited.
    unsafe { &*std::ptr::from_ref(value) }
}
