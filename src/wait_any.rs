//! Waiting for several things at once.
//!
//! A round: *look* at each source, in order, and take the first that is there; otherwise *watch* each, that
//! is, say in its word that somebody may be asleep, and sleep on all the words.
//!
//! # Whom a death here could harm
//!
//! A thread has one word in its pending slot, so it can answer for one debt, whatever it watches. So nothing
//! here owes anything, but for one timer:
//!
//! - *Events* and *timers* wake all who sleep on them. *Words* are their users'.
//! - *Semaphores* wake as many as there are permits, but all, if one of them may be watching
//!   ([`permits`](crate::permits)).
//! - *Timers* have deaths that the kernel tells one sleeper, who is to tell the others: of the runner, of one
//!   who is about to wake all. Of the first timer that sleeper may be this thread: it is armed with that one's
//!   [obituary](crate::wait) and has its words behind those of the others, since the kernel tells the last
//!   that woke it. Of further timers it sleeps on the state alone, and looks around once a second.
//!
//! What is woken here for nothing goes on sleeping, and what was woken and took something else leaves the
//! `WAITERS` that it has set, which are legal to be set for nothing.

use core::fmt;
use std::time::{Duration, Instant};

use crate::deadline::{self, Patience, Timeout};
use crate::error::debug;
use crate::kernel::{Expected, Waited};
use crate::sync::kernel;
use crate::wait::ROUND;
use crate::{BoundedSemaphore, Event, FutexWord, Permit, Semaphore, Timer, TimerState};

/// Something that [`wait_any`] can wait for. A reference to a primitive becomes one by `into()`,
/// and so does a pair of a [`FutexWord`] and the value that it is not to hold.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Source<'a> {
    /// Until it is set, as [`Event::wait`] does.
    Event(&'a Event),
    /// For a permit.
    Semaphore(&'a Semaphore),
    /// For a permit.
    BoundedSemaphore(&'a BoundedSemaphore),
    /// Until it is finished, as [`Timer::wait`] does.
    Timer(&'a Timer),
    /// Until the word holds anything but this.
    Word(&'a FutexWord, u32),
}

/// What [`wait_any`] waited for, and got.
#[derive(Debug)]
#[must_use = "it may hold a permit, which is given back as soon as it is dropped: give it a name, for \
              `let _ = …` drops it at once, too"]
pub struct Ready<'a> {
    /// Which of the sources, counted from 0.
    pub index: usize,
    /// What it was.
    pub reason: Reason<'a>,
}

/// What made a source [`Ready`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Reason<'a> {
    /// The event is set, or was since.
    Set,
    /// A permit, taken.
    Permit(Permit<'a>),
    /// The timer is finished, and how.
    Finished(TimerState),
    /// The word holds this.
    Changed(u32),
}

/// Why [`wait_any`] came back with nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitError {
    /// The timeout or the deadline passed. Nothing was taken.
    TimedOut,
    /// There was no source, so the wait would have no end.
    NoSources,
    /// There were more sources than one call can wait for. Wait for some of them in another thread.
    TooManySources {
        /// How many there were.
        found: usize,
        /// How many there may be.
        most: usize,
    },
}

impl fmt::Debug for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::TimedOut => "TimedOut",
            Self::NoSources => "NoSources",
            Self::TooManySources { .. } => "TooManySources",
        };
        debug(f, name, self)
    }
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("nothing that was waited for came in time"),
            Self::NoSources => {
                f.write_str("there is nothing to wait for: give one source at least")
            }
            Self::TooManySources { found, most } => write!(
                f,
                "there are {found} sources to wait for, and {most} can be: wait for some in another thread"
            ),
        }
    }
}

impl core::error::Error for WaitError {}

/// As many sources as there can be in one call.
const SOURCES_MAX: usize = 64;

/// As many as there are nearly always.
const FEW: usize = 4;

/// The first timer has a word more than the others, and a second, and is looked at twice.
const MORE_WORDS: usize = 3;

