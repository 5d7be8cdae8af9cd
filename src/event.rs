//! A flag to wait for.
//!
//! # The word
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 | `SET` | the event is set |
//! | 1 | `WAITERS` | somebody may be asleep, if the event is not set |
//! | 2–31 | generation | how often a set event was cleared |
//!
//! Legal to set for nothing: `WAITERS`, at the cost of one system call. Who may change what:
//!
//! - *set*: anybody. Where nobody waits, by compare-and-swap; otherwise `SET` comes and all sleepers are
//!   woken in one step of the kernel (`FUTEX_WAKE_OP`), so no death comes between.
//! - *clear* of a set event: the next generation, without `SET` and `WAITERS`: nobody sleeps on a set
//!   event.
//! - *wait*: sets `WAITERS` on a word without `SET`, then sleeps on that very value.
//!
//! A waiter has waited enough when it sees `SET`, or another generation than when it came: then the
//! event was set in between. Nobody who is woken owes anything to anybody, so nothing is armed, and the
//! thread's own state is not needed: signal handlers may set.
//!
//! A generation comes again after 2³⁰ clears. A waiter that was not asleep all the while, and comes to
//! look just then, waits for the next set.

use core::fmt;
use std::time::{Duration, Instant};

use crate::deadline::{Patience, Timeout};
use crate::kernel::Waited;
use crate::spin::Spin;
use crate::sync::{AtomicU32, Ordering, const_fn, fence, kernel};
use crate::wait::{sleep_on, watch};

const SET: u32 = 1;
const WAITERS: u32 = 2;
const GENERATION: u32 = !(SET | WAITERS);
const NEXT: u32 = 4;

fn is_set(word: u32) -> bool {
    word & SET != 0
}

fn somebody_sleeps(word: u32) -> bool {
    !is_set(word) && word & WAITERS != 0
}

fn generation(word: u32) -> u32 {
    word & GENERATION
}

/// Whether a wait is over that began in this generation.
fn has_ended(word: u32, mine: u32) -> bool {
    is_set(word) || generation(word) != mine
}

/// What the word of an event says, for [`inspect`](crate::inspect).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventSnapshot {
    /// Whether it is set.
    pub set: bool,
    /// How often it was cleared, modulo 2³⁰.
    pub generation: u32,
    /// Whether the next set has to wake sleepers. It may be on where nobody sleeps.
    pub may_have_sleepers: bool,
}

/// A flag that threads of any number of processes wait for: as Python's
/// [`threading.Event`](crate::guide::from_python).
///
/// ```
/// use std::time::Duration;
/// use procsync::Event;
///
/// let green = Event::new();
/// assert!(!green.wait_timeout(Duration::from_millis(1)));
/// green.set();
/// green.wait(); // returns at once, until somebody calls clear
/// # assert!(green.is_set());
/// ```
///
/// [`set`](Self::set) releases all who wait at that moment, even if [`clear`](Self::clear) follows at
/// once.
///
/// # Between two processes
///
/// A server says that it is ready, and with that, what it has written before:
///
#[doc = include_str!("../docs/examples/event.md")]
///
/// # Waiting
///
/// To wait for an event that is set is no system call, nor to set one that nobody waits for, nor to
/// clear one. Who finds it not set looks again for a while, if that has paid before, and then
/// sleeps in the kernel ([futex(2)]). Timeouts, deadlines and signals are as with a
/// [`Lock`](crate::Lock#waiting).
///
/// All who wait are released together, so there is no order among them.
///
/// # Memory ordering
///
/// What happened before a [`set`](Self::set) is visible to whoever returns from a wait, or finds
/// [`is_set`](Self::is_set), because of it, or because of a later one.
///
/// # Signals
///
/// [`set`](Self::set) may be called in a signal handler ([signal-safety(7)]), also in one that
/// interrupted a wait for the same event.
///
/// # Death
///
/// A setter's death comes before the set or after it, never between the set and the wake-up: the
/// kernel does both in one step (`FUTEX_WAKE_OP` in [futex(2)]). The death of a waiter means
/// nothing to anybody else.
///
/// # Representation
///
/// `#[repr(C)]`: 8 bytes, aligned to 4. All-zero memory is an event that is not set.
///
/// [futex(2)]: https://man7.org/linux/man-pages/man2/futex.2.html
/// [signal-safety(7)]: https://man7.org/linux/man-pages/man7/signal-safety.7.html
#[doc(alias("ManualResetEvent", "flag", "eventfd"))]
#[repr(C)]
pub struct Event {
    word: AtomicU32,
    spin: Spin,
}

impl Event {
    const_fn! {
        /// An event that is not set. (A `const fn`, except under loom.)
        pub fn new() -> Self {
            Self { word: AtomicU32::new(0), spin: Spin::new() }
        }
    }

    /// Whether it is set. It may have changed by the time you look. `true`: what came before the
    /// set [is visible](Self#memory-ordering).
    #[inline]
    pub fn is_set(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `set`, here and wherever a waiter looks.
        is_set(self.word.load(Ordering::Acquire))
    }

    /// Changes nothing, and asks nobody. Of a copy as good as of the event itself.
    #[cfg_attr(loom, allow(dead_code, reason = "models are not inspected"))]
    pub(crate) fn snapshot(&self) -> EventSnapshot {
        let word = self.word.load(Ordering::Relaxed);
        EventSnapshot {
            set: is_set(word),
            generation: generation(word) / NEXT,
            may_have_sleepers: somebody_sleeps(word),
        }
    }

