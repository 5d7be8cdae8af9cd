//! A counter of permits, without an owner.
//!
//! # The word
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0–30 | permits | how many are free |
//! | 31 | `WAITERS` | somebody may be asleep |
//!
//! Legal to forget: nothing. Legal to set for nothing: `WAITERS`, at the cost of one system call. Who
//! may change what:
//!
//! - *take*: anybody, when there is a permit: permits − 1. One that has slept also sets `WAITERS`, for
//!   those who still sleep, and if permits are left it wakes one of them.
//! - *release*: anybody: permits + n, and `WAITERS` goes; if it was there, wakes n.
//!   In a signal handler that has interrupted another operation, whose thread's pending slot is in use,
//!   the kernel does both in one step (`FUTEX_WAKE_OP`).
//! - *wait*: sets `WAITERS` on a word without permits, then sleeps on that very value.
//!
//! # Why nobody sleeps while permits are free
//!
//! Nobody falls asleep on a word with permits. Permits come by a release, which takes `WAITERS` away
//! and wakes as many; who is woken takes one and, while there are more, wakes the next, and puts
//! `WAITERS` back. From before the release's change until its wake-up, and from before the sleep until
//! that next wake-up, the [`obituary`](crate::wait) is armed: if one of them dies, a sleeper takes its
//! place.

use core::fmt;
use core::ptr;
use std::time::{Duration, Instant};

use crate::deadline::{Patience, Timeout};
use crate::error::ReleaseError;
use crate::robust;
use crate::sync::{AtomicU32, Ordering, const_fn, fence, kernel};
use crate::wait::{Obituary, Woken, announce};

const WAITERS: u32 = 0x8000_0000;
const PERMITS: u32 = 0x7fff_ffff;

/// As many the kernel can add in one step with a wake-up.
const FEW: u16 = 2047;

fn permits(state: u32) -> u32 {
    state & PERMITS
}

fn has_waiters(state: u32) -> bool {
    state & WAITERS != 0
}

/// The counter under [`Semaphore`] and [`BoundedSemaphore`](crate::BoundedSemaphore).
#[repr(C)]
pub(crate) struct Permits {
    state: AtomicU32,
    obituary: Obituary,
}

/// The permits would be more than the limit.
#[derive(Debug)]
pub(crate) struct PastLimit;

impl Permits {
    const_fn! {
        /// Panics past [`Semaphore::MAX_PERMITS`].
        pub(crate) fn new(permits: u32) -> Self {
            assert!(permits <= Semaphore::MAX_PERMITS, "a semaphore counts up to i32::MAX permits");
            Self { state: AtomicU32::new(permits), obituary: Obituary::new() }
        }
    }

