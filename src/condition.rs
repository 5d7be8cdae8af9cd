//! Waiting for what a lock protects to change.
//!
//! # The words
//!
//! `sequence`, on which waiters sleep:
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 | `WAITERS` | somebody may be waiting |
//! | 1 | `ARRIVED` | somebody came, or looked around, since the last notify began |
//! | 2–31 | sequence | how often somebody notified |
//!
//! `ran_out`: the sequence after the last notify that found fewer sleepers than it was to wake.
//! `returning`: who is on the way from its sleep to the lock, by TID. And the
//! [`obituary`](crate::wait).
//!
//! - *wait*: holding the lock, sets `WAITERS` and `ARRIVED`; releases the lock; sleeps on the word,
//!   whose sequence it has seen under the lock.
//! - *notify*: nothing without `WAITERS`. Clears `ARRIVED`; then the sequence advances and n sleepers
//!   are woken in one step of the kernel (`FUTEX_WAKE_OP`), so no death comes between. If fewer than n
//!   slept, nobody does who waited then, which it notes in `ran_out`, and it clears `WAITERS`, unless
//!   somebody has `ARRIVED` meanwhile, for whom it starts again.
//!
//! Who finds the sequence changed before it slept returns, too: it may be whom the notify was for.
//! The kernel's queue keeps the order, and has the living only; nothing here counts waiters, so the dead
//! need not be taken out.
//!
//! # Who was notified and dies
//!
//! Its notification is owed to another waiter until it has the lock again.
//!
//! 1. *Asleep, and just woken*: the obituary is armed. A death wakes a sleeper, which ends all waits,
//!    by a notify to everybody: spurious wake-ups, at once.
//! 2. *Taking the lock back*: the lock's own entry is in the pending slot, for the lock must not be lost;
//!    there is only one slot. So it first writes its TID into a place of `returning`, still armed, and
//!    takes it out when it has the lock. Waiters look around once a second: if a TID is there whose
//!    thread is gone, they end all waits. The kernel tells whether it is gone ([`kernel::is_gone`]).
//!
//! A waiter that looks around is out of the queue for an instant, and then last in it. A notify in
//! that instant that found too few sleepers is told by `ran_out`: newer than the wait.
//!
//! A lock in private memory dies with all its threads; its waiters do none of this.

use core::fmt;
use core::ops::Deref;
use std::time::{Duration, Instant};

use crate::deadline::{self, Deadline, Patience, Timeout};
use crate::error::Poisoned;
use crate::kernel::Waited;
use crate::raw_lock::RawLock;
use crate::robust;
use crate::sync::{AtomicU32, Ordering, const_fn, kernel};
use crate::wait::{Obituary, Woken};
use crate::{LockGuard, RLockGuard};

const WAITERS: u32 = 1;
const ARRIVED: u32 = 2;
const NOTICE: u32 = WAITERS | ARRIVED;
const STEP: u16 = 4;
/// `ARRIVED` without `WAITERS`, which never is.
const NEVER: u16 = 2;

/// How often a waiter looks around.
const ROUND: Duration = Duration::from_secs(1);

/// As many may be on their way to the lock at a time; others wait.
const PLACES: usize = 5;
/// Of a place: somebody may be waiting for it.
const WANTED: u32 = 0x8000_0000;

fn has_waiters(word: u32) -> bool {
    word & WAITERS != 0
}

fn somebody_arrived(word: u32) -> bool {
    word & ARRIVED != 0
}

fn sequence(word: u32) -> u32 {
    word & !NOTICE
}

/// Whether the sequence `later` comes after `earlier`: they are less than half of all apart.
fn comes_after(later: u32, earlier: u32) -> bool {
    sequence(later)
        .wrapping_sub(sequence(earlier))
        .cast_signed()
        > 0
}

/// A guard that a [`Condition`] can wait with: a [`LockGuard`] or an [`RLockGuard`].
pub trait ConditionGuard: Deref + sealed::Locked {}

mod sealed {
    use crate::raw_lock::RawLock;

    pub trait Locked {
        #[doc(hidden)]
        fn raw(&self) -> &RawLock;
    }
}

impl<T: ?Sized> ConditionGuard for LockGuard<'_, T> {}

