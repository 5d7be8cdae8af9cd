//! A deadline in shared memory, which one thread waits for and anybody may cancel.
//!
//! # The words
//!
//! `state`, and who may change what in it, is in [`timer_state`](crate::timer_state).
//!
//! `runner`: a lock that the running thread holds from before `ARMED` until after the end. `ARMED` or
//! `RUNNING` with a free `runner` means that the thread died: whoever finds that makes it `ABANDONED`.
//!
//! Whoever arms the timer, or changes the state to an end, wakes all who sleep on it, with the
//! [`obituary`](crate::wait) armed from before the change. Waiters also sleep on the `runner`'s word, with its `WAITERS` set: the kernel
//! wakes one of them when the thread dies, and that one wakes the others.

use core::fmt;
use core::ops::Deref;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::deadline::{Deadline, Patience, Timeout};
use crate::error::TimerError;
use crate::kernel::Expected;
use crate::on_drop::OnDrop;
use crate::raw_lock::{RawLock, Refusal};
use crate::robust::{self, Armed};
use crate::sync::{AtomicU32, LongNote, Ordering, const_fn, fence, kernel};
use crate::timer_state::{
    ABANDONED, ARMED, CALLED_OFF, CANCELLED, FIRED, IDLE, ONE_RUN, RUNNING, at, is_under_way,
    phase, reset_of, run_of,
};
use crate::wait::{Obituary, Seen, Woken};
use crate::{TimerOutcome, TimerState};

/// A function that is called after some time, unless somebody cancels it before, from whatever
/// process: as Python's [`threading.Timer`](crate::guide::from_python).
///
/// One thread runs it, with [`run`](Self::run), or [`start`](Self::start) makes one. All others may
/// [`cancel`](Self::cancel) it, [`wait`](Self::wait) for its end, or look at it.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use procsync::{Timer, TimerOutcome, TimerState};
///
/// let timer = Arc::new(Timer::new());
/// let alarm = || println!("nobody was there");
/// let thread = Timer::start(timer.clone(), Duration::from_secs(60), alarm)?;
/// assert!(timer.cancel());
/// assert_eq!(thread.join().unwrap(), TimerOutcome::Cancelled);
/// assert_eq!(timer.state(), TimerState::Cancelled);
/// # Ok::<(), procsync::TimerError>(())
/// ```
///
/// # Between two processes
///
/// A watchdog process raises the alarm unless a worker gives a sign of life. Should the watchdog
/// itself be killed, that does not go unnoticed:
///
#[doc = include_str!("../docs/examples/timer.md")]
///
/// # Waiting
///
/// Who runs a timer, or waits for one, sleeps in the kernel ([futex(2)], [futex2]). To arm a timer,
/// to cancel, and to end it is a system call each, whether somebody waits or not; to look at it is
/// none. Timeouts, deadlines and signals are as with a [`Lock`](crate::Lock#waiting); so is the
/// clock of the interval: it stands still while the system is suspended.
///
/// All who wait are told together. A cancellation and the deadline that come at the same time are
/// decided by one atomic step: it has fired or was cancelled, never both.
///
/// # Memory ordering
///
/// What the running thread did before the end, the function included, is visible to who sees that it
/// [`Fired`](TimerState::Fired); what was done before a [`cancel`](Self::cancel), to who sees that.
///
/// # Death
///
/// If the thread that runs it dies, the timer is [`Abandoned`](TimerState::Abandoned), at once, to those
/// who wait for it and those who look. The death of one that cancels comes before or after; that of one
/// that waits means nothing to anybody else. With a timer in private memory there are no deaths, but
/// panics.
///
/// The running thread holds a lock meanwhile, by which the kernel tells of its death: one of the
/// 2047 that a thread can [hold](crate::Lock#errors-of-an-acquisition). In a child that the
/// function forks ([fork(2)]) the timer is the parent's still.
///
/// Where `futex_waitv` ([futex2]) is missing (before Linux 5.16, or in a sandbox), those who wait
/// look for a death ten times a second.
///
/// # Representation
///
/// `#[repr(C)]`: 56 bytes, aligned to 8. All-zero memory is an idle timer.
///
/// [fork(2)]: https://man7.org/linux/man-pages/man2/fork.2.html
/// [futex(2)]: https://man7.org/linux/man-pages/man2/futex.2.html
/// [futex2]: https://docs.kernel.org/userspace-api/futex2.html
#[doc(alias("watchdog", "alarm", "deadline", "timer_create"))]
#[repr(C)]
pub struct Timer {
    state: AtomicU32,
    obituary: Obituary,
    /// In nanoseconds of `CLOCK_MONOTONIC`; `u64::MAX`: never. Written before `ARMED`.
    deadline: LongNote,
    runner: RawLock,
}

