//! [`Lock`] as a raw lock of the crate [`lock_api`]: mutexes with parking_lot's methods and
//! guards, which survive the death of any participant. With the cargo feature `lock_api`.
//!
//! For code that has parking_lot's mutexes, or takes any `R: RawMutex`. Whatever is new takes [`Lock`]
//! itself, which tells what `lock_api` has no word for: poison, deadlock, the reason of a refusal.
//!
//! ```
//! use procsync::lock_api::{Mutex, MutexGuard};
//!
//! static STOCK: Mutex<[u32; 2]> = Mutex::new([100, 100]);
//!
//! let mut apples = MutexGuard::map(STOCK.lock(), |stock| &mut stock[0]);
//! *apples -= 1;
//! drop(apples);
//! assert_eq!(*STOCK.lock(), [99, 100]);
//! ```
//!
//! The names here are those of `lock_api` with the raw lock filled in. The raw lock is `Lock`, without
//! data: it implements [`RawMutex`] and [`RawMutexTimed`], by the same code as a lock that is acquired as
//! one. `lock_api`'s own feature `arc_lock` works with it. In place of a condition variable, a
//! [`Condition`](crate::Condition) waits with a [`MutexGuard`] as with a [`LockGuard`](crate::LockGuard).
//!
//! # Poison
//!
//! `lock_api` knows none, so **`lock` does not tell of it**, nor do the others: after a holder's death
//! or panic the next one gets the mutex as if nothing had happened, and the data may be half-changed.
//! The mutex knows, as a `Lock` would: [`Poison`] asks it, and repairs. A mutex that a death can reach is
//! best locked by [`lock_or_repair`](Poison::lock_or_repair), always.
//!
//! A panic poisons as it does a `Lock`: if it drops a guard, and began while that guard lived.
//!
//! A wait with a `Condition` does tell.
//!
//! # What cannot succeed
//!
//! Locking again what the calling thread holds, one lock more than the kernel tracks for a thread
//! ([`TooManyHeld`](AcquireError::TooManyHeld)), and one in shared memory where nobody would hear of a death
//! ([`NoRobustList`](AcquireError::NoRobustList)): a `Lock` answers with an error. Here,
//!
//! - `try_lock` answers `None`;
//! - `try_lock_for` and `try_lock_until` answer `None` when the time is over;
//! - `lock`, which cannot say no, **ends the process**, after it has said where and why, rather than to
//!   wait for ever while others wait for this thread. So do waits with a timeout that the clock cannot
//!   express.
//!
//! A panic would be unsound: [`MutexGuard::unlocked`](::lock_api::MutexGuard::unlocked) locks the mutex
//! on its way out, and would leave a guard without its lock behind.
//!
//! # Everything else
//!
//! Is as with [`Lock`]: what a death does; forks, in whose child an inherited guard does nothing (unless the
//! child has locked the mutex itself: `lock_api`'s guards do not know who made them, so that one would unlock
//! what the child holds; forget it there); guards that are forgotten; memory ordering. No fairness is promised, so there is no
//! [`RawMutexFair`](::lock_api::RawMutexFair), and guards have neither `unlock_fair` nor `bump`.
//!
//! # In shared memory
//!
//! A `Mutex` is not [`Shareable`](crate::Shareable): `lock_api` does not promise where in it what lies, so
//! two programs built apart could disagree, and its next version may add to it. For
//! [`Shared`](crate::Shared) there is `Lock<T>`; or, in a struct of your own, a `Lock` beside the data,
//! if the code in between wants a `RawMutex`.
//!
//! ```compile_fail,E0277
//! let mutex = procsync::Shared::anonymous(procsync::lock_api::Mutex::new(0_u32));
//! ```
//!
//! In a mapping of your own, placed there by `unsafe` code, a `Mutex<T>` works between processes of *one
//! build*, such as those that were forked with the mapping, under the conditions that `Lock` names. Then
//! `T` must be sound in whatever state a killed process leaves it, between any two instructions: no
//! pointers, and valid for any bit pattern. Nobody checks that, and `lock` gives out a `&mut T`.
//!
//! # No `ReentrantMutex`
//!
//! [`RawReentrantMutex`] has the owner and the number of holds in words of its own beside the raw lock,
//! and looks at these first: where the owner is the calling thread's number, the raw lock is not asked.
//! A death frees the raw lock, but leaves those words as they are. Who comes to have the dead thread's
//! number then, and TIDs are given away again, is let in without the lock, which somebody else may have:
//! two threads with the data, in safe code. With the address of a thread-local as the number it takes no
//! death, as forked processes have equal addresses. [`GetThreadId`] allows both, and no number of 64 bits
//! is certain never to come back. So there is no such number here; do not bring one of your own to shared
//! memory. (`tests/lock_api` shows both.)
//!
//! Nor can a lock that its owner may lock again be a [`RawMutex`], which gives out `&mut`. What is right
//! is [`RLock`](crate::RLock): its owner is named by the word of the lock itself, which the kernel frees,
//! and each new owner begins to count anew.
//!
//! [`RawReentrantMutex`]: https://docs.rs/lock_api/0.4/lock_api/struct.RawReentrantMutex.html
//! [`GetThreadId`]: https://docs.rs/lock_api/0.4/lock_api/trait.GetThreadId.html

