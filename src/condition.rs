//! Waiting for what a lock protects to change. The protocol is in [`raw_condition`](crate::raw_condition).

use core::fmt;
use core::ops::Deref;
use std::time::{Duration, Instant};

use crate::deadline::{Patience, Timeout};
use crate::error::Poisoned;
use crate::raw_condition::RawCondition;
use crate::raw_lock::RawLock;
use crate::robust;
use crate::sync::const_fn;
use crate::{LockGuard, RLockGuard};

/// A guard that a [`Condition`] can wait with: a [`LockGuard`] or an [`RLockGuard`]; with the feature
/// `lock_api` also the `MutexGuard` that is named there. Nothing else implements it.
#[diagnostic::on_unimplemented(
    message = "a `Condition` cannot wait with `{Self}`",
    label = "not a guard of a `Lock` or an `RLock` of this crate",
    note = "wait with the guard that `procsync::Lock` or `RLock` gives: \
            `let mut guard = lock.acquire()?; condition.wait(&mut guard)?`",
    note = "a guard of `std::sync::Mutex` waits with a `std::sync::Condvar`"
)]
pub trait ConditionGuard: Deref + sealed::Locked {}

pub(crate) mod sealed {
    use crate::raw_lock::RawLock;

    pub trait Locked {
        #[doc(hidden)]
        fn raw(&self) -> &RawLock;

        /// Whether a forked child has it from its parent, so that it is no hold.
        #[doc(hidden)]
        fn is_inherited(&self) -> bool {
            false
        }

        /// The calling thread has come to hold the lock, by this guard alone.
        #[doc(hidden)]
        fn renew(&mut self) {}
    }
}

impl<T: ?Sized> ConditionGuard for LockGuard<'_, T> {}

impl<T: ?Sized> sealed::Locked for LockGuard<'_, T> {
    fn raw(&self) -> &RawLock {
        self.raw()
    }

    fn is_inherited(&self) -> bool {
        self.is_inherited()
    }

    fn renew(&mut self) {
        self.renew();
    }
}

impl<T: ?Sized> ConditionGuard for RLockGuard<'_, T> {}

impl<T: ?Sized> sealed::Locked for RLockGuard<'_, T> {
    fn raw(&self) -> &RawLock {
        self.raw()
    }

    fn is_inherited(&self) -> bool {
        self.is_inherited()
    }

    fn renew(&mut self) {
        self.renew();
    }
}

/// Whether the calling thread holds the lock, by this guard or another.
#[cold]
fn is_held<G: ConditionGuard>(guard: &G) -> bool {
    robust::with(|thread| guard.raw().is_owned_by(thread))
}

/// Lets threads of any number of processes wait until what a lock protects has changed: as Python's
/// [`threading.Condition`](crate::guide::from_python), but with the guard of whatever
/// [`Lock`](crate::Lock) or [`RLock`](crate::RLock) it is used with.
///
/// ```
/// use procsync::{AcquireError, Condition, Lock, Poisoned};
///
/// struct Queue { items: Lock<Vec<u32>>, filled: Condition }
/// let queue = Queue { items: Lock::new(Vec::new()), filled: Condition::new() };
///
/// std::thread::scope(|threads| {
///     threads.spawn(|| {
///         queue.items.acquire().unwrap().push(7);
///         queue.filled.notify_one();
///     });
///     let mut items = queue.items.acquire().unwrap();
///     queue.filled.wait_for(&mut items, |items| !items.is_empty()).unwrap();
///     assert_eq!(items.pop(), Some(7));
/// });
/// ```
///
/// All who wait at one time use the same lock.
///
/// # Between two processes
///
/// A slot for one item: one process waits until it is empty, the other until it is full.
///
#[doc = include_str!("../docs/examples/condition.md")]
///
/// # Waiting and notifying
///
/// A wait releases the lock, all levels of it, and has it again when it returns, in whatever way, at
/// the depth that it had. A notify that is issued while holding the lock reaches those who wait
/// already. It is not remembered for those who come later.
///
/// As long as nobody dies, a notify for n ends the waits of n sleepers and of nobody else; of those who wait
/// and are not asleep yet, it may end the waits as well. After a death waits may end without a notify.
/// So look again at what was waited for, or use [`wait_for`](Self::wait_for), which does.
///
/// A notify where nobody waits, or nobody is asleep yet, is no system call. Of a crowd, a notify to everybody
/// wakes one, who wakes the others when the lock is free: they would only find it taken.
///
/// Timeouts, deadlines and signals are as with a [`Lock`](crate::Lock#waiting); what is timed is
/// the wait for a notify. To take the lock back may last longer, and is not given up.
///
/// # Memory ordering
///
/// That of the lock: what was done under it is visible to the next who has it. A condition adds none.
///
/// # Fairness
///
/// Sleepers are notified in the order in which they fell asleep. With a lock in shared memory, a waiter
/// looks around once a second whether somebody died, and is the last to have fallen asleep then.
///
/// # Death
///
/// If one of those who wait dies, the notification that it may have got goes to the others, who all
/// wake up: at once, or, if it died while taking the lock back, within a second. A notifier's
/// death comes before the notify or after it; of a `notify(n)` for several, some of whom are not asleep yet,
/// it may come between two of them. The death of one that has returned from its wait is
/// the death of a lock's holder, and so is that of one that has changed the data and not notified
/// yet: the waiters, who sleep on the condition and not on the lock, are not told. So notify first,
/// then change, under one hold ([surviving](crate::guide::surviving#conditions-and-events)).
///
/// Where `futex_waitv` ([futex2]) is missing (before Linux 5.16, or in a sandbox), waiters look
/// around ten times a second; the notification of one that dies just as it wakes up may be lost,
/// unless it was among the first five that waited.
///
/// # Representation
///
/// `#[repr(C)]`: 40 bytes, aligned to 4. All-zero memory is a condition that nobody waits for.
///
/// [futex2]: https://docs.kernel.org/userspace-api/futex2.html
#[doc(alias("Condvar", "pthread_cond_t", "condition variable"))]
#[repr(C)]
pub struct Condition {
    pub(crate) raw: RawCondition,
}

