//! The error types, one for each family of operations.
//!
//! What `unwrap` prints is `Debug`, and all that many people see of an error. So `Debug` has the text of
//! `Display` beside the variant's name, as that of [`io::Error`] has.

use core::fmt::{self, Display};
use std::io;

/// `Name { message: "…" }`.
pub(crate) fn debug(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    error: &(impl Display + ?Sized),
) -> fmt::Result {
    let message = error.to_string();
    f.debug_struct(name).field("message", &message).finish()
}

/// Why an acquisition of a [`Lock`](crate::Lock) or an [`RLock`](crate::RLock) did not simply
/// succeed.
///
/// `G` is the guard type. Where the lock was acquired all the same ([`Poisoned`](Self::Poisoned)),
/// the guard travels in the error: dropping the error releases the lock,
/// [`into_guard`](Self::into_guard) takes the guard out.
///
/// # Passing it on
///
/// With the guard, the error cannot outlive the lock; where it would, the compiler says that the lock
/// does not live long enough. `?` makes it one without, and so releases the lock, in a function that
/// answers with `AcquireError<()>`; for any other error, [`without_guard`](Self::without_guard) does:
///
/// ```
/// use procsync::{AcquireError, Lock};
/// use std::error::Error;
///
/// fn sell(stock: &Lock<u32>) -> Result<u32, AcquireError<()>> {
///     let mut stock = stock.acquire()?;
///     *stock -= 1;
///     Ok(*stock)
/// }
///
/// fn main() -> Result<(), Box<dyn Error>> {
///     let stock = Lock::new(5);
///     *stock.acquire().map_err(|error| error.without_guard())? += 1;
///     assert_eq!(sell(&stock)?, 5);
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum AcquireError<G> {
    /// You hold the lock, but a previous holder died or panicked while it held it, so the data may
    /// be half-changed. Inspect or rebuild it, then call `clear_poison`; until then every
    /// acquisition answers this. `acquire_or_repair` does the three steps in one.
    Poisoned(G),
    /// `try_acquire` found the lock held by somebody else. Nothing was changed. Come again, or wait for
    /// it with `acquire` or `acquire_timeout`.
    WouldBlock,
    /// The timeout or deadline passed before the lock could be had. Nothing was changed. `owner` tells
    /// which thread holds it, [`inspect`](crate::inspect) also whether that one lives.
    TimedOut,
    /// The calling thread already holds this lock (never for [`RLock`](crate::RLock)). Waiting
    /// would have lasted for ever. Use the guard you have, or an `RLock`.
    Deadlock,
    /// The [`RLock`](crate::RLock) is held as many times as it can count. Drop some guards.
    RecursionLimit,
    /// The calling thread holds 2047 locks in shared memory. The kernel looks at 2048 entries of a
    /// thread's robust list, one of which is the crate's own; one more lock would not be recovered
    /// if the thread died, so it is refused. Release some, or spread them over threads. (Also where
    /// the system has no memory for the thread's first lock.)
    TooManyHeld,
    /// The lock lies in shared memory, and the system refuses to keep a robust list for the calling
    /// thread: a sandbox keeps both [get_robust_list(2)] and `set_robust_list` away, or system calls
    /// are emulated without them. Nobody would hear of this thread's death, and wait for ever, so the lock
    /// was not taken. Let the calls through.
    ///
    /// [get_robust_list(2)]: https://man7.org/linux/man-pages/man2/get_robust_list.2.html
    NoRobustList,
}

const TOO_MANY_HELD: &str = "the calling thread can hold no more locks: if it died, the kernel would recover \
     2047 of them; release some first, or spread them over threads";

/// For [`ShareError`](crate::ShareError), too.
pub(crate) const NO_ROBUST_LIST: &str = "the system keeps no robust list for the calling thread, so that \
     nobody would hear of its death: get_robust_list(2) and set_robust_list(2) are refused, by a sandbox \
     perhaps; let them through";

impl<G> AcquireError<G> {
    /// The guard, where the lock is held all the same: `Some` for [`Poisoned`](Self::Poisoned) only.
    pub fn into_guard(self) -> Option<G> {
        match self {
            Self::Poisoned(guard) => Some(guard),
            _ => None,
        }
    }

    /// The same error without the guard (which is dropped, and the lock released), for `?` where the
    /// error must outlive the lock.
    pub fn without_guard(self) -> AcquireError<()> {
        match self {
            Self::Poisoned(_) => AcquireError::Poisoned(()),
            Self::WouldBlock => AcquireError::WouldBlock,
            Self::TimedOut => AcquireError::TimedOut,
            Self::Deadlock => AcquireError::Deadlock,
            Self::RecursionLimit => AcquireError::RecursionLimit,
            Self::TooManyHeld => AcquireError::TooManyHeld,
            Self::NoRobustList => AcquireError::NoRobustList,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Poisoned(_) => "Poisoned",
            Self::WouldBlock => "WouldBlock",
            Self::TimedOut => "TimedOut",
            Self::Deadlock => "Deadlock",
            Self::RecursionLimit => "RecursionLimit",
            Self::TooManyHeld => "TooManyHeld",
            Self::NoRobustList => "NoRobustList",
        }
    }

