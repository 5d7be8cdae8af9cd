//! Where participants stand, and what becomes of them.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};

use super::PATIENCE;
use crate::processes::{Children, until};

/// What became of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    GoesOn,
    /// It was told that something is wrong: the rivals' wrappers panic then.
    IsTold,
    Hangs,
}

impl End {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::GoesOn => "go on, and are told nothing",
            Self::IsTold => "are told, and go on",
            Self::Hangs => "**hang**",
        }
    }
}

/// Does `work` in a child, where a panic is an answer, and not to be shown.
pub(super) fn actor(children: &mut Children, work: impl FnOnce()) -> Pid {
    children.fork(|| {
        std::panic::set_hook(Box::new(|_| ()));
        work();
    })
}

/// In a participant: stands still until the one who watches goes on with it, or kills it.
pub(super) fn stand_still() {
    kill_process(getpid(), Signal::STOP).expect("it is this process");
}

pub(super) fn goes_on(child: Pid) {
    kill_process(child, Signal::CONT).expect("it is there until it is waited for");
}

pub(super) fn await_stop(child: Pid) {
    let stopped = waitpid(Some(child), WaitOptions::UNTRACED).expect("a child");
    let (_, status) = stopped.expect("waited for it");
    assert!(status.stopped(), "it ended instead");
}

/// Until it sleeps in the kernel.
pub(super) fn await_sleep(child: Pid) {
    let path = format!("/proc/{}/syscall", child.as_raw_pid());
    until("to fall asleep", || {
        // `running`, or the number of the call that it sleeps in.
        let call = fs::read_to_string(&path).expect("it has not ended");
        let number = call
            .split(' ')
            .next()
            .and_then(|number| number.parse().ok());
        number.is_some_and(|number: i64| [libc::SYS_futex, libc::SYS_futex_waitv].contains(&number))
    });
}

/// Until it is dead, for who may not wait for it.
pub(super) fn await_end(process: Pid) {
    let path = format!("/proc/{}/stat", process.as_raw_pid());
    until("to end", || {
        let stat = fs::read_to_string(&path).expect("nobody has waited for it");
        stat.contains(") Z ")
    });
}

pub(super) fn kill(children: &mut Children, child: Pid) {
    Children::kill(child);
    children.bury(child);
}

pub(super) fn end_of(children: &mut Children, child: Pid) -> End {
    match looked_for(|| children.has_ended(child)) {
        Some(true) => End::GoesOn,
        Some(false) => End::IsTold,
        None => End::Hangs,
    }
}

/// Whether one of them goes on, which then is none of them any more.
pub(super) fn one_ends(children: &mut Children, some: &mut Vec<Pid>) -> bool {
    let ended = |children: &mut Children| {
        let ended = |child: &Pid| children.has_ended(*child) == Some(true);
        some.iter().position(ended)
    };
    let found = looked_for(|| ended(children));
    found.map(|place| some.swap_remove(place)).is_some()
}

fn looked_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    None
}

/// In a participant: never runs as long as somebody else on its processor does, so that who wakes it goes on first.
pub(super) fn run_last() {
    let policy = libc::sched_param { sched_priority: 0 };
    // SAFETY: it reads the policy, which lives, and changes when this thread runs.
    let set = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const policy) };
    assert_eq!(set, 0, "anybody may run last");
}