impl Condition {
    const_fn! {
        /// A condition that nobody waits for. (A `const fn`, except under loom.)
        pub fn new() -> Self {
            Self { raw: RawCondition::new() }
        }
    }

    /// Waits for a notify, as long as it takes. It may come back without one: see
    /// [`wait_for`](Self::wait_for).
    ///
    /// # Errors
    ///
    /// [`Poisoned`], with the lock held all the same: it is poisoned now. Repair the data, and
    /// clear it.
    #[doc(alias("pthread_cond_wait"))]
    pub fn wait<G: ConditionGuard>(&self, guard: &mut G) -> Result<(), Poisoned> {
        self.wait_with(guard, Timeout::Forever.start()).map(drop)
    }

    /// Waits for a notify, for `timeout` at most; `false`: there was none. Zero gives the lock up
    /// and takes it back; what the clock cannot express is [for ever](crate::Lock#waiting).
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use procsync::{Condition, Lock};
    ///
    /// let (lock, changed) = (Lock::new(7), Condition::new());
    /// let mut guard = lock.acquire().unwrap();
    /// assert_eq!(changed.wait_timeout(&mut guard, Duration::from_millis(1)), Ok(false));
    /// assert_eq!(*guard, 7); // it is held again
    /// ```
    #[doc(alias("pthread_cond_timedwait"))]
    pub fn wait_timeout<G: ConditionGuard>(
        &self,
        guard: &mut G,
        timeout: Duration,
    ) -> Result<bool, Poisoned> {
        self.wait_with(guard, Timeout::For(timeout).start())
    }

    /// Waits for a notify, until `deadline` at most; `false`: there was none. One that has passed
    /// gives the lock up and takes it back.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    #[doc(alias("pthread_cond_clockwait"))]
    pub fn wait_until<G: ConditionGuard>(
        &self,
        guard: &mut G,
        deadline: Instant,
    ) -> Result<bool, Poisoned> {
        self.wait_with(guard, Timeout::Until(deadline).start())
    }

    /// Waits until `predicate` holds, which is asked first, and after every wake-up, with the lock
    /// held. If it holds at once, the lock is not given up.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), at the first wake-up that finds the lock poisoned; the predicate
    /// was not asked then.
    ///
    /// # Panics
    ///
    /// As `predicate` does; the lock is poisoned then, when its guard is dropped.
    #[doc(alias("wait_while", "wait_until"))]
    pub fn wait_for<G: ConditionGuard>(
        &self,
        guard: &mut G,
        predicate: impl FnMut(&G::Target) -> bool,
    ) -> Result<(), Poisoned> {
        self.wait_for_with(guard, Timeout::Forever, predicate)
            .map(drop)
    }