/// Waits until one of several things is there, and takes it.
///
/// Of several that are there, it takes the one that comes first in `sources`, and leaves the others as they
/// are; so a source that is always ready starves those behind it. There may be 64 sources, and the same one
/// several times.
///
/// Timeouts, deadlines and signals are as with a [`Lock`](crate::Lock#waiting). If something is
/// there at once, that is no system call.
///
/// Each source is what waiting for it alone would be, in its memory ordering, too: an event that was set since
/// the call began has been set, even if it was cleared meanwhile; a permit is taken, by exactly one; a timer
/// that finished in the run that was seen is finished, even if it was reset.
///
/// # Errors
///
/// [`WaitError::NoSources`] and [`WaitError::TooManySources`].
///
/// # Fairness
///
/// While somebody waits here for a semaphore beside other things, each release wakes all who wait for that
/// semaphore, and the first to come takes the permit.
///
/// # Death
///
/// As with the sources: nobody else is held up by the death of one that waits here, and one that waits here is
/// told of others' deaths at once, except that a death of the runner of any timer but the first is told within
/// a second.
///
/// Where `futex_waitv` ([futex2]) is missing (before Linux 5.16, or in a sandbox), it sleeps on the
/// first source alone, and looks at the others ten times a second.
///
/// # Between two processes
///
/// A worker waits for jobs, for the word to stop, and for the end of its master, who runs a timer
/// for as long as it lives. The master is killed:
///
#[doc = include_str!("../docs/examples/wait_any.md")]
///
/// # Examples
///
/// ```
/// use procsync::{Event, Reason, Semaphore, Shared, wait_any};
///
/// procsync::shareable! { struct Desk { stop: Event, jobs: Semaphore } }
/// let desk = Shared::anonymous(Desk { stop: Event::new(), jobs: Semaphore::new(2) })?;
///
/// let theirs = desk.clone();
/// let worker = std::thread::spawn(move || {
///     let mut done = 0;
///     loop {
///         match wait_any(&[(&theirs.jobs).into(), (&theirs.stop).into()])?.reason {
///             Reason::Permit(job) => {
///                 job.forget(); // It is done, and does not come back.
///                 done += 1;
///             }
///             _ => break Ok::<_, procsync::WaitError>(done),
///         }
///     }
/// });
/// desk.jobs.release(1).unwrap();
/// desk.stop.set();
/// assert_eq!(worker.join().unwrap(), Ok(3), "jobs come first");
/// # Ok::<(), procsync::ShareError>(())
/// ```
///
/// [futex2]: https://docs.kernel.org/userspace-api/futex2.html
#[doc(alias("select", "poll", "futex_waitv", "WaitForMultipleObjects"))]
pub fn wait_any<'a>(sources: &[Source<'a>]) -> Result<Ready<'a>, WaitError> {
    wait(sources, Timeout::Forever)
}

/// [`wait_any`], for `timeout` at most. Zero: looks, and does not wait.
///
/// # Errors
///
/// [`WaitError::TimedOut`], and those of [`wait_any`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use procsync::{Event, FutexWord, Reason, WaitError, wait_any_timeout};
///
/// let (stop, word) = (Event::new(), FutexWord::new(7));
/// let sources = [(&stop).into(), (&word, 7).into()];
/// let nothing = wait_any_timeout(&sources, Duration::from_millis(1));
/// assert_eq!(nothing.unwrap_err(), WaitError::TimedOut);
///
/// word.add_one_and_wake_all();
/// let ready = wait_any_timeout(&sources, Duration::ZERO)?;
/// assert!(ready.index == 1 && matches!(ready.reason, Reason::Changed(8)));
/// # Ok::<(), WaitError>(())
/// ```
pub fn wait_any_timeout<'a>(
    sources: &[Source<'a>],
    timeout: Duration,
) -> Result<Ready<'a>, WaitError> {
    wait(sources, Timeout::For(timeout))
}

/// [`wait_any`], until `deadline` at most. One that has passed: looks, and does not wait.
///
/// # Errors
///
/// [`WaitError::TimedOut`], and those of [`wait_any`].
pub fn wait_any_until<'a>(
    sources: &[Source<'a>],
    deadline: Instant,
) -> Result<Ready<'a>, WaitError> {
    wait(sources, Timeout::Until(deadline))
}

fn wait<'a>(sources: &[Source<'a>], timeout: Timeout) -> Result<Ready<'a>, WaitError> {
    let found = sources.len();
    if found == 0 {
        return Err(WaitError::NoSources);
    }
    if found > SOURCES_MAX {
        return Err(WaitError::TooManySources {
            found,
            most: SOURCES_MAX,
        });
    }
    let patience = timeout.start();
    if found <= FEW {
        wait_among::<FEW, { FEW + MORE_WORDS }>(sources, patience)
    } else {
        wait_among::<SOURCES_MAX, { SOURCES_MAX + MORE_WORDS }>(sources, patience)
    }
}

fn wait_among<'a, const SOURCES: usize, const WORDS: usize>(
    sources: &[Source<'a>],
    patience: Patience,
) -> Result<Ready<'a>, WaitError> {
    let mut watch = Watch::<SOURCES, WORDS>::begin(sources);
    let _armed = watch.timer.map(|(_, timer)| timer.arm_as_a_waiter());
    let mut expired = matches!(patience, Patience::Spent);
    loop {
        if let Some(ready) = watch.look() {
            return Ok(ready);
        }
        if expired {
            return Err(WaitError::TimedOut);
        }
        expired = watch.sleep(patience);
    }
}

