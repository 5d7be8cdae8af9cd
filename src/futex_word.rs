//! A bare futex word, for structures of one's own.

use core::fmt;
use core::ops::Deref;
use core::ptr;
use std::time::{Duration, Instant};

use crate::deadline::{Deadline, Patience, Timeout};
use crate::kernel::Waited;
use crate::robust;
use crate::sync::{AtomicU32, Ordering, const_fn, fence, kernel};

/// A 32-bit atomic that threads of any process can sleep on, and be woken through: a futex.
///
/// For structures of one's own, such as rings and allocators in shared memory, that need no more than to
/// wait until a word changes. It is an [`AtomicU32`](core::sync::atomic::AtomicU32), by [`Deref`], with the
/// calls that the kernel has for one, and with what this crate has beside them: deadlines that signals do not
/// prolong, [models](crate::guide::models) under loom, and an answer to the death of one who was about to wake
/// somebody ([`armed`](Self::armed)). It has no protocol; that is its user's.
///
/// # Examples
///
/// Who waits looks first, and sleeps on what it has seen:
///
/// ```
/// use procsync::{FutexWord, Shared};
/// use std::sync::atomic::Ordering::{Acquire, Release};
///
/// let produced = Shared::anonymous(FutexWord::new(0))?;
/// let theirs = produced.clone();
/// let consumer = std::thread::spawn(move || {
///     loop {
///         let seen = theirs.load(Acquire);
///         if seen == 3 {
///             break seen;
///         }
///         theirs.wait(seen);
///     }
/// });
/// for item in 1..=3 {
///     produced.store(item, Release);
///     produced.wake_all();
/// }
/// assert_eq!(consumer.join().unwrap(), 3);
/// # Ok::<(), procsync::ShareError>(())
/// ```
///
/// # Between two processes
///
/// A structure of one's own: a price that one process publishes, and others follow.
///
#[doc = include_str!("../docs/examples/futex_word.md")]
///
/// # Waiting
///
/// A wait that finds the expected value is a system call, always: nobody looks for a while first,
/// as the other primitives do. So is a wake-up, whether somebody sleeps or not; where that matters,
/// the protocol needs a mark for sleepers ([Futexes are tricky] tells how, and what goes wrong).
/// Timeouts, deadlines and signals are as with a [`Lock`](crate::Lock#waiting).
///
/// # Death and lost wake-ups
///
/// A wait compares and falls asleep in one step, so a change between the look and the sleep ends it at once.
/// What can be lost is the wake-up of one who dies after its change and before its call to wake
/// ([`add_one_and_wake_all`](Self::add_one_and_wake_all) and
/// [`set_bit_and_wake_all`](Self::set_bit_and_wake_all) do both in one step of the kernel, and
/// [`armed`](Self::armed) tells the sleepers), and a `wake(1)` that went to one who was killed as it woke up
/// (`armed` around the wait, or [`wake_all`](Self::wake_all)).
///
/// # Memory ordering
///
/// That of the atomic operations. Waiting and waking order nothing, except that a change by
/// `set_bit_and_wake_all` or `add_one_and_wake_all` is a release: what came before it is visible to who loads the changed
/// value with `Acquire`.
///
/// # Fairness
///
/// The kernel wakes those first that have slept longest, among threads of equal priority.
///
/// # Representation
///
/// `#[repr(transparent)]`: 4 bytes, aligned to 4; any value is valid.
///
/// # Sources
///
/// [futex(2)]; [futex2] for waits with a deadline and for several words; [robust futex ABI] for
/// [`armed`](Self::armed).
///
/// [futex(2)]: https://man7.org/linux/man-pages/man2/futex.2.html
/// [futex2]: https://docs.kernel.org/userspace-api/futex2.html
/// [Futexes are tricky]: https://www.akkadia.org/drepper/futex.pdf
/// [robust futex ABI]: https://docs.kernel.org/locking/robust-futex-ABI.html
#[doc(alias("futex", "atomic_wait", "WaitOnAddress"))]
#[repr(transparent)]
pub struct FutexWord(AtomicU32);

/// How a wait on a [`FutexWord`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FutexWait {
    /// By a wake-up. It may have been for another, or for nothing: look again.
    Woken,
    /// The word held something else: as the wait began, or as it went on after a signal.
    Changed,
    /// The deadline passed.
    TimedOut,
}