/// The timer has changed.
struct LookAgain;

/// What the words of a timer say, for [`inspect`](crate::inspect).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimerSnapshot {
    /// What it is doing.
    pub state: TimerState,
    /// The TID of the thread that runs it.
    pub runner: Option<u32>,
    /// How long until the deadline, if it is armed; [`Duration::MAX`]: for ever.
    pub remaining: Option<Duration>,
    /// How often it was armed, modulo 2²⁶.
    pub runs: u32,
}

/// A timer that the calling thread has armed.
struct Run<'timer> {
    timer: &'timer Timer,
    armed: u32,
    patience: Patience,
}

impl Timer {
    const_fn! {
        /// An idle timer. (A `const fn`, except under loom.)
        pub fn new() -> Self {
            Self {
                state: AtomicU32::new(0),
                obituary: Obituary::new(),
                deadline: LongNote::new(0),
                runner: RawLock::new(),
            }
        }
    }

    /// Waits for `interval` on the calling thread, and then calls `f`, unless somebody cancels it.
    ///
    /// If it was cancelled before, it answers [`Cancelled`](TimerOutcome::Cancelled) at once. An
    /// interval of zero has passed at once; one that the clock cannot express, [`Duration::MAX`]
    /// for instance, never does, and then the timer tells no more than whether this thread lives.
    /// `f` must not wait for this timer: it would wait for itself.
    ///
    /// # Errors
    ///
    /// [`AlreadyStarted`](TimerError::AlreadyStarted): it is armed, or finished and not reset.
    /// [`TooManyHeld`](TimerError::TooManyHeld): the thread holds as many locks as it can, and the
    /// timer is one more. [`NoRobustList`](TimerError::NoRobustList): nobody would hear of its death.
    ///
    /// # Panics
    ///
    /// As `f` does; the timer is [`Abandoned`](TimerState::Abandoned) then.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use procsync::{Timer, TimerError, TimerOutcome, TimerState};
    ///
    /// let timer = Timer::new();
    /// let mut rang = false;
    /// let outcome = timer.run(Duration::from_millis(1), || rang = true)?;
    /// assert!(rang && outcome == TimerOutcome::Fired);
    ///
    /// // It stays finished until somebody resets it.
    /// let again = timer.run(Duration::ZERO, || {});
    /// assert!(matches!(again, Err(TimerError::AlreadyStarted)));
    /// # Ok::<(), TimerError>(())
    /// ```
    pub fn run(&self, interval: Duration, f: impl FnOnce()) -> Result<TimerOutcome, TimerError> {
        let run = self.arm(Timeout::For(interval).start())?;
        Ok(run.map_or(TimerOutcome::Cancelled, |run| run.complete(f)))
    }

