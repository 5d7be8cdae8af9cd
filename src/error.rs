//! The error types, one for each family of operations.

use core::fmt;

/// Why an acquisition of a [`Lock`](crate::Lock) or an [`RLock`](crate::RLock) did not simply
/// succeed.
///
/// `G` is the guard type. Where the lock was acquired all the same ([`Poisoned`](Self::Poisoned)),
/// the guard travels in the error: dropping the error releases the lock,
/// [`into_guard`](Self::into_guard) takes the guard out.
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
    /// The calling thread holds as many locks as the kernel tracks for one thread (2048 entries of
    /// its robust list). One more would not be recovered if the thread died, so it is refused.
    /// Release some, or spread them over threads.
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