    fn message(&self) -> &'static str {
        match self {
            Self::Poisoned(_) => {
                "the lock is poisoned: a previous holder died or panicked while holding it; \
                 repair the data and call clear_poison, or acquire it with acquire_or_repair"
            }
            Self::WouldBlock => {
                "the lock is held by another thread; acquire and acquire_timeout wait for it"
            }
            Self::TimedOut => {
                "the lock stayed held by another thread until the deadline; owner tells by which"
            }
            Self::Deadlock => {
                "the calling thread already holds this lock, and would have waited for ever; use \
                 the guard it has, or an RLock"
            }
            Self::RecursionLimit => {
                "the RLock is held as many times as it can count; drop some guards first"
            }
            Self::TooManyHeld => TOO_MANY_HELD,
            Self::NoRobustList => NO_ROBUST_LIST,
        }
    }
}

impl<G> fmt::Debug for AcquireError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, self.name(), self.message())
    }
}

impl<G> fmt::Display for AcquireError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl<G> core::error::Error for AcquireError<G> {}

/// The lock that a [`Condition`](crate::Condition) was waited with is poisoned: a holder died or
/// panicked while it held it. The guard holds the lock all the same. Inspect or rebuild the data, then
/// call `clear_poison`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Poisoned;

impl fmt::Debug for Poisoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "Poisoned", self)
    }
}

impl fmt::Display for Poisoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the lock is poisoned: a holder died or panicked while holding it; it is held again, \
             repair the data and call clear_poison",
        )
    }
}

impl core::error::Error for Poisoned {}

/// Why permits could not be released. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The [`Semaphore`](crate::Semaphore) would have had more than
    /// [`MAX_PERMITS`](crate::Semaphore::MAX_PERMITS). Something releases more than it acquires.
    Overflow,
    /// The [`BoundedSemaphore`](crate::BoundedSemaphore) would have had more permits than its bound:
    /// some were released that nobody had acquired.
    BoundExceeded,
}

impl fmt::Debug for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Overflow => "Overflow",
            Self::BoundExceeded => "BoundExceeded",
        };
        debug(f, name, self)
    }
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overflow => {
                "the semaphore would have more than MAX_PERMITS, 2147483647; nothing was released; \
                 find what releases more than it acquires"
            }
            Self::BoundExceeded => {
                "the semaphore would have more permits than its bound; nothing was released; find \
                 what releases permits that nobody acquired, or that their Permit gives back"
            }
        })
    }
}

impl core::error::Error for ReleaseError {}

/// Why a party did not meet the others at a [`Barrier`](crate::Barrier).
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarrierError {
    /// The barrier is broken, or was while this party waited: another one timed out, aborted, panicked
    /// or died, or somebody called `reset`. Find out who is left, and `reset` it.
    Broken,
    /// This party's timeout or deadline passed before all others had come, and that has broken the
    /// barrier for them.
    TimedOut,
}

impl fmt::Debug for BarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Broken => "Broken",
            Self::TimedOut => "TimedOut",
        };
        debug(f, name, self)
    }
}

impl fmt::Display for BarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken => {
                "the barrier is broken: another party timed out, aborted, panicked or died, or it was \
                 reset; call reset once it is known who is left (made of zeros, it has no parties, and is \
                 always broken)"
            }
            Self::TimedOut => {
                "the others did not come to the barrier in time, which is broken now; call reset once \
                 it is known who is left"
            }
        })
    }
}

impl core::error::Error for BarrierError {}

/// Why a [`Timer`](crate::Timer) was not armed.
#[non_exhaustive]
pub enum TimerError {
    /// It is armed or running, or it is finished and was not reset. Wait for its end, and call
    /// `reset`.
    AlreadyStarted,
    /// There was no thread to be had for it: a limit of the system or of its memory is reached. It is
    /// as it was. [`run`](crate::Timer::run) does without a new thread.
    Spawn(io::Error),
    /// The calling thread holds as many locks as the kernel tracks for it, and the timer would be one
    /// more: see [`AcquireError::TooManyHeld`].
    TooManyHeld,
    /// Nobody would hear of the calling thread's death: see [`AcquireError::NoRobustList`].
    NoRobustList,
}

impl fmt::Debug for TimerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::AlreadyStarted => "AlreadyStarted",
            Self::Spawn(_) => "Spawn",
            Self::TooManyHeld => "TooManyHeld",
            Self::NoRobustList => "NoRobustList",
        };
        debug(f, name, self)
    }
}

impl fmt::Display for TimerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyStarted => f.write_str(
                "the timer is armed, or finished and not reset; wait for its end, and call reset",
            ),
            Self::Spawn(error) => write!(
                f,
                "no thread could be started for the timer: {error}; run it on a thread that is there"
            ),
            Self::TooManyHeld => f.write_str(TOO_MANY_HELD),
            Self::NoRobustList => f.write_str(NO_ROBUST_LIST),
        }
    }
}

impl core::error::Error for TimerError {
    /// What is behind the error of the system, whose own text is part of this one's.
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Spawn(error) => error.source(),
            _ => None,
        }
    }
}
