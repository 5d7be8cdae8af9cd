//! What becomes of a process or a thread, and what those see who share a lock with it: programs started,
//! forks, stops, ends of all kinds. `docs/guide/processes.md` names these tests.

#![cfg(not(loom))]

mod common;

use std::cell::RefCell;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::held::{
    hold, is_held, is_poisoned_and_free, is_sound_and_free, static_in_child, until_asleep,
};
use common::stepper::{Cue, Step, Stepper};
use common::{Child, Found, Gate, Mapped, Plain, Pthread, fork, until};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::ForkResult;
use procsync::{AcquireError, Barrier, Lock, Shared, Timer, TimerState};

const SHORT: Duration = Duration::from_millis(20);

// ---- Programs that are started -------------------------------------------------------------------------

/// By `posix_spawn(3)`, whose child has this process's memory until it execs; or by `fork(2)`.
#[test]
fn a_program_that_is_started_takes_nothing_along() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let guard = lock.acquire().expect("free and sound");
    let owner = lock.owner();
    let mut spawned = Command::new("true");
    let mut forked = Command::new("true");
    // SAFETY: it does nothing.
    unsafe { forked.pre_exec(|| Ok(())) };
    for program in [&mut spawned, &mut forked] {
        assert!(program.status().expect("it runs").success());
        assert_eq!(lock.owner(), owner);
        assert!(!lock.is_poisoned());
    }
    drop(guard);
    assert!(is_sound_and_free(&lock));
}

// ---- Forks ---------------------------------------------------------------------------------------------

/// As with any mutex: nobody is left in the child who would release it.
#[test]
fn a_private_lock_held_at_a_fork_stays_held_in_the_copy() {
    let lock = Lock::new(0);
    let mut guard = lock.acquire().ok();
    fork(|| {
        drop(guard.take());
        assert!(is_held(&lock));
    })
    .succeed();
    drop(guard);
    assert!(is_sound_and_free(&lock));
}

#[test]
fn a_child_of_a_barriers_action_has_not_met() {
    let barrier = Shared::anonymous(Barrier::new(1)).expect("there is memory");
    fork(|| {
        let mut is_child = false;
        let met = barrier.wait_with_action(|| {
            // SAFETY: this process has one thread.
            match unsafe { nix::unistd::fork() }.expect("processes can be forked") {
                ForkResult::Parent { child } => {
                    let end = waitpid(child, None);
                    assert_eq!(end, Ok(WaitStatus::Exited(child, 0)));
                }
                ForkResult::Child => is_child = true,
            }
        });
        assert_eq!(met.is_err(), is_child);
    })
    .succeed();
    assert!(!barrier.is_broken());
}

#[test]
fn a_child_that_panics_out_of_a_barriers_action_does_not_break_the_meeting() {
    let barrier = Shared::anonymous(Barrier::new(1)).expect("there is memory");
    fork(|| {
        let mut is_child = false;
        let met = catch_unwind(AssertUnwindSafe(|| {
            barrier.wait_with_action(|| {
                // SAFETY: this process has one thread.
                match unsafe { nix::unistd::fork() }.expect("processes can be forked") {
                    ForkResult::Parent { child } => {
                        let end = waitpid(child, None);
                        assert_eq!(end, Ok(WaitStatus::Exited(child, 0)));
                    }
                    ForkResult::Child => {
                        is_child = true;
                        resume_unwind(Box::new(()));
                    }
                }
            })
        }));
        assert_eq!(met.is_err(), is_child);
        assert!(is_child || met.is_ok_and(|met| met.is_ok()));
    })
    .succeed();
    assert!(!barrier.is_broken());
}

// ---- Stops ---------------------------------------------------------------------------------------------

fn stop(process: &Child) {
    kill(process.pid(), Signal::SIGSTOP).expect("it lives");
    let stopped = waitpid(process.pid(), Some(WaitPidFlag::WUNTRACED));
    assert_eq!(
        stopped,
        Ok(WaitStatus::Stopped(process.pid(), Signal::SIGSTOP))
    );
}

fn go_on(process: &Child) {
    kill(process.pid(), Signal::SIGCONT).expect("it lives");
}

/// A lock, and when to let it go.
#[repr(C)]
struct Stage {
    lock: Lock<u32>,
    held: Gate,
    let_go: Gate,
}

// SAFETY: all fields are.
unsafe impl Plain for Stage {}

impl Stage {
    /// A process that holds the lock until it is told.
    fn holder(&self) -> Child {
        let holder = fork(|| {
            let _guard = self.lock.acquire().expect("free and sound");
            self.held.open();
            self.let_go.wait();
        });
        self.held.wait();
        holder
    }
}

#[test]
fn a_stopped_holder_is_alive() {
    let stage: Mapped<Stage> = Mapped::zeroed();
    let holder = stage.holder();
    stop(&holder);
    stage.let_go.open();
    let in_vain = stage.lock.acquire_timeout(SHORT);
    assert!(matches!(in_vain, Err(AcquireError::TimedOut)));
    assert_eq!(stage.lock.owner(), Some(holder.tid()));
    go_on(&holder);
    holder.succeed();
    assert!(is_sound_and_free(&stage.lock));
}

#[test]
fn a_stopped_holder_can_be_killed() {
    let stage: Mapped<Stage> = Mapped::zeroed();
    let holder = stage.holder();
    stop(&holder);
    holder.kill();
    assert!(is_poisoned_and_free(&stage.lock));
}

