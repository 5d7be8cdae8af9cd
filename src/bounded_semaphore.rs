//! A [`Semaphore`](crate::Semaphore) that never has more permits than it began with. The word is a
//! semaphore's; the bound is checked in the very step that adds the permits.

use core::fmt;
use std::time::{Duration, Instant};

use crate::deadline::Timeout;
use crate::error::ReleaseError;
use crate::permits::{PastLimit, Permits, SemaphoreSnapshot};
use crate::semaphore::{Permit, Semaphore, acquiring};
use crate::sync::{Note, Ordering, const_fn};

/// A [`Semaphore`] that never has more permits than its bound: as Python's
/// [`threading.BoundedSemaphore`](crate::guide::from_python). It finds releases that should not
/// have been.
///
/// ```
/// use procsync::{BoundedSemaphore, ReleaseError};
///
/// let connections = BoundedSemaphore::new(2);
/// let first = connections.acquire();
/// drop(first);
/// assert_eq!(connections.release(1), Err(ReleaseError::BoundExceeded));
/// ```
///
/// # Between two processes
///
/// Two counters can be used at a time, and a process that uses one is killed. Its permit stays
/// taken: a bound says how many there are, not who has them. One who knows that the dead had one,
/// by an event here, gives it back:
///
#[doc = include_str!("../docs/examples/bounded_semaphore.md")]
///
/// A process may die between taking its permit and saying so. Where that has to be known as well,
/// keep one [`Lock`](crate::Lock) for each counter.
///
/// # Waiting
///
/// As with a [`Semaphore`](Semaphore#waiting), and so are [memory
/// ordering](Semaphore#memory-ordering), [fairness](Semaphore#fairness),
/// [signals](Semaphore#signals) and [deaths](Semaphore#death). The bound is checked in the very
/// step that adds the permits, whoever races.
///
/// # Representation
///
/// `#[repr(C)]`: 24 bytes, aligned to 8. All-zero memory has no permits, and a bound of 0: a useless
/// one.
#[doc(alias("sem_t", "pool"))]
#[repr(C)]
pub struct BoundedSemaphore {
    permits: Permits,
    /// Never changes.
    bound: Note,
}

impl BoundedSemaphore {
    const_fn! {
        /// A semaphore that has `bound` permits and will never have more. (A `const fn`, except under
        /// loom.)
        ///
        /// # Panics
        ///
        /// Past [`Semaphore::MAX_PERMITS`].
        pub fn new(bound: u32) -> Self {
            assert!(bound <= Semaphore::MAX_PERMITS, "a semaphore has at most 2147483647 permits, Semaphore::MAX_PERMITS");
            Self { permits: Permits::new(bound), bound: Note::new(bound) }
        }
    }

    /// The most permits it can have. It never changes.
    #[inline]
    pub fn bound(&self) -> u32 {
        self.bound.load(Ordering::Relaxed)
    }

    /// Adds `n` permits, all of them or none, and wakes as many waiters. 0 does nothing. Never
    /// waits; no system call where nobody sleeps. For permits that were
    /// [forgotten](Permit::forget), or whose holder has died: others go back when they are dropped.
    ///
    /// # Errors
    ///
    /// [`BoundExceeded`](ReleaseError::BoundExceeded): there would be more than
    /// [`bound`](Self::bound). Nothing was changed.
    ///
    /// # Examples
    ///
    /// ```
    /// use procsync::{BoundedSemaphore, ReleaseError};
    ///
    /// let places = BoundedSemaphore::new(3);
    /// places.acquire().forget();
    /// assert_eq!(places.release(2), Err(ReleaseError::BoundExceeded)); // not even one of them
    /// places.release(1)?;
    /// # Ok::<(), ReleaseError>(())
    /// ```
    #[doc(alias("sem_post", "post"))]
    #[inline]
    pub fn release(&self, n: u32) -> Result<(), ReleaseError> {
        self.permits
            .release(n, self.limit())
            .map_err(|PastLimit| ReleaseError::BoundExceeded)
    }

    #[inline]
    fn limit(&self) -> u32 {
        self.bound().min(Semaphore::MAX_PERMITS)
    }

    #[cfg_attr(loom, allow(dead_code, reason = "models are not inspected"))]
    pub(crate) fn snapshot(&self) -> SemaphoreSnapshot {
        self.permits.snapshot(Some(self.bound()))
    }
}

acquiring!(BoundedSemaphore);
