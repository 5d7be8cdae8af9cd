//! A process of its own for what leaves threads behind, or ends by dying.

use rustix::io::retry_on_intr;
use rustix::process::Pid;
use rustix::process::{Signal, WaitOptions, WaitStatus, waitpid};

/// Runs `body` in a forked child to its end. It may be killed, on purpose, by SIGKILL; any other end
/// than that of `body` fails.
///
/// What it covers, the fuzzer does not see.
pub fn in_child(body: impl FnOnce()) {
    // SAFETY: the fuzzer has no other thread that holds a lock; libc and the sanitizer see to their own.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // A fuzzer that finds it stuck ends, and takes it along.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
            .expect("the signal is valid");
        // A panic ends the process, by the fuzzer's hook.
        body();
        // SAFETY: ends the process, without the fuzzer's exit handlers.
        unsafe { libc::_exit(0) };
    }
    let child = Pid::from_raw(pid).expect("processes can be forked");
    // The fuzzer's timer ticks.
    let (_, status) = retry_on_intr(|| waitpid(Some(child), WaitOptions::empty()))
        .expect("a child can be waited for")
        .expect("it has ended");
    assert!(ended_well(status), "the child ended with {status:?}");
}

fn ended_well(status: WaitStatus) -> bool {
    let killed = status.terminating_signal() == Some(libc::SIGKILL);
    killed || status.exit_status() == Some(0)
}