impl FutexWord {
    const_fn! {
        /// A word that holds `value`. (A `const fn`, except under loom.)
        pub fn new(value: u32) -> Self {
            Self(AtomicU32::new(value))
        }
    }

    /// Sleeps if the word holds `expected`, until somebody wakes it.
    ///
    /// Signals do not end the wait; after one, it compares again. It may end for nothing: look at
    /// the word again.
    ///
    /// ```
    /// use procsync::{FutexWait, FutexWord};
    ///
    /// let word = FutexWord::new(1);
    /// assert_eq!(word.wait(0), FutexWait::Changed); // it holds something else
    /// ```
    #[doc(alias("FUTEX_WAIT"))]
    pub fn wait(&self, expected: u32) -> FutexWait {
        self.sleep(expected, None)
    }

    /// [`wait`](Self::wait), for `timeout` at most. Zero compares, and does not sleep; what the
    /// clock cannot express is [for ever](crate::Lock#waiting).
    ///
    /// ```
    /// use std::time::Duration;
    /// use procsync::{FutexWait, FutexWord};
    ///
    /// let word = FutexWord::new(0);
    /// assert_eq!(word.wait_timeout(0, Duration::from_millis(1)), FutexWait::TimedOut);
    /// ```
    pub fn wait_timeout(&self, expected: u32, timeout: Duration) -> FutexWait {
        self.wait_with(expected, Timeout::For(timeout))
    }

    /// [`wait`](Self::wait), until `deadline` at most. One that has passed compares, and does not
    /// sleep.
    pub fn wait_until(&self, expected: u32, deadline: Instant) -> FutexWait {
        self.wait_with(expected, Timeout::Until(deadline))
    }

    fn wait_with(&self, expected: u32, timeout: Timeout) -> FutexWait {
        match timeout.start() {
            Patience::Spent if self.0.load(Ordering::Relaxed) == expected => FutexWait::TimedOut,
            Patience::Spent => FutexWait::Changed,
            patience => self.sleep(expected, patience.deadline()),
        }
    }

    fn sleep(&self, expected: u32, deadline: Option<Deadline>) -> FutexWait {
        match kernel::wait(kernel::whole(&self.0), expected, deadline) {
            Waited::Woken | Waited::Recheck => FutexWait::Woken,
            Waited::Changed => FutexWait::Changed,
            Waited::TimedOut => FutexWait::TimedOut,
        }
    }

    /// Wakes up to `n` of those who sleep; how many. A system call, also if nobody sleeps, but for
    /// an `n` of 0. Who comes to sleep later is not woken: change the word first. A thread that names the
    /// word several times in one [`wait_any`](crate::wait_any) counts as often.
    ///
    /// ```
    /// use std::{thread, time::Duration};
    /// use procsync::{FutexWait, FutexWord};
    ///
    /// let word = FutexWord::new(0);
    /// thread::scope(|threads| {
    ///     let sleeper = threads.spawn(|| word.wait_timeout(0, Duration::from_secs(10)));
    ///     while word.sleepers() == 0 {
    ///         thread::yield_now();
    ///     }
    ///     assert_eq!(word.wake(1), 1); // with the word as it was: the sleeper has to look
    ///     assert_eq!(sleeper.join().unwrap(), FutexWait::Woken);
    /// });
    /// ```
    #[doc(alias("FUTEX_WAKE", "notify"))]
    pub fn wake(&self, n: u32) -> usize {
        if n == 0 {
            // The kernel would wake one.
            return 0;
        }
        kernel::wake(&raw const self.0, n as usize)
    }

    /// Wakes all who sleep; how many. Otherwise as [`wake`](Self::wake).
    #[doc(alias("notify_all"))]
    pub fn wake_all(&self) -> usize {
        kernel::wake(&raw const self.0, usize::MAX)
    }

