//! A lock that its owner may acquire again.

use core::fmt;
use core::ops::Deref;
use std::time::{Duration, Instant};

use crate::deadline::Timeout;
use crate::error::AcquireError;
use crate::front::{OnlyForThisThread, PANICKING, lock_front, new_holder};
use crate::raw_lock::{RawLock, Refusal};
use crate::robust;
use crate::sync::{Ordering, Protected, const_fn};

/// A [`Lock`](crate::Lock) that the thread that holds it may acquire again, and must release as
/// often.
///
/// As several guards may live at once, they give shared access only; use a `Cell` or an atomic for
/// what has to change.
///
/// ```
/// use std::cell::Cell;
/// use procsync::{AcquireError, RLock};
///
/// let total = RLock::new(Cell::new(0));
/// let outer = total.acquire()?;
/// let inner = total.acquire()?; // a Lock would answer Deadlock
/// inner.set(outer.get() + 1);
/// assert_eq!((inner.depth(), total.acquire()?.get()), (2, 1));
/// # drop((inner, outer));
/// # Ok::<(), AcquireError<()>>(())
/// ```
///
/// # Between two processes
///
/// A function that needs the lock is called by others that have it. Two processes do so at once:
///
#[doc = include_str!("../docs/examples/rlock.md")]
///
/// # Errors of an acquisition
///
/// Those of a `Lock`, but instead of `Deadlock`,
/// [`RecursionLimit`](AcquireError::RecursionLimit) at the 2³²th hold. While the lock is poisoned,
/// acquiring it again answers [`Poisoned`](AcquireError::Poisoned), too.
///
/// # Waiting
///
/// As with a [`Lock`](crate::Lock#waiting). Further holds of the same thread never wait, and are no
/// system call.
///
/// # Everything else
///
/// [Memory ordering](crate::Lock#memory-ordering), [fairness](crate::Lock#fairness),
/// [death](crate::Lock#death), [representation](crate::Lock#representation) and the use in other
/// mappings are those of a `Lock`. The death of a holder ends all its holds at once.
#[doc(alias("ReentrantLock", "ReentrantMutex", "RecursiveMutex"))]
#[repr(C)]
pub struct RLock<T: ?Sized = ()> {
    pub(crate) raw: RawLock,
    data: Protected<T>,
}

/// One hold of an [`RLock`]. Released when dropped; poisons the lock if dropped by a panic that
/// began while it lived.
///
/// Not [`Send`]: the kernel frees the locks of the thread that acquired them. Guards may be dropped
/// in any order; the last one releases the lock.
#[doc(alias("ReentrantLockGuard", "ReentrantMutexGuard", "unlock", "release"))]
#[must_use = "the lock is released as soon as the guard is dropped: name it `_guard`, say, for `let _ = …` drops it \
              at once, too"]
pub struct RLockGuard<'lock, T: ?Sized> {
    lock: &'lock RLock<T>,
    /// The TID of the thread that acquired the lock: the guard is inert in any other, as in a forked child.
    /// And `PANICKING`.
    holder: u32,
    _not_send: OnlyForThisThread,
}

lock_front!(RLock, RLockGuard, &T);

impl<T: ?Sized> RLock<T> {
    #[inline]
    fn take(&self, timeout: Timeout) -> Result<(), Refusal> {
        if robust::with(|thread| self.raw.is_owned_by(thread)) {
            let depth = self.depth().checked_add(1).ok_or(Refusal::RecursionLimit)?;
            self.set_depth(depth);
        } else {
            self.raw.acquire(timeout)?;
            self.be_held_once();
        }
        Ok(())
    }

    #[inline]
    fn give_back(&self) {
        let depth = self.depth();
        if depth <= 1 {
            self.raw.release();
        } else {
            self.set_depth(depth - 1);
        }
    }

    /// The depth is the owner's alone, and passes from owner to owner with the word.
    #[inline]
    fn depth(&self) -> u32 {
        self.raw.depth.load(Ordering::Relaxed)
    }

    #[inline]
    fn set_depth(&self, depth: u32) {
        self.raw.depth.store(depth, Ordering::Relaxed);
    }

    /// [`acquire`](Self::acquire); if the lock is poisoned, calls `repair` on the data and clears the
    /// poison. If `repair` panics, or its process dies, the lock is poisoned still.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire), but not [`Poisoned`](AcquireError::Poisoned).
    ///
    /// # Panics
    ///
    /// As `repair` does.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cell::Cell;
    /// use procsync::{AcquireError, RLock};
    ///
    /// let pair = RLock::new([const { Cell::new(0_u32) }; 2]); // always equal
    /// let _ = std::panic::catch_unwind(|| {
    ///     let pair = pair.acquire().unwrap();
    ///     pair[0].set(1);
    ///     panic!("before the other is set");
    /// });
    /// let guard = pair.acquire_or_repair(|pair| pair[1].set(pair[0].get()))?;
    /// assert_eq!(guard[1].get(), 1);
    /// # drop(guard);
    /// # Ok::<(), AcquireError<()>>(())
    /// ```
    pub fn acquire_or_repair(
        &self,
        repair: impl FnOnce(&T),
    ) -> Result<RLockGuard<'_, T>, AcquireError<RLockGuard<'_, T>>> {
        self.repair(self.acquire(), repair)
    }

    #[inline]
    fn be_held_once(&self) {
        self.set_depth(1);
    }

    /// What a repair gets.
    fn data_of<'guard>(guard: &'guard mut RLockGuard<'_, T>) -> &'guard T {
        guard
    }
}

impl<T: ?Sized> RLockGuard<'_, T> {
    /// How many times the calling thread holds the lock: 1 for a single guard. A forgotten guard
    /// counts.
    #[doc(alias("recursion", "level"))]
    pub fn depth(&self) -> u32 {
        self.lock.depth()
    }
}
