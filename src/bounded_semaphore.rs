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
/// `threading.BoundedSemaphore`. It finds releases that should not have been.
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
/// Memory ordering, fairness, signals and deaths are those of a [`Semaphore`].
///
/// # Representation
///
/// `#[repr(C)]`: 24 bytes, aligned to 8. All-zero memory has no permits, and a bound of 0: a useless
/// one.
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
            assert!(bound <= Semaphore::MAX_PERMITS, "a semaphore counts up to i32::MAX permits");
            Self { permits: Permits::new(bound), bound: Note::new(bound) }
        }
    }

    /// The most permits it can have.
    #[inline]
    pub fn bound(&self) -> u32 {
        self.bound.load(Ordering::Relaxed)
    }

    /// Adds `n` permits, all of them or none, and wakes as many waiters. 0 does nothing.
    ///
    /// # Errors
    ///
    /// [`BoundExceeded`](ReleaseError::BoundExceeded): there would be more than
    /// [`bound`](Self::bound). Nothing was changed.
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