impl<T: ?Sized> sealed::Locked for LockGuard<'_, T> {
    fn raw(&self) -> &RawLock {
        self.raw()
    }
}

impl<T: ?Sized> ConditionGuard for RLockGuard<'_, T> {}

impl<T: ?Sized> sealed::Locked for RLockGuard<'_, T> {
    fn raw(&self) -> &RawLock {
        self.raw()
    }
}

/// Lets threads of any number of processes wait until what a lock protects has changed: as Python's
/// `threading.Condition`, but with the guard of whatever [`Lock`](crate::Lock) or
/// [`RLock`](crate::RLock) it is used with.
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
/// # Waiting and notifying
///
/// A wait releases the lock, all levels of it, and has it again when it returns, in whatever way, at
/// the depth that it had. A notify that is issued while holding the lock reaches those who wait
/// already. It is not remembered for those who come later.
///
/// As long as nobody dies, a notify for n ends the waits of n sleepers and of nobody else; of one that
/// was just about to sleep, it may end the wait as well. After a death waits may end without a notify.
/// So look again at what was waited for, or use [`wait_for`](Self::wait_for), which does.
///
/// A notify where nobody waits is no system call.
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
/// death comes before the notify or after it. The death of one that has returned from its wait is the
/// death of a lock's holder.
///
/// Where `futex_waitv(2)` is missing (before Linux 5.16, or in a sandbox), the notification of one that
/// dies just as it wakes up is lost; use timeouts.
///
/// # Representation
///
/// `#[repr(C)]`: 32 bytes, aligned to 4. All-zero memory is a condition that nobody waits for.
#[repr(C)]
pub struct Condition {
    sequence: AtomicU32,
    obituary: Obituary,
    ran_out: AtomicU32,
    returning: [AtomicU32; PLACES],
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Notified,
    /// By a death: nothing is owed to anybody.
    Spurious,
    TimedOut,
}

impl Condition {
    const_fn! {
        /// A condition that nobody waits for. (A `const fn`, except under loom.)
        pub fn new() -> Self {
            Self {
                sequence: AtomicU32::new(0),
                obituary: Obituary::new(),
                ran_out: AtomicU32::new(0),
                returning: [
                    AtomicU32::new(0),
                    AtomicU32::new(0),
                    AtomicU32::new(0),
                    AtomicU32::new(0),
                    AtomicU32::new(0),
                ],
            }
        }
    }

    /// Waits for a notify, as long as it takes.
    ///
    /// # Errors
    ///
    /// [`Poisoned`], with the lock held all the same: it is poisoned now.
    pub fn wait<G: ConditionGuard>(&self, guard: &mut G) -> Result<(), Poisoned> {
        self.wait_with(guard, Timeout::Forever.start()).map(drop)
    }