/// The sources, and what is to be remembered of them.
struct Watch<'s, 'a, const SOURCES: usize, const WORDS: usize> {
    sources: &'s [Source<'a>],
    /// Of an event, the generation in which the wait began; of a timer, the run that was seen first.
    since: [Option<u32>; SOURCES],
    /// The first, whose obituary is armed.
    timer: Option<(usize, &'a Timer)>,
    has_more_timers: bool,
}

impl<'s, 'a, const SOURCES: usize, const WORDS: usize> Watch<'s, 'a, SOURCES, WORDS> {
    fn begin(sources: &'s [Source<'a>]) -> Self {
        let mut since = [None; SOURCES];
        for (since, source) in since.iter_mut().zip(sources) {
            if let Source::Event(event) = source {
                *since = Some(event.generation());
            }
        }
        let mut timers = sources.iter().enumerate().filter_map(|(at, source)| {
            let Source::Timer(timer) = *source else {
                return None;
            };
            Some((at, timer))
        });
        Self {
            sources,
            since,
            timer: timers.next(),
            has_more_timers: timers.next().is_some(),
        }
    }

    /// The first that is there, taken.
    fn look(&mut self) -> Option<Ready<'a>> {
        let sources = self.sources.iter().zip(&mut self.since);
        let mut reasons = sources
            .map(|(source, since)| source.take(since))
            .enumerate();
        let ready =
            |(index, reason): (usize, Option<_>)| reason.map(|reason| Ready { index, reason });
        reasons.find_map(ready)
    }

    /// Sleeps, unless there is something to look at; whether the time is up.
    fn sleep(&mut self, patience: Patience) -> bool {
        let Some(words) = self.words() else {
            return false;
        };
        let unmoved = self.timer.map(|_| words[self.sources.len() - 1]);
        let deadline = patience.deadline();
        let round = if self.has_more_timers {
            deadline::earlier(deadline, ROUND)
        } else {
            None
        };
        let (through, end) = kernel::wait_any::<WORDS>(
            words.into_iter().flatten(),
            unmoved.flatten(),
            round.or(deadline),
        );
        match self.timer {
            Some((_, timer)) if end == Waited::Woken && through >= self.sources.len() => {
                timer.pass_on_a_death();
            }
            _ => {}
        }
        end == Waited::TimedOut && round.is_none()
    }

    /// What to sleep on, the first timer's words last; `None`: look again.
    fn words(&mut self) -> Option<[Option<Expected<'a>>; WORDS]> {
        let mut words = [None; WORDS];
        let mut places = words.iter_mut();
        let mut enter = |word| *places.next().expect("a place for each word") = Some(word);
        let last = self.timer.map(|(at, _)| at);
        for (at, (source, since)) in self.sources.iter().zip(&mut self.since).enumerate() {
            if Some(at) != last {
                enter(source.watch(since)?);
            }
        }
        if let Some((at, timer)) = self.timer {
            let words = timer.watch_armed(&mut self.since[at])?;
            words.into_iter().flatten().for_each(enter);
        }
        Some(words)
    }
}

impl<'a> Source<'a> {
    /// What was waited for, if it is there. An attempt may have the pending slot for itself: nothing is owed
    /// between two sleeps.
    fn take(&self, since: &mut Option<u32>) -> Option<Reason<'a>> {
        match *self {
            Self::Event(event) => event.has_been_set(*since).then_some(Reason::Set),
            Self::Semaphore(semaphore) => semaphore.try_acquire().map(Reason::Permit),
            Self::BoundedSemaphore(semaphore) => semaphore.try_acquire().map(Reason::Permit),
            Self::Timer(timer) => timer.end_since(since).ok().map(Reason::Finished),
            Self::Word(word, expected) => {
                // ORDERING: Acquire, for what came before the change.
                let value = word.load(crate::sync::Ordering::Acquire);
                (value != expected).then_some(Reason::Changed(value))
            }
        }
    }

    /// What to sleep on; `None`: look again.
    fn watch(&self, since: &mut Option<u32>) -> Option<Expected<'a>> {
        match *self {
            Self::Event(event) => event.watch(*since),
            Self::Semaphore(semaphore) => semaphore.watch(),
            Self::BoundedSemaphore(semaphore) => semaphore.watch(),
            Self::Timer(timer) => timer.watch(since),
            Self::Word(word, expected) => Some(word.watch(expected)),
        }
    }
}

macro_rules! from_references {
    ($($Kind:ident)*) => { $(
        impl<'a> From<&'a $Kind> for Source<'a> {
            fn from(source: &'a $Kind) -> Self {
                Self::$Kind(source)
            }
        }
    )* };
}

from_references! { Event Semaphore BoundedSemaphore Timer }

impl<'a> From<(&'a FutexWord, u32)> for Source<'a> {
    fn from((word, expected): (&'a FutexWord, u32)) -> Self {
        Self::Word(word, expected)
    }
}