use core::panic::Location;
use std::io::{self, Write};
use std::time::{Duration, Instant};
use std::{process, thread};

use ::lock_api::{GuardNoSend, RawMutex, RawMutexTimed};

use crate::condition::{ConditionGuard, sealed::Locked};
use crate::deadline::Timeout;
use crate::error::AcquireError;
use crate::lock::Lock;
use crate::raw_lock::{RawLock, Refusal};
use crate::sync::Ordering;

/// `lock_api`'s [`Mutex`](::lock_api::Mutex) over a [`Lock`].
///
/// 40 bytes and the value, in an order that nobody promises.
pub type Mutex<T> = ::lock_api::Mutex<Lock, T>;

/// `lock_api`'s [`MutexGuard`](::lock_api::MutexGuard) of a [`Mutex`]. Not `Send`, as
/// [`LockGuard`](crate::LockGuard).
pub type MutexGuard<'mutex, T> = ::lock_api::MutexGuard<'mutex, Lock, T>;

/// `lock_api`'s [`MappedMutexGuard`](::lock_api::MappedMutexGuard) of a [`Mutex`]: the guard of a part of
/// the data.
pub type MappedMutexGuard<'mutex, T> = ::lock_api::MappedMutexGuard<'mutex, Lock, T>;

// SAFETY: `RawLock` lets in one thread at a time, by an Acquire that pairs with the Release of whoever
// had it before. `lock` returns with the lock, or not at all: it does not unwind.
unsafe impl RawMutex for Lock {
    const INIT: Self = Self::new(());

    type GuardMarker = GuardNoSend;

    /// # Aborts
    ///
    /// Where it would wait for itself, and where the thread can hold no more: see [the module](self).
    #[inline]
    #[track_caller]
    fn lock(&self) {
        if let Err(refusal) = acquire(self, Timeout::Forever) {
            abort(refusal);
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        acquire(self, Timeout::Zero).is_ok()
    }

    /// Poisons the lock if a panic unlocks it that began after it was locked. In a forked child that has
    /// inherited the guard it does nothing, unless the child holds the lock itself.
    #[inline]
    unsafe fn unlock(&self) {
        if thread::panicking() {
            poison_by_panic(self);
        }
        self.raw.release();
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw.owner().is_some()
    }
}

// SAFETY: as for `RawMutex`.
unsafe impl RawMutexTimed for Lock {
    type Duration = Duration;
    type Instant = Instant;