    /// Sets a bit, 0 being the least significant, and wakes all, in one step of the kernel: no death comes
    /// between the change and the wake-up. (Of `bit`, modulo 32, as with [`u32::wrapping_shl`].)
    ///
    /// ```
    /// use std::sync::atomic::Ordering::Acquire;
    /// use procsync::FutexWord;
    ///
    /// let done = FutexWord::new(0b0101);
    /// done.set_bit_and_wake_all(1);
    /// assert_eq!(done.load(Acquire), 0b0111);
    /// ```
    #[doc(alias("FUTEX_WAKE_OP"))]
    pub fn set_bit_and_wake_all(&self, bit: u8) {
        // ORDERING: the kernel's change is as good as a Relaxed one; the fence makes it a release.
        fence(Ordering::Release);
        kernel::set_bit_and_wake_all(&self.0, u16::from(bit) % 32);
    }

    /// Adds 1, wrapping around, and wakes all, in one step of the kernel: no death comes between the change
    /// and the wake-up. How many were woken.
    ///
    /// ```
    /// use std::sync::atomic::Ordering::Acquire;
    /// use procsync::FutexWord;
    ///
    /// let changes = FutexWord::new(u32::MAX);
    /// assert_eq!(changes.add_one_and_wake_all(), 0); // nobody sleeps
    /// assert_eq!(changes.load(Acquire), 0);
    /// ```
    #[doc(alias("FUTEX_WAKE_OP"))]
    pub fn add_one_and_wake_all(&self) -> usize {
        // ORDERING: as above.
        fence(Ordering::Release);
        // Should the comparison be true, it wakes all who are left.
        kernel::add_and_wake(&self.0, 1, u32::MAX, 0)
    }

    /// How many threads, of any process, sleep on it now. A system call, since the kernel counts;
    /// the dead are not among them. One that names the word several times in one
    /// [`wait_any`](crate::wait_any) counts as often.
    pub fn sleepers(&self) -> usize {
        kernel::count_sleepers(&self.0)
    }

    /// Calls `f`. Should this thread die in it, by a signal, `exec`, or an exit of its process, one sleeper of
    /// the word is woken, if the lower 30 bits are 0 then: who comes to look finds out, and may pass it on.
    ///
    /// If they are the TID of this thread (`gettid(2)`), the kernel makes them 0 and sets bit 30; bit 31
    /// stays, and one is woken only if it is set. With any other value nothing happens.
    ///
    /// So keep a word beside the one that changes, which is always 0; let sleepers wait for both with
    /// [`wait_any`](crate::wait_any); and change, wake, and be woken, in `f`.
    ///
    /// A thread has one such word at a time: within `f`, another call of `armed`, and each
    /// operation of a primitive that somebody sleeps on, takes its place while it lasts. It is the
    /// `list_op_pending` of the [robust futex ABI].
    ///
    /// # Panics
    ///
    /// As `f` does. That is no death: nobody is woken.
    ///
    /// [robust futex ABI]: https://docs.kernel.org/locking/robust-futex-ABI.html
    ///
    /// # Examples
    ///
    /// ```
    /// use procsync::{FutexWord, Shared};
    /// use std::time::Duration;
    ///
    /// let died = Shared::anonymous(FutexWord::new(0))?;
    /// let theirs = died.clone();
    /// let sleeper = std::thread::spawn(move || theirs.wait_timeout(0, Duration::from_secs(10)));
    /// while died.sleepers() == 0 {
    ///     std::thread::yield_now();
    /// }
    /// match unsafe { libc::fork() } {
    ///     0 => died.armed(|| std::process::abort()),
    ///     _ => assert_eq!(sleeper.join().unwrap(), procsync::FutexWait::Woken),
    /// }
    /// # Ok::<(), procsync::ShareError>(())
    /// ```
    pub fn armed<R>(&self, f: impl FnOnce() -> R) -> R {
        // A closure, not a guard: one that is forgotten would leave the kernel an address to write to.
        let _armed = robust::arm(ptr::from_ref(&self.0));
        f()
    }

    /// What to sleep on, beside other words.
    pub(crate) fn watch(&self, expected: u32) -> kernel::Expected<'_> {
        (kernel::whole(&self.0), expected)
    }
}

impl Deref for FutexWord {
    type Target = AtomicU32;

    #[inline]
    fn deref(&self) -> &AtomicU32 {
        &self.0
    }
}

impl Default for FutexWord {
    fn default() -> Self {
        Self::new(0)
    }
}

impl fmt::Debug for FutexWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0.load(Ordering::Relaxed);
        f.debug_tuple("FutexWord").field(&value).finish()
    }
}
