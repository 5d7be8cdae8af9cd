//! A counter of permits, without an owner. The protocol is in [`permits`](crate::permits).

use core::fmt;
use std::time::{Duration, Instant};

use crate::deadline::Timeout;
use crate::error::ReleaseError;
use crate::permits::{self, PastLimit, Permits, SemaphoreSnapshot};
use crate::robust;
use crate::sync::{const_fn, kernel};

/// A counter of permits, for threads of any number of processes: as Python's
/// [`threading.Semaphore`](crate::guide::from_python) and POSIX's `sem_t`.
///
/// [`acquire`](Self::acquire) takes a permit, waiting for one if there is none, and
/// [`release`](Self::release) adds some. Nobody owns a permit: whoever likes may release.
///
/// ```
/// use procsync::Semaphore;
///
/// let rooms = Semaphore::new(4);
/// let room = rooms.acquire();
/// assert_eq!(rooms.available_permits(), 3);
/// drop(room); // gives it back
///
/// rooms.acquire().forget(); // keeps it …
/// rooms.release(1)?; // … until somebody says so
/// # Ok::<(), procsync::ReleaseError>(())
/// ```
///
/// # Between two processes
///
/// Permits stand for things: one process makes them, the other uses them up.
///
#[doc = include_str!("../docs/examples/semaphore.md")]
///
/// # Waiting
///
/// To take a permit that is there is no system call, nor to release where nobody sleeps. Who finds
/// none looks again for a while, if that has paid before, and then sleeps in the kernel
/// ([futex(2)]). Timeouts, deadlines and signals are as with a [`Lock`](crate::Lock#waiting).
///
/// # Memory ordering
///
/// What happened before a release is visible to whoever acquires a permit that it may have brought.
///
/// # Fairness
///
/// None is promised. One that comes while a permit is free takes it; sleepers are woken in the order
/// in which they fell asleep. While somebody waits for it beside other things ([`wait_any`](crate::wait_any)),
/// a release wakes all.
///
/// # Signals
///
/// [`release`](Self::release) may be called in a signal handler ([signal-safety(7)]), also in one
/// that interrupted an operation of the same semaphore.
///
/// # Death
///
/// The death of a waiter, asleep or just woken, passes the wake-up on, within microseconds. A
/// release is whole or not at all. Permits that a dead process held stay taken, as with those of
/// [sem_overview(7)]: nobody knows whose they were. Who has to know keeps one [`Lock`](crate::Lock)
/// for each thing that can be had, or [books beside
/// it](crate::guide::surviving#permits-of-the-dead).
///
/// # Representation
///
/// `#[repr(C)]`: 16 bytes, aligned to 8. All-zero memory has no permits.
///
/// [futex(2)]: https://man7.org/linux/man-pages/man2/futex.2.html
/// [sem_overview(7)]: https://man7.org/linux/man-pages/man7/sem_overview.7.html
/// [signal-safety(7)]: https://man7.org/linux/man-pages/man7/signal-safety.7.html
#[doc(alias("sem_t", "sem_init", "counting semaphore"))]
#[repr(C)]
pub struct Semaphore {
    permits: Permits,
}

impl Semaphore {
    /// The most permits there can be.
    pub const MAX_PERMITS: u32 = permits::MAX;

    const_fn! {
        /// A semaphore with so many permits. (A `const fn`, except under loom.)
        ///
        /// # Panics
        ///
        /// Past [`MAX_PERMITS`](Self::MAX_PERMITS).
        pub fn new(permits: u32) -> Self {
            assert!(permits <= Self::MAX_PERMITS, "a semaphore has at most 2147483647 permits, Semaphore::MAX_PERMITS");
            Self { permits: Permits::new(permits) }
        }
    }

    /// Adds `n` permits, all of them or none, and wakes as many waiters. 0 does nothing. Never
    /// waits; no system call where nobody sleeps.
    ///
    /// # Errors
    ///
    /// [`Overflow`](ReleaseError::Overflow): there would be more than
    /// [`MAX_PERMITS`](Self::MAX_PERMITS). Nothing was changed.
    ///
    /// # Examples
    ///
    /// ```
    /// use procsync::{ReleaseError, Semaphore};
    ///
    /// let items = Semaphore::new(0);
    /// items.release(3)?; // three that wait, or come, go on
    /// assert_eq!(items.available_permits(), 3);
    /// let too_many = items.release(Semaphore::MAX_PERMITS);
    /// assert_eq!(too_many, Err(ReleaseError::Overflow));
    /// # Ok::<(), ReleaseError>(())
    /// ```
    #[doc(alias("sem_post", "post", "add_permits", "signal"))]
    #[inline]
    pub fn release(&self, n: u32) -> Result<(), ReleaseError> {
        self.permits
            .release(n, Self::MAX_PERMITS)
            .map_err(|PastLimit| ReleaseError::Overflow)
    }

    fn limit(&self) -> u32 {
        Self::MAX_PERMITS
    }

