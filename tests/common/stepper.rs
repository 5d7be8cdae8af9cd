//! A process that is run one machine instruction at a time, by ptrace(2).
//!
//! It is traced from [`Cue::begin`] on, by the thread that calls it. A step into a system call that
//! sleeps does not end: the kernel tells, in `/proc`, that the thread is off the processor in a
//! futex call, and then the step is [`Step::Asleep`].

use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::common::{Child, End, Plain, Waiting, fork, until};

/// Where the victim says what part of it is to be stepped through, in shared memory.
#[repr(C)]
pub(crate) struct Cue {
    task: AtomicU32,
    ended: AtomicU32,
}

// SAFETY: two atomics.
unsafe impl Plain for Cue {}

impl Cue {
    /// What the calling thread does from here on is stepped through.
    pub(crate) fn begin(&self) {
        ptrace::traceme().expect("a child can be traced");
        let task = nix::unistd::gettid();
        self.task
            .store(task.as_raw().unsigned_abs(), Ordering::SeqCst);
        stop(nix::unistd::getpid(), task);
    }

    /// Up to here. One store, so that the end is exact.
    #[inline]
    pub(crate) fn end(&self) {
        self.ended.store(1, Ordering::SeqCst);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst) == 1
    }

    fn task(&self) -> Option<Pid> {
        let task = self.task.load(Ordering::SeqCst);
        (task != 0).then(|| Pid::from_raw(task as i32))
    }
}

/// raise(3) without its dozens of instructions after the stop, which would be stepped through.
#[inline]
fn stop(process: Pid, task: Pid) {
    // SAFETY: a signal to the calling thread.
    unsafe {
        libc::syscall(
            libc::SYS_tgkill,
            process.as_raw(),
            task.as_raw(),
            libc::SIGSTOP,
        )
    };
}

pub(crate) struct Stepper {
    process: Child,
    task: Pid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Done,
    /// The step sleeps in a futex call.
    Asleep,
    /// The thread has ended.
    Gone,
}

/// The victim did something else than to step: it crashed, or never began.
#[derive(Debug)]
pub(crate) struct Astray(pub(crate) String);

impl Stepper {
    /// Starts a process and lets it run up to [`Cue::begin`].
    pub(crate) fn start(cue: &Cue, body: impl FnOnce()) -> Result<Self, Astray> {
        let process = fork(body);
        let came = until(|| cue.task().is_some() || process.has_ended());
        let (Ok(()), Some(task)) = (came, cue.task()) else {
            return Err(Astray("the victim did not get to its cue".into()));
        };
        match waitpid(task, Some(WaitPidFlag::__WALL)) {
            Ok(WaitStatus::Stopped(..)) => Ok(Self { process, task }),
            other => Err(Astray(format!("the victim did not stop: {other:?}"))),
        }
    }

    /// As the locks name it.
    pub(crate) fn tid(&self) -> u32 {
        self.task.as_raw().unsigned_abs()
    }

    /// One instruction.
    pub(crate) fn step(&self) -> Result<Step, Astray> {
        let may_sleep = self.is_at_a_system_call();
        ptrace::step(self.task, None)
            .map_err(|error| Astray(format!("cannot be stepped: {error}")))?;
        if !may_sleep {
            return after(waitpid(self.task, Some(WaitPidFlag::__WALL)));
        }
        loop {
            if let Some(step) = self.poll()? {
                return Ok(step);
            }
            if self.sleeps() {
                // It may have woken and stopped before it was looked at: then the wait tells.
                return Ok(self.poll()?.unwrap_or(Step::Asleep));
            }
            std::thread::yield_now();
        }
    }

    /// At full speed, until the process ends.
    pub(crate) fn run_to_the_end(self) -> Result<Result<(), Waiting>, Astray> {
        ptrace::detach(self.task, None)
            .map_err(|error| Astray(format!("cannot be let go: {error}")))?;
        match self.process.join() {
            Err(waiting) => Ok(Err(waiting)),
            Ok(End::Exited(0)) => Ok(Ok(())),
            Ok(end) => Err(Astray(format!("the victim, spared, ended with {end:?}"))),
        }
    }

    /// The rest of a step that slept.
    pub(crate) fn finish_step(&self) -> Result<Result<Step, Waiting>, Astray> {
        let mut step = Ok(None);
        let came = until(|| {
            step = self.poll();
            !matches!(step, Ok(None))
        });
        Ok(step?.filter(|_| came.is_ok()).ok_or(Waiting))
    }

    fn poll(&self) -> Result<Option<Step>, Astray> {
        let flags = WaitPidFlag::__WALL | WaitPidFlag::WNOHANG;
        match waitpid(self.task, Some(flags)) {
            Ok(WaitStatus::StillAlive) => Ok(None),
            other => after(other).map(Some),
        }
    }

    fn sleeps(&self) -> bool {
        sleeps(self.process.pid(), self.task)
    }

    /// The address of its next instruction.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn place(&self) -> usize {
        let registers = ptrace::getregs(self.task).ok();
        registers.map_or(0, |registers| {
            usize::try_from(registers.rip).unwrap_or_default()
        })
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn place(&self) -> usize {
        0
    }

    /// Any other instruction's step is sure to end, and is waited for without polling.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn is_at_a_system_call(&self) -> bool {
        const SYSCALL: [u8; 2] = [0x0f, 0x05];
        let place = self.place();
        if place == 0 {
            return true;
        }
        // SAFETY: the victim is a fork of this process and runs the same code at the same address.
        let instruction: [u8; 2] =
            unsafe { std::ptr::with_exposed_provenance::<[u8; 2]>(place).read_unaligned() };
        instruction == SYSCALL
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn is_at_a_system_call(&self) -> bool {
        true
    }

    /// Kills the whole process and waits until it is dead, its robust lists walked.
    pub(crate) fn kill(self) {
        self.process.send_kill();
        if self.task == self.process.pid() {
            self.process.kill();
            return;
        }
        // The tracer has to reap a traced thread before the process can be.
        while let Ok(WaitStatus::Stopped(..) | WaitStatus::PtraceEvent(..)) =
            waitpid(self.task, Some(WaitPidFlag::__WALL))
        {}
        self.process.kill();
    }
}

/// Whether a thread is off the processor, in a futex call.
pub(crate) fn sleeps(process: Pid, task: Pid) -> bool {
    let path = format!("/proc/{process}/task/{task}/syscall");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let number = text.split(' ').next().and_then(|word| word.parse().ok());
    number.is_some_and(|number| [libc::SYS_futex, libc::SYS_futex_waitv].contains(&number))
}

fn after(status: nix::Result<WaitStatus>) -> Result<Step, Astray> {
    match status {
        Ok(WaitStatus::Stopped(_, nix::sys::signal::Signal::SIGTRAP)) => Ok(Step::Done),
        Ok(WaitStatus::Exited(_, 0)) => Ok(Step::Gone),
        other => Err(Astray(format!("the victim went astray: {other:?}"))),
    }
}
