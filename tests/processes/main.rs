//! Locks between processes: forks, deaths at rest, limits, libc's own robust mutexes; and conditions.
//! Here is what the tests have in common.

#![cfg(not(loom))]

#[path = "../common/mod.rs"]
mod common;
mod conditions;
mod deaths;
mod forks;
mod keepers;
mod libcs;
mod lists;
#[path = "../common/sandbox.rs"]
mod sandbox;

use common::{End, fork};

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

fn tid() -> u32 {
    nix::unistd::gettid().as_raw().unsigned_abs()
}