    /// Sets it, and releases all who wait. No system call if nobody does. Of an event that is set
    /// already, nothing changes, but what came before this set is visible, too.
    #[doc(alias("signal", "notify_all", "broadcast"))]
    #[inline]
    pub fn set(&self) {
        let mut word = self.word.load(Ordering::Relaxed);
        while !somebody_sleeps(word) {
            // Also where it is set already: what comes before this set is to be seen, too.
            let (success, failure) = (Ordering::Release, Ordering::Relaxed);
            match self
                .word
                .compare_exchange(word, word | SET, success, failure)
            {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        self.set_and_wake();
    }

    #[cold]
    fn set_and_wake(&self) {
        // ORDERING: the kernel's change of the word is as good as a Relaxed one; the fence makes it a
        // Release.
        fence(Ordering::Release);
        const BIT: u16 = 0;
        const _: () = assert!(1 << BIT == SET);
        kernel::set_bit_and_wake_all(&self.word, BIT);
    }

    /// Makes it not set. Those who were waiting when it was set return all the same. Of an event
    /// that is not set, nothing changes. Never a system call.
    ///
    /// ```
    /// use std::{thread, time::Duration};
    /// use procsync::Event;
    ///
    /// let turn = Event::new();
    /// thread::scope(|threads| {
    ///     let waiter = threads.spawn(|| turn.wait_timeout(Duration::from_secs(10)));
    ///     while !waiter.is_finished() {
    ///         turn.set();
    ///         turn.clear(); // at once; who waits is released all the same
    ///     }
    ///     assert!(waiter.join().unwrap());
    /// });
    /// assert!(!turn.is_set());
    /// ```
    #[doc(alias("reset", "unset"))]
    #[inline]
    pub fn clear(&self) {
        let mut word = self.word.load(Ordering::Relaxed);
        while is_set(word) {
            let next = generation(word).wrapping_add(NEXT);
            // ORDERING: Acquire: who clears, looks, and then waits, looks after the clear, and sees what
            // came before a set that the clear has undone. As a read-modify-write it carries on the
            // release sequence of that set, for waiters that see only the new generation.
            let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
            match self.word.compare_exchange(word, next, success, failure) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// [Waits](Self#waiting) until it is set, as long as it takes.
    #[inline]
    pub fn wait(&self) {
        let word = self.word.load(Ordering::Acquire);
        if !is_set(word) {
            self.wait_patiently(generation(word));
        }
    }

    /// Waits until it is set, for `timeout` at most; whether it was. Zero is one look; what the
    /// clock cannot express is [for ever](Self#waiting).
    #[inline]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.wait_with(Timeout::For(timeout))
    }

    /// Waits until it is set, or until `deadline`; whether it was. One that has passed is one look.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use procsync::Event;
    ///
    /// let parts = [Event::new(), Event::new()];
    /// parts[0].set();
    /// let deadline = Instant::now() + Duration::from_millis(1); // for all of them
    /// let done = parts.each_ref().map(|part| part.wait_until(deadline));
    /// assert_eq!(done, [true, false]);
    /// ```
    #[inline]
    pub fn wait_until(&self, deadline: Instant) -> bool {
        self.wait_with(Timeout::Until(deadline))
    }

    #[inline]
    fn wait_with(&self, timeout: Timeout) -> bool {
        let word = self.word.load(Ordering::Acquire);
        is_set(word) || self.wait_contended(generation(word), timeout)
    }

    #[cold]
    fn wait_patiently(&self, mine: u32) {
        self.wait_contended(mine, Timeout::Forever);
    }

    #[cold]
    fn wait_contended(&self, mine: u32, timeout: Timeout) -> bool {
        let patience = timeout.start();
        let is_over = || has_ended(self.word.load(Ordering::Acquire), mine);
        if self.spin.until(patience, is_over) {
            return true;
        }
        let mut expired = matches!(patience, Patience::Spent);
        loop {
            let word = self.word.load(Ordering::Acquire);
            if has_ended(word, mine) {
                return true;
            }
            if expired {
                return false;
            }
            let sleep = || sleep_on(&self.word, word, WAITERS, patience.deadline());
            expired = self.spin.learn_from(sleep) == Waited::TimedOut;
        }
    }

    /// For [`has_been_set`](Self::has_been_set).
    pub(crate) fn generation(&self) -> u32 {
        generation(self.word.load(Ordering::Acquire))
    }

    /// Whether it is set, or was since it had that generation.
    pub(crate) fn has_been_set(&self, since: Option<u32>) -> bool {
        let word = self.word.load(Ordering::Acquire);
        has_ended(word, since.unwrap_or(generation(word)))
    }

    /// What to sleep on, beside other words; `None`: look again.
    pub(crate) fn watch(&self, since: Option<u32>) -> Option<kernel::Expected<'_>> {
        let word = self.word.load(Ordering::Acquire);
        if has_ended(word, since.unwrap_or(generation(word))) {
            return None;
        }
        watch(&self.word, word, WAITERS)
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("is_set", &self.is_set())
            .finish_non_exhaustive()
    }
}