    /// Waits until `predicate` holds, for `timeout` at most in all; what it said last. Zero asks,
    /// and if it does not hold gives the lock up once, takes it back, and asks again.
    ///
    /// # Errors
    ///
    /// As [`wait_for`](Self::wait_for).
    ///
    /// # Panics
    ///
    /// As [`wait_for`](Self::wait_for).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{thread, time::Duration};
    /// use procsync::{Condition, Lock, Poisoned};
    ///
    /// let (left, done) = (Lock::new(2), Condition::new());
    /// thread::scope(|threads| {
    ///     for _ in 0..2 {
    ///         threads.spawn(|| {
    ///             let mut left = left.acquire().unwrap();
    ///             done.notify_all();
    ///             *left -= 1;
    ///         });
    ///     }
    ///     let mut guard = left.acquire().unwrap();
    ///     let in_time = done.wait_for_timeout(&mut guard, Duration::from_secs(10), |left| *left == 0)?;
    ///     assert!(in_time);
    ///     Ok::<(), Poisoned>(())
    /// })?;
    /// # Ok::<(), Poisoned>(())
    /// ```
    #[doc(alias("wait_while", "wait_timeout_while"))]
    pub fn wait_for_timeout<G: ConditionGuard>(
        &self,
        guard: &mut G,
        timeout: Duration,
        predicate: impl FnMut(&G::Target) -> bool,
    ) -> Result<bool, Poisoned> {
        self.wait_for_with(guard, Timeout::For(timeout), predicate)
    }

    /// Waits until `predicate` holds, until `deadline` at most; what it said last.
    ///
    /// # Errors
    ///
    /// As [`wait_for`](Self::wait_for).
    ///
    /// # Panics
    ///
    /// As [`wait_for`](Self::wait_for).
    #[doc(alias("wait_while_until"))]
    pub fn wait_for_until<G: ConditionGuard>(
        &self,
        guard: &mut G,
        deadline: Instant,
        predicate: impl FnMut(&G::Target) -> bool,
    ) -> Result<bool, Poisoned> {
        self.wait_for_with(guard, Timeout::Until(deadline), predicate)
    }

    fn wait_for_with<G: ConditionGuard>(
        &self,
        guard: &mut G,
        timeout: Timeout,
        mut predicate: impl FnMut(&G::Target) -> bool,
    ) -> Result<bool, Poisoned> {
        if predicate(guard) {
            return Ok(true);
        }
        let patience = timeout.start();
        loop {
            let notified = self.wait_with(guard, patience)?;
            let holds = predicate(guard);
            // Also where each wait is ended by a notify.
            if holds || !notified || patience.is_over() {
                return Ok(holds);
            }
        }
    }

    // Out of line: in line, a `wait_for` of what is so takes six times as many instructions.
    #[inline(never)]
    fn wait_with<G: ConditionGuard>(
        &self,
        guard: &mut G,
        patience: Patience,
    ) -> Result<bool, Poisoned> {
        let is_no_hold = guard.is_inherited() && !is_held(guard);
        let notified = self.raw.wait(guard.raw(), patience);
        if is_no_hold {
            guard.renew();
        }
        if guard.raw().is_poisoned_while_held() {
            return Err(Poisoned);
        }
        Ok(notified)
    }

    /// Ends the waits of up to `n` sleepers, those first that have slept longest. Best called with
    /// the lock held, and [before the change](Self#death): whoever waits then [is
    /// reached](Self#waiting-and-notifying). 0 does nothing. Never waits.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    /// use procsync::{Condition, Lock};
    ///
    /// let (tickets, came) = (Lock::new(0), Condition::new());
    /// thread::scope(|threads| {
    ///     for _ in 0..3 {
    ///         threads.spawn(|| {
    ///             let mut tickets = tickets.acquire().unwrap();
    ///             came.wait_for(&mut tickets, |&tickets| tickets > 0).unwrap();
    ///             *tickets -= 1;
    ///         });
    ///     }
    ///     for _ in 0..3 {
    ///         let mut tickets = tickets.acquire().unwrap();
    ///         came.notify(1); // one ticket, one who waits
    ///         *tickets += 1;
    ///     }
    /// });
    /// assert_eq!(*tickets.acquire().unwrap(), 0);
    /// ```
    #[inline]
    pub fn notify(&self, n: u32) {
        if n > 0 && self.raw.has_waiters() {
            self.raw.notify(n);
        }
    }

    /// Ends the wait of the one that has slept longest: [`notify`](Self::notify) of 1.
    #[doc(alias("signal", "pthread_cond_signal"))]
    #[inline]
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Ends all waits. For changes that may be what several wait for, in predicates that differ.
    #[doc(alias("broadcast", "pthread_cond_broadcast"))]
    #[inline]
    pub fn notify_all(&self) {
        self.notify(u32::MAX);
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").finish_non_exhaustive()
    }
}