    /// # Aborts
    ///
    /// As [`lock`](RawMutex::lock), where the end of the timeout cannot be expressed.
    #[inline]
    #[track_caller]
    fn try_lock_for(&self, timeout: Duration) -> bool {
        match acquire(self, Timeout::For(timeout)) {
            Ok(()) => true,
            Err(refusal) => give_up(refusal, Instant::now().checked_add(timeout)),
        }
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(&self, deadline: Instant) -> bool {
        match acquire(self, Timeout::Until(deadline)) {
            Ok(()) => true,
            Err(refusal) => give_up(refusal, Some(deadline)),
        }
    }
}

/// Guards of `lock_api` keep nothing, so the lock keeps, in a word that is its owner's alone, whether a
/// panic had begun before.
#[inline]
fn acquire(lock: &Lock, timeout: Timeout) -> Result<(), Refusal> {
    lock.raw.acquire(timeout)?;
    let panicking = u32::from(thread::panicking());
    lock.raw.depth.store(panicking, Ordering::Relaxed);
    Ok(())
}

#[cold]
fn poison_by_panic(lock: &Lock) {
    let began_before = lock.raw.depth.load(Ordering::Relaxed) != 0;
    if !began_before {
        lock.raw.poison_if_owned();
    }
}

/// Not before the deadline, which a wait has behind it, and a refusal has not.
#[cold]
#[track_caller]
fn give_up(refusal: Refusal, deadline: Option<Instant>) -> bool {
    if refusal != Refusal::Held {
        let Some(deadline) = deadline else {
            abort(refusal)
        };
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
    }
    false
}

/// In place of a wait that would not end.
#[cold]
#[track_caller]
fn abort(refusal: Refusal) -> ! {
    let error: AcquireError<()> = match refusal {
        Refusal::Deadlock => AcquireError::Deadlock,
        Refusal::NoRobustList => AcquireError::NoRobustList,
        _ => AcquireError::TooManyHeld,
    };
    let place = Location::caller();
    // Not by `eprintln!`, which panics where it cannot.
    let _ = writeln!(
        io::stderr(),
        "procsync: fatal: a mutex cannot be locked at {place}: {error}"
    );
    process::abort();
}

/// What [`Mutex::lock`](::lock_api::Mutex::lock) does not tell: whether a holder died or panicked.
/// Implemented for each [`Mutex`], and for nothing else.
///
/// ```
/// use procsync::lock_api::{Mutex, Poison as _};
///
/// let pair = Mutex::new((0, 0)); // always equal
/// # std::thread::scope(|scope| {
/// # let panicked = scope.spawn(|| {
/// let mut guard = pair.lock();
/// guard.0 += 1;
/// panic!("in the middle"); // on another thread
/// # #[expect(unreachable_code)]
/// # drop(guard);
/// # });
/// # assert!(panicked.join().is_err());
/// # });
///
/// assert_eq!(*pair.lock(), (1, 0)); // Nobody says a word.
/// assert!(pair.is_poisoned());
/// assert_eq!(*pair.lock_or_repair(|pair| pair.1 = pair.0), (1, 1));
/// assert!(!pair.is_poisoned());
/// ```
pub trait Poison: sealed::Sealed {
    /// What the mutex protects.
    type Data: ?Sized;

    /// Whether a holder died or panicked, and nobody has called [`clear_poison`](Self::clear_poison)
    /// since. It may have changed by the time you look, unless you hold the mutex.
    fn is_poisoned(&self) -> bool;

    /// Declares the data sound again. Best called by the holder, who knows.
    fn clear_poison(&self);

    /// Locks the mutex; if it is poisoned, calls `repair` on the data and clears the poison. If `repair`
    /// panics, or its process dies, the mutex is poisoned still.
    ///
    /// # Aborts
    ///
    /// As `lock`: see [the module](self).
    fn lock_or_repair(&self, repair: impl FnOnce(&mut Self::Data)) -> MutexGuard<'_, Self::Data>;
}

impl<T: ?Sized> Poison for Mutex<T> {
    type Data = T;

    fn is_poisoned(&self) -> bool {
        raw(self).is_poisoned()
    }

    fn clear_poison(&self) {
        raw(self).clear_poison();
    }

    #[track_caller]
    fn lock_or_repair(&self, repair: impl FnOnce(&mut T)) -> MutexGuard<'_, T> {
        let mut guard = self.lock();
        if raw(self).raw.is_poisoned_while_held() {
            repair(&mut guard);
            self.clear_poison();
        }
        guard
    }
}

/// To look at its poison and to change it; not who holds it, but for [`Locked`].
fn raw<T: ?Sized>(mutex: &Mutex<T>) -> &Lock {
    // SAFETY: none of the callers takes the lock from a guard that can be used meanwhile.
    unsafe { mutex.raw() }
}

impl<T: ?Sized> ConditionGuard for MutexGuard<'_, T> {}

/// A [`Condition`](crate::Condition) releases it and acquires it again while it has the guard, by `&mut`. A
/// `MappedMutexGuard` is out of the question: what it points to may not be there any more then.
impl<T: ?Sized> Locked for MutexGuard<'_, T> {
    fn raw(&self) -> &RawLock {
        &raw(Self::mutex(self)).raw
    }
}

mod sealed {
    /// More methods may come.
    pub trait Sealed {}

    impl<T: ?Sized> Sealed for super::Mutex<T> {}
}
