//! Child processes, and waits that end.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, pipe2};

/// Whoever should go on and has not within this time is stuck.
pub const BOUND: Duration = Duration::from_secs(5);

/// The exit code of a child that panicked.
const PANICKED: i32 = 101;

/// A child process. Killed and reaped when dropped.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    /// Names this process even when it has been reaped, and its PID is another's.
    pidfd: OwnedFd,
    /// How it ended; `None`: it was not reaped yet.
    end: Option<End>,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    Killed(Signal),
}

/// It has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting;

/// The reading and the writing end; neither passes to a program that is started.
pub fn pipe() -> (File, File) {
    let (reading, writing) = pipe2(OFlag::O_CLOEXEC).expect("a pipe can be had");
    (reading.into(), writing.into())
}

/// As the main thread of a process of its own, and as another thread.
pub fn as_any_thread(test: impl Fn() + Sync) {
    fork(&test).succeed();
    std::thread::scope(|scope| {
        scope.spawn(&test);
    });
}

/// Runs `body` in a child, which then exits with 0; with another code if `body` panics.
pub fn fork(body: impl FnOnce()) -> Child {
    let parent = std::process::id();
    // SAFETY: glibc makes its own state, the allocator's too, usable in the child of a threaded
    // process; `body` is a test's, which uses no lock of the parent's other threads.
    match unsafe { nix::unistd::fork() }.expect("processes can be forked") {
        ForkResult::Parent { child } => Child {
            pid: child,
            pidfd: open_pidfd(child),
            end: None,
        },
        ForkResult::Child => run(body, parent),
    }
}

fn run(body: impl FnOnce(), parent: u32) -> ! {
    die_with(parent);
    let code = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(()) => 0,
        Err(_) => PANICKED,
    };
    // SAFETY: ends the process, without the parent's exit handlers.
    unsafe { libc::_exit(code) }
}

/// So that a test that is interrupted leaves no processes behind.
fn die_with(parent: u32) {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .expect("the signal is valid");
    let parent_now = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    if parent_now != i32::try_from(parent).ok() {
        // SAFETY: ends the process.
        unsafe { libc::_exit(1) };
    }
}

impl Child {
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// As the locks name it.
    pub fn tid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Waits until it ends, [`BOUND`] at most.
    pub fn join(self) -> Result<End, Waiting> {
        self.join_within(BOUND)
    }

    pub fn join_within(mut self, bound: Duration) -> Result<End, Waiting> {
        self.end_within(bound)
    }

    /// As [`join_within`](Self::join_within); one that has not ended is not killed.
    pub fn end_within(&mut self, bound: Duration) -> Result<End, Waiting> {
        if self.ends_within(bound) {
            Ok(self.reap())
        } else {
            Err(Waiting)
        }
    }

    /// Waits until it ends, [`BOUND`] at most; it is still there to be looked at, or joined.
    pub fn ends(&self) -> bool {
        self.ends_within(BOUND)
    }

    fn ends_within(&self, bound: Duration) -> bool {
        wait_readable(&self.pidfd, bound)
    }

    /// What it is doing, as the kernel tells: its state, and the system call it is in.
    pub fn describe(&self) -> String {
        let read = |file: &str| {
            std::fs::read_to_string(format!("/proc/{}/{file}", self.pid)).unwrap_or_default()
        };
        let status = read("status");
        let state = status.lines().find(|line| line.starts_with("State:"));
        format!(
            "{}, {}",
            state.unwrap_or_default(),
            read("syscall").trim_end()
        )
    }

    /// Joins a child that should just do its work.
    #[track_caller]
    pub fn succeed(self) {
        assert_eq!(self.join(), Ok(End::Exited(0)));
    }

    /// Kills it and waits until it is dead, its robust list walked.
    pub fn kill(mut self) {
        self.kill_now();
    }

    pub fn has_ended(&self) -> bool {
        self.ends_within(Duration::ZERO)
    }

    fn kill_now(&mut self) {
        self.send_kill();
        self.reap();
    }

    /// Kills it, and does not wait.
    pub fn send_kill(&self) {
        // It may have ended by itself.
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, rustix::process::Signal::KILL);
    }

    fn reap(&mut self) -> End {
        let end = self.end.unwrap_or_else(|| self.wait());
        *self.end.insert(end)
    }

    fn wait(&self) -> End {
        loop {
            // `__WALL`: a traced child's other thread may be the traced one.
            match waitpid(self.pid, Some(WaitPidFlag::__WALL)) {
                Ok(WaitStatus::Exited(_, code)) => return End::Exited(code),
                Ok(WaitStatus::Signaled(_, signal, _)) => return End::Killed(signal),
                // Its tracer has reaped it.
                Err(Errno::ECHILD) => return End::Killed(Signal::SIGKILL),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => panic!("a child cannot be waited for: {error}"),
            }
        }
    }
}

fn open_pidfd(child: Pid) -> OwnedFd {
    let pid = rustix::process::Pid::from_raw(child.as_raw()).expect("a child has a PID");
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())
        .expect("a child that was not reaped can be opened")
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.end.is_none() {
            self.kill_now();
        }
    }
}

/// How long somebody has been watched. A machine that stood still meanwhile, or a watcher that was kept from
/// its processor, says nothing of those who are watched.
struct Watched {
    last_look: Instant,
    seen: Duration,
}

impl Watched {
    /// One who watches looks that often.
    const LOOK_EVERY: Duration = Duration::from_millis(100);

    fn begin() -> Self {
        Self {
            last_look: Instant::now(),
            seen: Duration::ZERO,
        }
    }

    /// So far; the caller has just looked.
    fn for_how_long(&mut self) -> Duration {
        let now = Instant::now();
        self.seen += (now - self.last_look).min(2 * Self::LOOK_EVERY);
        self.last_look = now;
        self.seen
    }
}

/// Waits until the process behind a pidfd has ended; `false`: it has not, and the time is up.
fn wait_readable(pidfd: &OwnedFd, bound: Duration) -> bool {
    let mut watched = Watched::begin();
    loop {
        let left = bound.saturating_sub(watched.for_how_long());
        if is_readable(pidfd, left.min(Watched::LOOK_EVERY)) {
            return true;
        }
        if left.is_zero() {
            return false;
        }
    }
}

/// Within this time.
fn is_readable(pidfd: &OwnedFd, time: Duration) -> bool {
    let mut poll = libc::pollfd {
        fd: pidfd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let milliseconds = i32::try_from(time.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
    // SAFETY: one valid entry.
    unsafe { libc::poll(&raw mut poll, 1, milliseconds) == 1 }
}

/// Waits until `condition` holds, [`BOUND`] at most, for what there is no event to wait for: that
/// somebody sleeps.
pub fn until(mut condition: impl FnMut() -> bool) -> Result<(), Waiting> {
    let mut watched = Watched::begin();
    while !condition() {
        if watched.for_how_long() > BOUND {
            return Err(Waiting);
        }
        std::thread::yield_now();
    }
    Ok(())
}