#[test]
fn a_stopped_runner_keeps_its_timer_armed() {
    let timer = Shared::anonymous(Timer::new()).expect("there is memory");
    let runner = fork(|| drop(timer.run(Duration::from_secs(3600), || ())));
    until(|| timer.state() == TimerState::Armed).expect("it is armed");
    stop(&runner);
    assert_eq!(timer.wait_timeout(SHORT), TimerState::Armed);
    runner.kill();
    assert_eq!(timer.wait_timeout(SHORT), TimerState::Abandoned);
}

/// A lock, and the part of a waiter that is stepped through.
#[repr(C)]
struct Turn {
    lock: Lock<u32>,
    cue: Cue,
}

// SAFETY: all fields are.
unsafe impl Plain for Turn {}

/// Who was woken and is stopped before it runs has been given the turn, as far as the others know: one of
/// them that sleeps is woken by whoever comes and releases, or by the death of the stopped one.
#[test]
fn who_is_stopped_just_woken_has_the_turn() {
    let fates: [fn(&Turn, Stepper); 2] = [
        |turn, woken| {
            drop(turn.lock.acquire().expect("free and sound"));
            until_asleep(&turn.lock, 0);
            woken.kill();
        },
        |_, woken| woken.kill(),
    ];
    for fate in fates {
        let turn: Mapped<Turn> = Mapped::zeroed();
        let guard = turn.lock.acquire().expect("free and sound");
        let woken = Stepper::start(&turn.cue, || {
            turn.cue.begin();
            let _ = turn.lock.acquire();
        })
        .expect("it can be stepped through");
        while woken.step().expect("it can be stepped through") != Step::Asleep {}
        until_asleep(&turn.lock, 1);
        let other = fork(|| drop(turn.lock.acquire().expect("sound")));
        until_asleep(&turn.lock, 2);
        drop(guard);
        let step = woken.finish_step().expect("it can be stepped through");
        assert_eq!(step, Ok(Step::Done), "woken, and stopped");
        assert!(!turn.lock.is_locked());
        assert_eq!(turn.lock.waiters(), 1, "the other one sleeps on");
        fate(&turn, woken);
        other.succeed();
    }
}

// ---- Ends of processes and threads ---------------------------------------------------------------------

#[test]
fn an_exit_poisons_what_any_thread_holds() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    fork(|| {
        let (held, lock) = (&Gate::default(), static_in_child(&*lock));
        let held = static_in_child(held);
        thread::spawn(move || {
            hold(lock);
            held.open();
            Gate::default().wait();
        });
        held.wait();
    })
    .succeed();
    assert!(is_poisoned_and_free(&lock));
}

/// Uses locks as its thread ends, when other thread-locals are gone.
struct Late(&'static [Lock<u32>; 2]);

impl Drop for Late {
    fn drop(&mut self) {
        drop(self.0[0].acquire().expect("free and sound"));
        hold(&self.0[1]);
    }
}

thread_local! {
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
}

#[test]
fn destructors_of_thread_locals_use_locks() {
    let locks: Mapped<[Lock<u32>; 2]> = Mapped::zeroed();
    fork(|| {
        let theirs = static_in_child(&*locks);
        let thread = thread::spawn(move || LATE.set(Some(Late(theirs))));
        thread.join().expect("it just ends");
        assert!(is_sound_and_free(&theirs[0]));
        assert!(is_held(&theirs[1]), "as with any guard that was forgotten");
    })
    .succeed();
    assert!(is_sound_and_free(&locks[0]));
    assert!(is_poisoned_and_free(&locks[1]));
}

/// Whether the process's main thread has ended.
fn main_has_ended() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:\tZ"))
}

/// The kernel shows a process without its memory then, but for its threads.
#[test]
fn a_process_whose_main_thread_has_ended_is_recovered() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let child = fork(|| {
        let lock = static_in_child(&*lock);
        thread::spawn(move || {
            until(main_has_ended).expect("it ends");
            hold(lock);
            let _ = nix::sys::signal::raise(Signal::SIGKILL);
            // SAFETY: ends the process, should the signal not.
            unsafe { libc::_exit(1) };
        });
        // SAFETY: ends this thread alone.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    });
    child.join().expect("it is killed");
    assert!(is_poisoned_and_free(&lock));
}

// ---- Processes that cannot open anything ---------------------------------------------------------------

/// A process asks, for each lock in a mapping of its own, whether that is shared memory.
#[test]
fn a_process_without_descriptors_is_recovered() {
    let locks: Mapped<[Lock<u32>; 3]> = Mapped::zeroed();
    fork(|| {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: a valid argument.
        let limited = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none) };
        assert_eq!(limited, 0);
        locks.iter().for_each(hold);
        // SAFETY: held by this thread, whose guard was forgotten.
        unsafe { locks[1].force_release() };
    })
    .succeed();
    assert!(is_poisoned_and_free(&locks[0]));
    assert!(is_sound_and_free(&locks[1]));
    assert!(is_poisoned_and_free(&locks[2]));
}

// ---- The length of the list ----------------------------------------------------------------------------

/// The kernel looks at 2048 entries, those first that were made last. One is the crate's own, and libc's
/// mutexes count: so many fit beside one lock.
const LIBCS_MAX: usize = 2046;

#[test]
fn libcs_mutexes_count_among_what_the_kernel_looks_at() {
    for (libcs, is_recovered) in [(LIBCS_MAX, true), (LIBCS_MAX + 1, false)] {
        let lock: Mapped<Lock<u32>> = Mapped::zeroed();
        let mutexes: Mapped<[Pthread; LIBCS_MAX + 1]> = Mapped::zeroed();
        fork(|| {
            hold(&lock);
            for mutex in &mutexes[..libcs] {
                mutex.initialize();
                assert_eq!(mutex.lock(), Found::Clean);
            }
        })
        .succeed();
        assert_eq!(is_poisoned_and_free(&lock), is_recovered, "{libcs}");
    }
}