    #[cfg_attr(loom, allow(dead_code, reason = "models are not inspected"))]
    pub(crate) fn snapshot(&self) -> SemaphoreSnapshot {
        self.permits.snapshot(None)
    }
}

/// The methods that [`Semaphore`] and [`BoundedSemaphore`](crate::BoundedSemaphore) share: those of a
/// type with `permits` and `limit()`.
macro_rules! acquiring {
    ($Semaphore:ident) => {
        impl $Semaphore {
            /// Takes a permit, [waiting](Self#waiting) for one as long as it takes.
            #[doc(alias("sem_wait"))]
            #[inline]
            pub fn acquire(&self) -> Permit<'_> {
                self.permits.acquire_patiently();
                Permit::new(&self.permits, self.limit())
            }

            /// Takes a permit if there is one. Never waits. `None`: there was none.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use procsync::", stringify!($Semaphore), ";")]
            ///
            #[doc = concat!("let rooms = ", stringify!($Semaphore), "::new(1);")]
            /// let room = rooms.try_acquire();
            /// assert!(room.is_some() && rooms.try_acquire().is_none());
            /// ```
            #[doc(alias("sem_trywait"))]
            #[must_use = "whether there is a permit, which is given back as soon as it is dropped"]
            #[inline]
            pub fn try_acquire(&self) -> Option<Permit<'_>> {
                self.take(Timeout::Zero)
            }

            /// Takes a permit, waiting for `timeout` at most. Zero is one try; what the clock
            /// cannot express is [for ever](Self#waiting). `None`: the time has passed, and nothing
            /// was taken.
            #[doc(alias("sem_timedwait"))]
            #[must_use = "whether there is a permit, which is given back as soon as it is dropped"]
            #[inline]
            pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
                self.take(Timeout::For(timeout))
            }

            /// Takes a permit, waiting until `deadline` at most. One that has passed is one try.
            /// `None`: it has passed, and nothing was taken.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::{Duration, Instant};
            #[doc = concat!("use procsync::", stringify!($Semaphore), ";")]
            ///
            #[doc = concat!("let rooms = ", stringify!($Semaphore), "::new(1);")]
            /// let deadline = Instant::now() + Duration::from_millis(1);
            /// let stay = rooms.acquire_until(deadline).expect("one is free");
            /// assert!(rooms.acquire_until(deadline).is_none());
            /// assert!(Instant::now() >= deadline);
            /// # drop(stay);
            /// ```
            #[doc(alias("sem_clockwait"))]
            #[must_use = "whether there is a permit, which is given back as soon as it is dropped"]
            #[inline]
            pub fn acquire_until(&self, deadline: Instant) -> Option<Permit<'_>> {
                self.take(Timeout::Until(deadline))
            }

            #[inline]
            fn take(&self, timeout: Timeout) -> Option<Permit<'_>> {
                let taken = self.permits.acquire(timeout);
                taken.then(|| Permit::new(&self.permits, self.limit()))
            }

            /// What to sleep on, beside other words; `None`: look again.
            pub(crate) fn watch(&self) -> Option<$crate::kernel::Expected<'_>> {
                self.permits.watch()
            }

            /// How many permits are free. It may have changed by the time you look, and orders
            /// nothing; no system call.
            #[doc(alias("sem_getvalue"))]
            pub fn available_permits(&self) -> u32 {
                self.permits.available()
            }
        }

        impl fmt::Debug for $Semaphore {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Semaphore))
                    .field("available_permits", &self.available_permits())
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use acquiring;

acquiring!(Semaphore);

/// A permit of a [`Semaphore`] or [`BoundedSemaphore`](crate::BoundedSemaphore). Given back when
/// dropped; may be dropped by another thread.
///
/// In a child of [fork(2)], permits that were inherited do nothing: the parent has them. Nor does
/// one whose return would take the count past its bound. The permits of a process that died stay
/// taken.
///
/// [fork(2)]: https://man7.org/linux/man-pages/man2/fork.2.html
#[must_use = "the permit is given back as soon as it is dropped: name it `_permit`, say, for `let _ = …` drops it at \
              once, too"]
pub struct Permit<'semaphore> {
    permits: &'semaphore Permits,
    limit: u32,
    incarnation: u32,
}

impl<'semaphore> Permit<'semaphore> {
    #[inline]
    pub(crate) fn new(permits: &'semaphore Permits, limit: u32) -> Self {
        Self {
            permits,
            limit,
            incarnation: robust::incarnation(),
        }
    }

    /// Keeps the permit for good: it is not given back, unless somebody calls `release`. For
    /// permits that are used up, and for those that another process is to give back.
    ///
    /// ```
    /// use procsync::Semaphore;
    ///
    /// let items = Semaphore::new(2);
    /// items.acquire().forget();
    /// assert_eq!(items.available_permits(), 1);
    /// ```
    #[inline]
    pub fn forget(self) {
        core::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if !kernel::is_over() && robust::is_incarnation(self.incarnation) {
            // Past the limit: somebody released what was not theirs. Nobody is there to be told.
            let _ = self.permits.release(1, self.limit);
        }
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