    pub(crate) fn available(&self) -> u32 {
        permits(self.state.load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn acquire(&self, timeout: Timeout) -> bool {
        self.take_uncontended() || self.take_contended(timeout)
    }

    #[inline]
    fn take_uncontended(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        permits(state) > 0 && self.take(state, state.wrapping_sub(1))
    }

    #[inline]
    fn take(&self, state: u32, rest: u32) -> bool {
        // ORDERING: Acquire pairs with the Release of the release that the permit came by; takes in
        // between, which are read-modify-writes, keep its release sequence going.
        self.state
            .compare_exchange(state, rest, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    #[cold]
    fn take_contended(&self, timeout: Timeout) -> bool {
        let patience = timeout.start();
        let _armed = self.obituary.arm();
        let mut may_owe = 0;
        loop {
            let state = self.state.load(Ordering::Relaxed);
            if permits(state) > 0 {
                let rest = state.wrapping_sub(1) | may_owe;
                if self.take(state, rest) {
                    if may_owe != 0 && permits(rest) > 0 {
                        kernel::wake(&raw const self.state, 1);
                    }
                    return true;
                }
            } else if let Patience::Spent = patience {
                return false;
            } else {
                match self.sleep(state, patience) {
                    Woken::ByTime => return false,
                    Woken::NotAsleep => {}
                    Woken::ByState | Woken::ByDeath | Woken::ToLook => may_owe = WAITERS,
                }
            }
        }
    }

    fn sleep(&self, state: u32, patience: Patience) -> Woken {
        match announce(&self.state, state, WAITERS) {
            Ok(announced) => {
                let word = kernel::whole(&self.state);
                self.obituary.sleep(word, announced, patience.deadline())
            }
            Err(_) => Woken::NotAsleep,
        }
    }

    /// Adds `n` permits, all or none.
    #[inline]
    pub(crate) fn release(&self, n: u32, limit: u32) -> Result<(), PastLimit> {
        if n == 0 {
            return Ok(());
        }
        let mut state = self.state.load(Ordering::Relaxed);
        while !has_waiters(state) {
            match self.give(state, n, limit)? {
                Ok(()) => return Ok(()),
                Err(now) => state = now,
            }
        }
        self.release_contended(n, limit)
    }

    /// `Err`: the state has changed, to this.
    #[inline]
    fn give(&self, state: u32, n: u32, limit: u32) -> Result<Result<(), u32>, PastLimit> {
        let free = permits(state);
        if n > limit.saturating_sub(free) {
            return Err(PastLimit);
        }
        // ORDERING: Release pairs with the Acquire in `take`.
        let given =
            self.state
                .compare_exchange(state, free + n, Ordering::Release, Ordering::Relaxed);
        Ok(given.map(drop))
    }

    #[cold]
    fn release_contended(&self, n: u32, limit: u32) -> Result<(), PastLimit> {
        match u16::try_from(n) {
            Ok(few) if !robust::is_at_rest() && self.is_far_from(limit, few) => {
                self.release_in_one_step(few);
                Ok(())
            }
            _ => self.release_armed(n, limit),
        }
    }

    /// Whether there is no need to check the limit in the step that adds so many.
    fn is_far_from(&self, limit: u32, few: u16) -> bool {
        few <= FEW && self.available() < limit.saturating_sub(1 << 20)
    }

    /// For a signal handler that has interrupted an operation of this crate, which has the pending slot.
    /// `WAITERS` stays.
    fn release_in_one_step(&self, few: u16) {
        // ORDERING: the kernel's change of the word is as good as a Relaxed one; the fence makes it a
        // Release.
        fence(Ordering::Release);
        // One more may be woken if the word is 0, which does no harm.
        kernel::add_and_wake(&self.state, few, u32::from(few), 0);
    }

    fn release_armed(&self, n: u32, limit: u32) -> Result<(), PastLimit> {
        // Once the permits are there, a taker may free the memory.
        let address = ptr::from_ref(&self.state);
        let _armed = self.obituary.arm();
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            match self.give(state, n, limit)? {
                Ok(()) => break,
                Err(now) => state = now,
            }
        }
        if has_waiters(state) {
            // Who is woken takes a permit, or finds that others were faster. If this thread dies
            // here, the kernel wakes one, who wakes the next.
            kernel::wake(address, n as usize);
        }
        Ok(())
    }
}

/// A counter of permits, for threads of any number of processes: as Python's
/// `threading.Semaphore` and POSIX's `sem_t`.
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
/// # Memory ordering
///
/// What happened before a release is visible to whoever acquires a permit that it may have brought.
///
/// # Fairness
///
/// None is promised. One that comes while a permit is free takes it; sleepers are woken in the order
/// in which they fell asleep.
///
/// # Signals
///
/// [`release`](Self::release) may be called in a signal handler.
///
/// # Death
///
/// The death of a waiter, asleep or just woken, or of a releaser passes the wake-up on, within
/// microseconds. A release is whole or not at all. Permits that a dead process held stay taken, as with
/// POSIX: nobody knows whose they were.
///
/// # Representation
///
/// `#[repr(C)]`: 8 bytes, aligned to 4. All-zero memory has no permits.
#[repr(C)]
pub struct Semaphore {
    permits: Permits,
}

impl Semaphore {
    /// The most permits there can be.
    pub const MAX_PERMITS: u32 = i32::MAX.unsigned_abs();

    const_fn! {
        /// A semaphore with so many permits. (A `const fn`, except under loom.)
        ///
        /// # Panics
        ///
        /// Past [`MAX_PERMITS`](Self::MAX_PERMITS).
        pub fn new(permits: u32) -> Self {
            Self { permits: Permits::new(permits) }
        }
    }

    /// Adds `n` permits, all of them or none, and wakes as many waiters. 0 does nothing.
    ///
    /// # Errors
    ///
    /// [`Overflow`](ReleaseError::Overflow): there would be more than
    /// [`MAX_PERMITS`](Self::MAX_PERMITS). Nothing was changed.
    #[inline]
    pub fn release(&self, n: u32) -> Result<(), ReleaseError> {
        self.permits
            .release(n, Self::MAX_PERMITS)
            .map_err(|PastLimit| ReleaseError::Overflow)
    }

    fn limit(&self) -> u32 {
        Self::MAX_PERMITS
    }
}

/// The methods that [`Semaphore`] and [`BoundedSemaphore`](crate::BoundedSemaphore) share: those of a
/// type with `permits` and `limit()`.
macro_rules! acquiring {
    ($Semaphore:ident) => {
        impl $Semaphore {
            /// Takes a permit, waiting for one as long as it takes.
            #[inline]
            pub fn acquire(&self) -> Permit<'_> {
                let acquired = self.take(Timeout::Forever);
                acquired.expect("one who waits for ever ends up with a permit")
            }

            /// Takes a permit if there is one. Never waits.
            #[inline]
            pub fn try_acquire(&self) -> Option<Permit<'_>> {
                self.take(Timeout::Zero)
            }

            /// Takes a permit, waiting for `timeout` at most, by the monotonic clock. Zero is one try;
            /// what the clock cannot express is for ever. Signals do not prolong it.
            #[inline]
            pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
                self.take(Timeout::For(timeout))
            }

            /// Takes a permit, waiting until `deadline` at most. One that has passed is one try.
            #[inline]
            pub fn acquire_until(&self, deadline: Instant) -> Option<Permit<'_>> {
                self.take(Timeout::Until(deadline))
            }

            #[inline]
            fn take(&self, timeout: Timeout) -> Option<Permit<'_>> {
                let taken = self.permits.acquire(timeout);
                taken.then(|| Permit::new(&self.permits, self.limit()))
            }

            /// How many permits are free. It may have changed by the time you look.
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
/// In a forked child, permits that were inherited do nothing: the parent has them. Nor does one whose
/// return would take the count past its bound.
#[must_use = "the permit is given back as soon as it is dropped"]
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

    /// Keeps the permit for good: it is not given back, unless somebody calls `release`.
    #[inline]
    pub fn forget(self) {
        core::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.incarnation == robust::incarnation() {
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
