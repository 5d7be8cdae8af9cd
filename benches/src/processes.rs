//! Children: forked, bounded in time, waited for; and where they run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait, waitpid};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A round is over long before, or hangs.
const BOUND: Duration = Duration::from_secs(30);

/// On which processors the participants run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    /// One after the other on the next: left to itself, the scheduler often puts all of them on one,
    /// where they run one after the other and never meet.
    Apart,
    /// All on one.
    One,
}

impl Cores {
    pub(crate) const BOTH: [(Self, &'static str); 2] =
        [(Self::Apart, "two cores"), (Self::One, "one core")];

    /// Binds the calling thread.
    pub(crate) fn pin(self, participant: u32) {
        let allowed = sched_getaffinity(None).expect("a set of processors");
        let turn = match self {
            Self::Apart => participant % allowed.count(),
            Self::One => 0,
        };
        let processor = (0..CpuSet::MAX_CPU)
            .filter(|&processor| allowed.is_set(processor))
            .nth(turn as usize)
            .expect("that many are in the set");
        let mut one = CpuSet::new();
        one.set(processor);
        sched_setaffinity(None, &one).expect("it was allowed before");
    }
}

/// Processes of a round, killed and reaped at the latest when this is dropped.
#[derive(Default)]
pub(crate) struct Children(Vec<Pid>);

impl Children {
    /// Does `work` in a child, which an alarm ends if that lasts too long.
    pub(crate) fn fork(&mut self, work: impl FnOnce()) -> Pid {
        // SAFETY: the child goes on with this one thread. No other runs at that time, so none has left
        // a lock of the allocator's or of the standard library's behind.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let bound = u32::try_from(BOUND.as_secs()).expect("short");
            // SAFETY: it takes no pointers; nobody handles the signal, which ends the process.
            unsafe { libc::alarm(bound) };
            let result = catch_unwind(AssertUnwindSafe(work));
            // SAFETY: it ends the child at once; what its parent has to clean up stays the parent's.
            unsafe { libc::_exit(i32::from(result.is_err())) };
        }
        let child = Pid::from_raw(child).expect("a child");
        assert!(!child.is_init() && child.as_raw_pid() > 0, "fork failed");
        self.0.push(child);
        child
    }

    /// Until all have ended well.
    pub(crate) fn join(&mut self) {
        while !self.0.is_empty() {
            let ended = wait(WaitOptions::empty()).expect("there are children");
            let (child, status) = ended.expect("waited for it");
            self.0.retain(|&other| other != child);
            let how = describe(status);
            assert!(status.exit_status() == Some(0), "a participant {how}");
        }
    }

    /// Kills one, which had been forked here.
    pub(crate) fn kill(child: Pid) {
        kill_process(child, Signal::KILL).expect("it is there until it is waited for");
    }

    /// Waits for one that was killed.
    pub(crate) fn bury(&mut self, child: Pid) {
        let ended = waitpid(Some(child), WaitOptions::empty()).expect("a child");
        let (_, status) = ended.expect("waited for it");
        self.0.retain(|&other| other != child);
        let (killed, how) = (status.terminating_signal(), describe(status));
        assert_eq!(killed, Some(Signal::KILL.as_raw()), "a victim {how}");
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for &child in &self.0 {
            // Either fails only where there is nothing left to do.
            let _ = kill_process(child, Signal::KILL);
            let _ = waitpid(Some(child), WaitOptions::empty());
        }
    }
}

fn describe(status: WaitStatus) -> String {
    match status.terminating_signal() {
        Some(libc::SIGALRM) => format!("was not done after {} s", BOUND.as_secs()),
        Some(signal) => format!("was ended by signal {signal}"),
        None => "failed".to_owned(),
    }
}

/// Looks for something that takes a while, in a participant that is not measured.
pub(crate) fn until(what: &str, happened: impl Fn() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < BOUND, "{what}: not after {BOUND:?}");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// Long enough for those who were on their way to sleep to be asleep.
pub(crate) fn settle() {
    std::thread::sleep(Duration::from_millis(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, since children are waited for whosoever they are.
    #[test]
    #[should_panic(expected = "a participant failed")]
    fn a_participant_that_fails_fails_all() {
        let mut children = Children::default();
        children.fork(|| ());
        children.join();
        children.fork(|| {
            loop {
                std::thread::park();
            }
        });
        children.fork(|| panic!("on purpose"));
        children.join();
    }
}
