//! The error types, one for each family of operations.

use core::fmt;
use std::io;

/// Why an acquisition of a [`Lock`](crate::Lock) or an [`RLock`](crate::RLock) did not simply
/// succeed.
///
/// `G` is the guard type. Where the lock was acquired all the same ([`Poisoned`](Self::Poisoned)),
/// the guard travels in the error: dropping the error releases the lock,
/// [`into_guard`](Self::into_guard) takes the guard out.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum AcquireError<G> {
    /// You hold the lock, but a previous holder died or panicked while it held it, so the data may
    /// be half-changed. Inspect or rebuild it, then call `clear_poison`; until then every
    /// acquisition answers this. `acquire_or_repair` does the three steps in one.
    Poisoned(G),
    /// `try_acquire` found the lock held by somebody else. Nothing was changed.
    WouldBlock,
    /// The timeout or deadline passed before the lock could be had. Nothing was changed.
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
}

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
        }
    }

    fn message(&self) -> &'static str {
        match self {
            Self::Poisoned(_) => {
                "the lock is poisoned: a previous holder died or panicked while holding it; \
                 repair the data and call clear_poison"
            }
            Self::WouldBlock => "the lock is held by another thread",
            Self::TimedOut => "the lock stayed held by another thread until the deadline",
            Self::Deadlock => {
                "the calling thread already holds this lock; use its guard, or an RLock"
            }
            Self::RecursionLimit => "the RLock is held as many times as it can count",
            Self::TooManyHeld => {
                "the calling thread holds as many locks as the kernel tracks for one thread; \
                 release some first"
            }
        }
    }
}

impl<G> fmt::Debug for AcquireError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poisoned;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The [`Semaphore`](crate::Semaphore) would have had more than
    /// [`MAX_PERMITS`](crate::Semaphore::MAX_PERMITS). Something releases more than it acquires.
    Overflow,
    /// The [`BoundedSemaphore`](crate::BoundedSemaphore) would have had more permits than its bound:
    /// some were released that nobody had acquired.
    BoundExceeded,
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overflow => {
                "the semaphore would have more permits than it can count; something releases more \
                 than it acquires"
            }
            Self::BoundExceeded => {
                "the semaphore would have more permits than its bound; some were released that \
                 nobody had acquired"
            }
        })
    }
}

impl core::error::Error for ReleaseError {}

/// Why a party did not meet the others at a [`Barrier`](crate::Barrier).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarrierError {
    /// The barrier is broken, or was while this party waited: another one timed out, aborted, panicked
    /// or died, or somebody called `reset`. Find out who is left, and `reset` it.
    Broken,
    /// This party's timeout or deadline passed before all others had come, and that has broken the
    /// barrier for them.
    TimedOut,
}

impl fmt::Display for BarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken => {
                "the barrier is broken: another party timed out, aborted, panicked or died; \
                 reset it once it is known who is left"
            }
            Self::TimedOut => {
                "the others did not come to the barrier in time, which is broken now; reset it once \
                 it is known who is left"
            }
        })
    }
}

impl core::error::Error for BarrierError {}

/// Why a [`Timer`](crate::Timer) was not armed.
#[derive(Debug)]
#[non_exhaustive]
pub enum TimerError {
    /// It is armed or running, or it is finished and was not reset. Wait for its end, and call
    /// `reset`.
    AlreadyStarted,
    /// There was no thread to be had for it.
    Spawn(io::Error),
    /// The calling thread holds as many locks as the kernel tracks for it, and the timer would be one
    /// more: see [`AcquireError::TooManyHeld`].
    TooManyHeld,
}

impl fmt::Display for TimerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyStarted => {
                f.write_str("the timer is armed, or finished and not reset")
            }
            Self::Spawn(error) => write!(f, "no thread could be started for the timer: {error}"),
            Self::TooManyHeld => f.write_str(
                "the calling thread holds as many locks as the kernel tracks for one thread, and the \
                 timer would be one more; release some first",
            ),
        }
    }
}

impl core::error::Error for TimerError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Spawn(error) => Some(error),
            _ => None,
        }
    }
}
