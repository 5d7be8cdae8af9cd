//! Processes in namespaces of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::ForkResult;

use super::process::{Child, End, fork};
use super::skipped;

/// Whether this user may make namespaces of this kind; if not, says so.
pub fn can_make(kind: CloneFlags) -> bool {
    let can = fork(|| enter(kind)).join() == Ok(End::Exited(0));
    if !can {
        skipped(&format!("this user may not make namespaces: {kind:?}"));
    }
    can
}

/// Puts the calling process into a namespace of its own, or, with a PID namespace, those that it forks
/// from now on. A user who may not gets a user namespace, too. The process has one thread.
pub fn enter(kind: CloneFlags) {
    if unshare(kind).is_err() {
        unshare(kind | CloneFlags::CLONE_NEWUSER).expect("namespaces can be made");
    }
}

/// Runs `body` in a child that is the first process of a PID namespace. The handle is to its parent, which
/// ends as it does; if that one is killed, so is the child.
pub fn fork_in_pid_namespace(body: impl FnOnce()) -> Child {
    fork(|| {
        enter(CloneFlags::CLONE_NEWPID);
        // SAFETY: this process has one thread.
        match unsafe { nix::unistd::fork() }.expect("processes can be forked") {
            ForkResult::Parent { child } => {
                assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
            }
            ForkResult::Child => run(body),
        }
    })
}

fn run(body: impl FnOnce()) -> ! {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .expect("the signal is valid");
    let code = i32::from(catch_unwind(AssertUnwindSafe(body)).is_err());
    // SAFETY: ends the process, without the exit handlers of the one that forked it.
    unsafe { libc::_exit(code) }
}