    /// [`run`](Self::run) on a thread of its own. When this returns, the timer is armed, and its
    /// interval has begun. The thread ends with the timer; its handle may be dropped.
    ///
    /// `handle` is what keeps the timer in memory meanwhile: a [`Shared`](crate::Shared) of it, or
    /// of a [part](crate::Shared::project), an `Arc`, or a `&'static`.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and [`Spawn`](TimerError::Spawn): there was no thread to be had. The
    /// timer is as it was.
    ///
    /// # Panics
    ///
    /// Not this call: a panic of `f` ends the new thread, as joining it tells, and abandons the
    /// timer.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use procsync::{Shared, Timer, TimerState};
    ///
    /// let timer = Shared::anonymous(Timer::new())?;
    /// Timer::start(timer.clone(), Duration::from_millis(1), || println!("it is time"))?;
    /// assert_eq!(timer.wait(), TimerState::Fired);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start<H>(
        handle: H,
        interval: Duration,
        f: impl FnOnce() + Send + 'static,
    ) -> Result<JoinHandle<TimerOutcome>, TimerError>
    where
        H: Deref<Target = Self> + Send + 'static,
    {
        let patience = Timeout::For(interval).start();
        let (tell, told) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("timer".to_owned())
            .spawn(move || {
                let (run, report) = match handle.arm(patience) {
                    Ok(run) => (run, Ok(())),
                    Err(error) => (None, Err(error)),
                };
                // The other end waits for it.
                let _ = tell.send(report);
                run.map_or(TimerOutcome::Cancelled, |run| run.complete(f))
            })
            .map_err(TimerError::Spawn)?;
        match told.recv() {
            Ok(Err(error)) => Err(error),
            // It told us, or it has panicked before it could, as joining it will tell.
            Ok(Ok(())) | Err(_) => Ok(thread),
        }
    }

    /// `None`: it was cancelled before.
    fn arm(&self, patience: Patience) -> Result<Option<Run<'_>>, TimerError> {
        loop {
            let state = self.settled();
            match phase(state) {
                IDLE => {}
                CALLED_OFF => {
                    if self.replace(state, at(CANCELLED, state)) {
                        return Ok(None);
                    }
                    continue;
                }
                _ => return Err(TimerError::AlreadyStarted),
            }
            match self.runner.acquire(Timeout::Zero) {
                Ok(()) => {}
                Err(Refusal::TooManyHeld | Refusal::Forked) => return Err(TimerError::TooManyHeld),
                Err(Refusal::NoRobustList) => return Err(TimerError::NoRobustList),
                Err(Refusal::Deadlock | Refusal::RecursionLimit) => {
                    return Err(TimerError::AlreadyStarted);
                }
                Err(Refusal::Held) => {
                    // Another one is arming it, or has come to an end and is about to let go.
                    let _armed = self.obituary.arm();
                    if let Some(runner) = self.runner.awaited() {
                        self.sleep_beside(runner, state, Patience::Unlimited);
                    }
                    continue;
                }
            }
            self.runner.clear_poison();
            let deadline = patience
                .deadline()
                .map_or(u64::MAX, Deadline::as_nanoseconds);
            self.deadline.store(deadline, Ordering::Relaxed);
            let armed = at(ARMED, state.wrapping_add(ONE_RUN));
            // Those who sleep on an idle timer are to sleep beside the runner's word.
            if self.replace_and_tell(state, armed) {
                return Ok(Some(Run {
                    timer: self,
                    armed,
                    patience,
                }));
            }
            self.runner.release();
        }
    }

    /// Prevents the function from being called. `true`: this very call did. `false`: it runs
    /// already, or the timer is finished. Never waits: the thread that ran it may need a moment to
    /// return.
    ///
    /// Before the timer is armed, too: then the next [`run`](Self::run) answers
    /// [`Cancelled`](TimerOutcome::Cancelled).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use procsync::{Timer, TimerOutcome};
    ///
    /// let timer = Timer::new();
    /// assert!(timer.cancel()); // before anybody has armed it
    /// assert!(!timer.cancel());
    /// let outcome = timer.run(Duration::ZERO, || unreachable!())?;
    /// assert_eq!(outcome, TimerOutcome::Cancelled);
    /// # Ok::<(), procsync::TimerError>(())
    /// ```
    #[doc(alias("stop", "disarm", "abort"))]
    pub fn cancel(&self) -> bool {
        loop {
            let state = self.settled();
            let next = match phase(state) {
                IDLE => CALLED_OFF,
                ARMED => CANCELLED,
                _ => return false,
            };
            if self.replace_and_tell(state, at(next, state)) {
                return true;
            }
        }
    }

    /// What it is doing. It may have changed by the time you look, unless it is finished. No system
    /// call, unless this is the first to find that the running thread has died.
    pub fn state(&self) -> TimerState {
        TimerState::of(self.settled())
    }

    /// Waits until it is [finished](TimerState::is_finished), as long as it takes; how, even if
    /// somebody has reset it at once. An idle one is waited for until somebody has armed it, too.
    pub fn wait(&self) -> TimerState {
        self.wait_with(Timeout::Forever)
    }

    /// Waits until it is finished, for `timeout` at most; what it is doing then. Zero is one look;
    /// what the clock cannot express is [for ever](crate::Lock#waiting).
    ///
    /// ```
    /// use std::time::Duration;
    /// use procsync::{Timer, TimerState};
    ///
    /// let timer = Timer::new(); // nobody has armed it
    /// assert_eq!(timer.wait_timeout(Duration::from_millis(1)), TimerState::Idle);
    /// ```
    pub fn wait_timeout(&self, timeout: Duration) -> TimerState {
        self.wait_with(Timeout::For(timeout))
    }

    /// Waits until it is finished, until `deadline` at most; what it is doing then. One that has
    /// passed is one look.
    pub fn wait_until(&self, deadline: Instant) -> TimerState {
        self.wait_with(Timeout::Until(deadline))
    }

    fn wait_with(&self, timeout: Timeout) -> TimerState {
        let _armed = self.obituary.arm();
        let patience = timeout.start();
        let mut run = None;
        loop {
            let state = match self.end_since(&mut run) {
                Ok(end) => return end,
                Err(state) => state,
            };
            if matches!(patience, Patience::Spent) {
                return TimerState::of(state);
            }
            if self.sleep(state, patience) == Woken::ByTime {
                return self.state();
            }
        }
    }

    /// How it finished, or the run did that was seen first, which is kept in `run`. `Err`: not yet; the state.
    pub(crate) fn end_since(&self, run: &mut Option<u32>) -> Result<TimerState, u32> {
        let state = self.settled();
        let seen = TimerState::of(state);
        if seen.is_finished() {
            return Ok(seen);
        }
        if is_under_way(state) {
            *run = run.or(Some(run_of(state)));
        }
        if run.is_some_and(|run| phase(state) == IDLE || run_of(state) != run) {
            Ok(TimerState::last_end_of(state))
        } else {
            Err(state)
        }
    }

    /// Makes a finished timer idle, so that it can be armed again. `false`: it was not finished.
    /// Those who wait for the end that was return all the same.
    ///
    /// ```
    /// use std::time::Duration;
    /// use procsync::Timer;
    ///
    /// let timer = Timer::new();
    /// for _ in 0..3 {
    ///     timer.run(Duration::ZERO, || {})?;
    ///     assert!(timer.reset());
    /// }
    /// assert!(!timer.reset());
    /// # Ok::<(), procsync::TimerError>(())
    /// ```
    #[doc(alias("rearm"))]
    pub fn reset(&self) -> bool {
        loop {
            let state = self.settled();
            if !TimerState::of(state).is_finished() {
                return false;
            }
            if self.replace(state, reset_of(state)) {
                return true;
            }
        }
    }

    /// How long until the deadline, if the timer is armed; zero, if that has passed and the
    /// function is about to be called. [`Duration::MAX`] if it never comes.
    ///
    /// By the clock of the caller: in another time namespace than the running thread's it is off by
    /// as much as their clocks differ.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use procsync::Timer;
    ///
    /// let timer = Arc::new(Timer::new());
    /// assert_eq!(timer.remaining(), None);
    /// Timer::start(timer.clone(), Duration::from_secs(60), || {})?;
    /// assert!(timer.remaining().is_some_and(|time| time > Duration::from_secs(50)));
    /// timer.cancel();
    /// # Ok::<(), procsync::TimerError>(())
    /// ```
    #[doc(alias("timer_gettime"))]
    pub fn remaining(&self) -> Option<Duration> {
        loop {
            let state = self.settled();
            if phase(state) != ARMED {
                return None;
            }
            let deadline = self.deadline.load(Ordering::Relaxed);
            // ORDERING: the deadline is read before the state is once more.
            fence(Ordering::Acquire);
            if self.load() == state {
                return Some(until(deadline));
            }
        }
    }

    /// Changes nothing, not even where it finds the death of the running thread, and asks nobody. Of a copy
    /// as good as of the timer itself.
    #[cfg_attr(loom, allow(dead_code, reason = "models are not inspected"))]
    pub(crate) fn snapshot(&self) -> TimerSnapshot {
        let runner = self.runner.owner();
        let mut state = self.load();
        if is_under_way(state) && runner.is_none() {
            state = at(ABANDONED, state);
        }
        let deadline = self.deadline.load(Ordering::Relaxed);
        TimerSnapshot {
            state: TimerState::of(state),
            runner,
            remaining: (phase(state) == ARMED).then(|| until(deadline)),
            runs: run_of(state) / ONE_RUN,
        }
    }

    /// Sleeps while nothing changes; the caller has armed the obituary.
    fn sleep(&self, state: u32, patience: Patience) -> Woken {
        match self.runner_beside(state) {
            Err(LookAgain) => Woken::NotAsleep,
            Ok(Some(runner)) => self.sleep_beside(runner, state, patience),
            Ok(None) => {
                let word = kernel::whole(&self.state);
                let woken = self.obituary.sleep(word, state, patience.deadline());
                self.pass_on(woken)
            }
        }
    }

    /// The word of who runs it, to sleep beside; none, if it is idle.
    fn runner_beside(&self, state: u32) -> Result<Option<Seen<'_>>, LookAgain> {
        match self.runner.awaited() {
            None if is_under_way(state) || self.runner.owner().is_some() => Err(LookAgain),
            runner => Ok(runner),
        }
    }

    /// The same while the lock is held, too.
    fn sleep_beside(&self, runner: Seen<'_>, state: u32, patience: Patience) -> Woken {
        let word = kernel::whole(&self.state);
        let deadline = patience.deadline();
        let woken = self
            .obituary
            .sleep_beside(runner, None, word, state, deadline);
        self.pass_on(woken)
    }

    /// The dead may have changed the state, or let go of the lock, and not have come to wake the others;
    /// and who lets go wakes one.
    fn pass_on(&self, woken: Woken) -> Woken {
        if matches!(woken, Woken::ByDeath | Woken::ByLock) {
            self.pass_on_a_death();
        }
        woken
    }

    /// This thread was woken through another word than the state, and all others are to look.
    pub(crate) fn pass_on_a_death(&self) {
        self.wake_all();
        self.runner.wake_watchers();
    }

    /// From now on, should this thread die, another that waits is woken in its place.
    pub(crate) fn arm_as_a_waiter(&self) -> Option<Armed> {
        self.obituary.arm()
    }

    /// What one sleeps on beside other words that is armed: the state, to be looked at once more, and then what
    /// tells deaths. `None`: look again.
    pub(crate) fn watch_armed(&self, run: &mut Option<u32>) -> Option<[Option<Expected<'_>>; 3]> {
        let state = self.end_since(run).err()?;
        let runner = self.runner_beside(state).ok()?;
        let whole = |(word, seen)| (kernel::whole(word), seen);
        Some([
            Some((kernel::whole(&self.state), state)),
            runner.map(whole),
            Some(self.obituary.undisturbed()),
        ])
    }

    /// What one sleeps on beside other words that is not armed, and looks around for the dead: the state alone.
    pub(crate) fn watch(&self, run: &mut Option<u32>) -> Option<Expected<'_>> {
        let state = self.end_since(run).err()?;
        Some((kernel::whole(&self.state), state))
    }

    /// The state, once a death of the running thread is noted in it.
    fn settled(&self) -> u32 {
        loop {
            let state = self.load();
            if !is_under_way(state) || self.runner.owner().is_some() {
                return state;
            }
            self.replace_and_tell(state, at(ABANDONED, state));
        }
    }

    fn load(&self) -> u32 {
        // ORDERING: Acquire pairs with the Release in `replace`: who sees a run sees that `runner` was
        // taken for it, and what was done before its end.
        self.state.load(Ordering::Acquire)
    }

    fn replace(&self, state: u32, next: u32) -> bool {
        // ORDERING: Release pairs with the Acquire in `load`, and with the one here.
        self.state
            .compare_exchange(state, next, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// For a change that somebody may be waiting for: no death comes between it and their wake-up.
    fn replace_and_tell(&self, state: u32, next: u32) -> bool {
        let _armed = self.obituary.arm();
        let replaced = self.replace(state, next);
        if replaced {
            self.wake_all();
        }
        replaced
    }

    fn wake_all(&self) {
        kernel::wake(&raw const self.state, usize::MAX);
    }
}

/// How long from now until a deadline as timers keep it.
fn until(deadline: u64) -> Duration {
    if deadline == u64::MAX {
        Duration::MAX
    } else {
        Duration::from_nanos(deadline.saturating_sub(Deadline::now().as_nanoseconds()))
    }
}

impl Run<'_> {
    /// Waits for the deadline, and calls `f` unless it is cancelled before.
    fn complete(self, f: impl FnOnce()) -> TimerOutcome {
        let timer = self.timer;
        let _runner = OnDrop::new(|| timer.runner.release());
        let running = at(RUNNING, self.armed);
        if !self.reach_deadline() || !timer.replace(self.armed, running) {
            return TimerOutcome::Cancelled;
        }
        let abandon = OnDrop::new(|| self.end(running, ABANDONED));
        f();
        abandon.forget();
        self.end(running, FIRED);
        TimerOutcome::Fired
    }

    /// `false`: somebody cancelled it.
    fn reach_deadline(&self) -> bool {
        let timer = self.timer;
        let _armed = timer.obituary.arm();
        loop {
            if timer.load() != self.armed {
                return false;
            }
            if let Patience::Spent = self.patience {
                return true;
            }
            let word = kernel::whole(&timer.state);
            let deadline = self.patience.deadline();
            match timer.obituary.sleep(word, self.armed, deadline) {
                Woken::ByTime => return true,
                Woken::ByDeath => timer.wake_all(),
                Woken::ByState | Woken::ByLock | Woken::NotAsleep | Woken::ToLook => {}
            }
        }
    }

    /// Not in a child that `f` has forked: the parent runs the timer.
    fn end(&self, running: u32, end: u32) {
        let timer = self.timer;
        if !robust::with(|thread| timer.runner.is_owned_by(thread)) {
            return;
        }
        timer.replace_and_tell(running, at(end, running));
    }
}

impl Default for Timer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