    /// Waits for a notify, for `timeout` at most, by the monotonic clock; `false`: there was none.
    /// Zero gives the lock up and takes it back; what the clock cannot express is for ever. Taking the
    /// lock back may last longer.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_timeout<G: ConditionGuard>(
        &self,
        guard: &mut G,
        timeout: Duration,
    ) -> Result<bool, Poisoned> {
        self.wait_with(guard, Timeout::For(timeout).start())
    }

    /// Waits for a notify, until `deadline` at most; `false`: there was none.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_until<G: ConditionGuard>(
        &self,
        guard: &mut G,
        deadline: Instant,
    ) -> Result<bool, Poisoned> {
        self.wait_with(guard, Timeout::Until(deadline).start())
    }

    /// Waits until `predicate` holds, which is asked first, and after every wake-up, with the lock
    /// held.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), at the first wake-up that finds the lock poisoned.
    ///
    /// # Panics
    ///
    /// As `predicate` does; the lock is poisoned then, when its guard is dropped.
    pub fn wait_for<G: ConditionGuard>(
        &self,
        guard: &mut G,
        predicate: impl FnMut(&G::Target) -> bool,
    ) -> Result<(), Poisoned> {
        self.wait_for_with(guard, Timeout::Forever, predicate)
            .map(drop)
    }

    /// Waits until `predicate` holds, for `timeout` at most in all; what it said last.
    ///
    /// # Errors
    ///
    /// As [`wait_for`](Self::wait_for).
    ///
    /// # Panics
    ///
    /// As [`wait_for`](Self::wait_for).
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

    fn wait_with<G: ConditionGuard>(
        &self,
        guard: &mut G,
        patience: Patience,
    ) -> Result<bool, Poisoned> {
        let lock = guard.raw();
        let notified = self.wait_without(lock, patience);
        if lock.is_poisoned_while_held() {
            return Err(Poisoned);
        }
        Ok(notified)
    }

    /// Gives the lock up, waits, and takes it back.
    fn wait_without(&self, lock: &RawLock, patience: Patience) -> bool {
        let depth = lock.depth.load(Ordering::Relaxed);
        let notified = if let Patience::Spent = patience {
            lock.release();
            lock.reacquire();
            false
        } else if lock.is_tracked() {
            self.wait_among_mortals(lock, patience)
        } else {
            let begun = self.arrive();
            lock.release();
            let notified = self.sleep_through(begun, patience);
            lock.reacquire();
            notified
        };
        lock.depth.store(depth, Ordering::Relaxed);
        notified
    }

    /// Says that somebody waits; the word. The caller holds the lock.
    fn arrive(&self) -> u32 {
        let mut word = self.sequence.load(Ordering::Relaxed);
        loop {
            match self.announce(word) {
                Ok(announced) => return announced,
                Err(now) => word = now,
            }
        }
    }

    fn announce(&self, word: u32) -> Result<u32, u32> {
        let announced = word | NOTICE;
        if word != announced {
            let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
            self.sequence
                .compare_exchange(word, announced, success, failure)?;
        }
        Ok(announced)
    }

    /// The wait for a lock in private memory; whether it was notified.
    fn sleep_through(&self, begun: u32, patience: Patience) -> bool {
        let mut seen = begun;
        loop {
            let end = match self.announce(seen) {
                Ok(announced) => kernel::wait(&self.sequence, announced, patience.deadline()),
                Err(_) => Waited::Changed,
            };
            seen = self.sequence.load(Ordering::Relaxed);
            if sequence(seen) != sequence(begun) {
                return true;
            }
            if end == Waited::TimedOut {
                return false;
            }
        }
    }

    fn wait_among_mortals(&self, lock: &RawLock, patience: Patience) -> bool {
        let begun = self.arrive();
        lock.release();
        let armed = self.obituary.arm();
        let end = self.sleep(begun, patience.deadline());
        let place = (end == End::Notified).then(|| self.find_place());
        // From here on the pending slot is the lock's.
        drop(armed);
        lock.reacquire();
        if let Some(place) = place {
            Self::leave(place);
        }
        end != End::TimedOut
    }

    /// Sleeps until the wait is over.
    fn sleep(&self, begun: u32, deadline: Option<Deadline>) -> End {
        let mut seen = begun;
        loop {
            let round = deadline::earlier(deadline, ROUND);
            let woken = match self.announce(seen) {
                Ok(announced) => {
                    let word = kernel::whole(&self.sequence);
                    self.obituary.sleep(word, announced, round.or(deadline))
                }
                Err(_) => Woken::NotAsleep,
            };
            // ORDERING: Acquire pairs with the Release in `run_out`: who sees `WAITERS` cleared sees
            // `ran_out`.
            let now = self.sequence.load(Ordering::Acquire);
            let advanced = sequence(now) != sequence(seen);
            let was_missed = || comes_after(self.ran_out.load(Ordering::Relaxed), begun);
            match woken {
                Woken::ByDeath => {
                    self.mourn();
                    return End::Spurious;
                }
                Woken::ByState | Woken::NotAsleep if advanced => return End::Notified,
                _ if was_missed() => return End::Notified,
                Woken::ByTime if round.is_none() => return End::TimedOut,
                Woken::ByTime | Woken::ToLook if self.somebody_died() => return End::Spurious,
                _ => seen = now,
            }
        }
    }

    /// Somebody died. All waits end, since one of those who wait may be owed a notification; and all
    /// who wait for a place look again, since one may be owed that.
    fn mourn(&self) {
        for place in &self.returning {
            take_off_the_dead(place);
            kernel::wake(place, usize::MAX);
        }
        self.notify_waiters(u32::MAX);
    }

    /// Takes a place among the returning, still armed.
    fn find_place(&self) -> &AtomicU32 {
        let me = robust::with(robust::Thread::tid);
        loop {
            if let Some(place) = self.returning.iter().find(|place| claim(place, me)) {
                return place;
            }
            let place = &self.returning[me as usize % PLACES];
            match self.wait_for_place(place) {
                Woken::ByDeath => self.mourn(),
                Woken::ByTime | Woken::ToLook => drop(self.somebody_died()),
                Woken::ByState | Woken::NotAsleep => {}
            }
        }
    }

    fn wait_for_place(&self, place: &AtomicU32) -> Woken {
        let taken = place.load(Ordering::Relaxed);
        let wanted = taken | WANTED;
        if taken == 0 {
            return Woken::NotAsleep;
        }
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        match place.compare_exchange(taken, wanted, success, failure) {
            Ok(_) => {
                let round = deadline::earlier(None, ROUND);
                self.obituary.sleep(kernel::whole(place), wanted, round)
            }
            Err(_) => Woken::NotAsleep,
        }
    }

    /// Gives a place back. Should this thread die before it wakes the next, that one looks around.
    fn leave(place: &AtomicU32) {
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        let mut taken = place.load(Ordering::Relaxed);
        while let Err(now) = place.compare_exchange(taken, 0, success, failure) {
            taken = now;
        }
        if taken & WANTED != 0 {
            kernel::wake(place, 1);
        }
    }

    /// Whether somebody died on the way to the lock. If so, all waits end.
    fn somebody_died(&self) -> bool {
        let died = self.returning.iter().any(take_off_the_dead);
        if died {
            self.mourn();
        }
        died
    }

    /// Ends the waits of up to `n` sleepers, those first that have slept longest.
    #[inline]
    pub fn notify(&self, n: u32) {
        if n > 0 && has_waiters(self.sequence.load(Ordering::Relaxed)) {
            self.notify_waiters(n);
        }
    }

    /// Ends the wait of the one that has slept longest.
    #[inline]
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Ends all waits.
    #[inline]
    pub fn notify_all(&self) {
        self.notify(u32::MAX);
    }

    #[cold]
    fn notify_waiters(&self, n: u32) {
        let mut left = n;
        while let Some(word) = self.begin_to_notify() {
            let woken = kernel::add_and_wake(&self.sequence, STEP, left, NEVER);
            left = left.saturating_sub(u32::try_from(woken).unwrap_or(u32::MAX));
            if left == 0 || self.run_out(word.wrapping_add(u32::from(STEP))) {
                break;
            }
        }
    }

    /// Clears `ARRIVED`; `None`: nobody waits.
    fn begin_to_notify(&self) -> Option<u32> {
        let mut word = self.sequence.load(Ordering::Relaxed);
        while has_waiters(word) {
            let looked = word & !ARRIVED;
            let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
            match self
                .sequence
                .compare_exchange(word, looked, success, failure)
            {
                Ok(_) => return Some(looked),
                Err(now) => word = now,
            }
        }
        None
    }

    /// Nobody sleeps who waited when the word became `word`. `false`: somebody came meanwhile.
    fn run_out(&self, word: u32) -> bool {
        let mut last = self.ran_out.load(Ordering::Relaxed);
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        while comes_after(word, last) {
            match self
                .ran_out
                .compare_exchange(last, sequence(word), success, failure)
            {
                Ok(_) => break,
                Err(now) => last = now,
            }
        }
        let (success, failure) = (Ordering::Release, Ordering::Relaxed);
        self.sequence
            .compare_exchange(word, word & !WAITERS, success, failure)
            .map_or_else(|now| !somebody_arrived(now), |_| true)
    }
}

fn claim(place: &AtomicU32, me: u32) -> bool {
    let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
    place.load(Ordering::Relaxed) == 0 && place.compare_exchange(0, me, success, failure).is_ok()
}

/// Whether the place is of one that is gone, or, in scribbled memory, of nobody; if so, it is free now.
fn take_off_the_dead(place: &AtomicU32) -> bool {
    let taken = place.load(Ordering::Relaxed);
    let is_gone = |tid| tid == 0 || kernel::is_gone(tid);
    let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
    taken != 0
        && is_gone(robust::owner(taken))
        && place.compare_exchange(taken, 0, success, failure).is_ok()
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
