//! Nobody is left behind.

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use crate::books::{Books, Presence};
use crate::common::{End, Gate, Mapped, fork};
use crate::plan::Plan;
use crate::storm::Storm;
use crate::supervisor::Supervisor;
use crate::world::Worlds;

/// Whoever of this process's descendants has lost its parent becomes a child of this process.
pub(crate) fn adopt() {
    // SAFETY: takes numbers.
    let result = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
    assert_eq!(result, 0);
}

/// No child, alive or dead.
pub(crate) fn nobody_is_left() -> bool {
    let any = Pid::from_raw(-1);
    let flags = WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
    waitpid(any, Some(flags)) == Err(Errno::ECHILD)
}

/// Not even if it is killed.
pub(crate) fn nobody_outlives_the_test() {
    let gate: Mapped<Gate> = Mapped::zeroed();
    let test = fork(|| {
        let storm = Storm::begin(Plan::from_environment());
        let mut supervisor = Supervisor::begin(storm);
        supervisor.send_all_out();
        while !all_work(&storm.books, supervisor.processes.len()) {
            std::thread::yield_now();
        }
        gate.open();
        loop {
            std::thread::park();
        }
    });
    while !gate.is_open() {
        assert!(!test.has_ended(), "it has begun");
        std::thread::yield_now();
    }
    let id = test.tid();
    test.send_kill();
    assert!(matches!(test.join(), Ok(End::Killed(_))));
    Worlds::remove_names_of(id);
    // All that are left are children now; they end by themselves.
    let any = Pid::from_raw(-1);
    while waitpid(any, Some(WaitPidFlag::__WALL)) != Err(Errno::ECHILD) {}
}

fn all_work(books: &Books, number: usize) -> bool {
    let mut desks = books.desks[..number].iter();
    desks.all(|desk| desk.presence() == Presence::Working)
}
