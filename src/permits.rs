//! The counter under [`Semaphore`](crate::Semaphore) and [`BoundedSemaphore`](crate::BoundedSemaphore).
//!
//! # The word
//!
//! 64 bits; waiters sleep on the low half.
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0–29 | | 0: where the kernel looks for an owner's TID, at a death |
//! | 30 | `AVAILABLE` | permits may be taken, if there are any |
//! | 31 | `WAITERS` | somebody may be asleep |
//! | 32 | `WATCHED` | if there are `WAITERS`: one of them may be waiting for something else as well |
//! | 33–63 | permits | how many there are |
//!
//! Legal to set for nothing: `WAITERS` and `WATCHED`, at the cost of a system call, and `AVAILABLE`. Without
//! `AVAILABLE`, permits are *on offer*: of a release that is under way. Who may change what, each by one
//! compare-and-swap but for the opening:
//!
//! - *take*: anybody, when permits are available: permits − 1, and `AVAILABLE` goes with the last. One that
//!   has slept also sets `WAITERS`, for those who still sleep, and if permits are left it wakes one of them.
//! - *release*: anybody: permits + n, `AVAILABLE`, and `WAITERS` goes; if it was there, wakes n.
//! - *release in two steps*, where somebody waits, if the word is `WATCHED`, or in a signal handler that has
//!   interrupted another operation: permits + n, on offer. Then it opens.
//! - *open*: anybody who finds permits on offer; the one who offered them may be dead. The kernel makes the
//!   low half `AVAILABLE`, without `WAITERS`, and wakes all sleepers, in one step (`FUTEX_WAKE_OP`).
//! - *wait*: sets `WAITERS`, and clears an `AVAILABLE` that is for nothing; then sleeps on the low half, as
//!   it is then: `WAITERS` alone. If it finds no `WAITERS`, it clears `WATCHED`.
//! - *watch*, wait for this and other things ([`wait_any`](crate::wait_any)): the same, and sets `WATCHED`.
//!
//! # Why nobody sleeps while permits are available
//!
//! Nobody falls asleep on a low half with `AVAILABLE`. It comes to sleepers by a release, which wakes as many
//! as there are permits more. Who is woken has the word in its pending slot, from before it slept
//! ([`robust::arm`]): until it has put `WAITERS` back, by taking a permit or by going to sleep again, and has
//! woken the next, if permits are left. A releaser has the word in its slot from before its change until its
//! wake-up. If one of them dies meanwhile, the kernel finds 0 in the lower 30 bits, and wakes a sleeper in
//! its place.
//!
//! The release in two steps can do without the slot: no death comes between the permits' being available and
//! the wake-up of all. If the thread is killed between the two steps, its release takes place when somebody
//! comes who opens; until then nobody has seen it. Where the slot is free the word is in it, so one who sleeps
//! comes at once.
//!
//! One that watches cannot have all the words that it watches in its slot, so a wake-up that it is given may be
//! lost with it. That does no harm. It fell asleep when no permit was there. Who brought one since found
//! `WAITERS` and `WATCHED`, for both go only with an opening, and opened: all were woken. What may be lost is a
//! wake-up for a permit that had come before, and was gone again when this one fell asleep.

use crate::deadline::{Patience, Timeout};
use crate::kernel::{Expected, Waited};
use crate::robust;
use crate::spin::Spin;
use crate::sync::{AtomicU32, AtomicU64, Ordering, const_fn, kernel};

/// Bit 30 of the low half.
const AVAILABLE: u64 = 1 << AVAILABLE_BIT;
const AVAILABLE_BIT: u16 = 30;
/// Bit 31 of the low half.
const WAITERS: u64 = 1 << 31;
const WATCHED: u64 = 1 << 32;
const ONE: u64 = 1 << PERMITS_SHIFT;
const PERMITS_SHIFT: u32 = 33;

/// As many permits there can be.
pub(crate) const MAX: u32 = i32::MAX.unsigned_abs();

#[inline]
fn permits(state: u64) -> u32 {
    (state >> PERMITS_SHIFT) as u32
}

#[inline]
fn is_available(state: u64) -> bool {
    state & AVAILABLE != 0 && state >= ONE
}

fn is_on_offer(state: u64) -> bool {
    state & AVAILABLE == 0 && state >= ONE
}

#[inline]
fn has_waiters(state: u64) -> bool {
    state & WAITERS != 0
}

fn is_watched(state: u64) -> bool {
    state & (WAITERS | WATCHED) == WAITERS | WATCHED
}

#[inline]
fn with_more(state: u64, n: u32) -> u64 {
    state + (u64::from(n) << PERMITS_SHIFT)
}

#[inline]
fn with_one_less(state: u64) -> u64 {
    let rest = state - ONE;
    if rest < ONE { rest & !AVAILABLE } else { rest }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half")]
fn low_half(state: u64) -> u32 {
    state as u32
}

/// All-zero memory has no permits.
#[repr(C)]
pub(crate) struct Permits {
    state: AtomicU64,
    spin: Spin,
}

/// What the word of a semaphore says, for [`inspect`](crate::inspect).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreSnapshot {
    /// How many permits there are.
    pub permits: u32,
    /// Whether they are on offer only: whoever comes next makes them available.
    pub on_offer: bool,
    /// How many there may be; of a `BoundedSemaphore`.
    pub bound: Option<u32>,
    /// Whether a release has to wake sleepers. It may be on where nobody sleeps.
    pub may_have_sleepers: bool,
}

/// The permits would be more than the limit.
#[derive(Debug)]
pub(crate) struct PastLimit;

impl Permits {
    const_fn! {
        pub(crate) fn new(permits: u32) -> Self {
            let available = if permits > 0 { AVAILABLE } else { 0 };
            Self {
                state: AtomicU64::new((permits as u64) << PERMITS_SHIFT | available),
                spin: Spin::new(),
            }
        }
    }

    /// Changes nothing, and asks nobody. Of a copy as good as of the word itself.
    #[cfg_attr(loom, allow(dead_code, reason = "models are not inspected"))]
    pub(crate) fn snapshot(&self, bound: Option<u32>) -> SemaphoreSnapshot {
        let state = self.load();
        SemaphoreSnapshot {
            permits: permits(state),
            on_offer: is_on_offer(state),
            bound,
            may_have_sleepers: has_waiters(state),
        }
    }

    pub(crate) fn available(&self) -> u32 {
        let state = self.load();
        if is_available(state) {
            permits(state)
        } else {
            0
        }
    }

    #[inline]
    pub(crate) fn acquire(&self, timeout: Timeout) -> bool {
        self.take_uncontended() || self.take_contended(timeout)
    }

    /// As long as it takes.
    #[inline]
    pub(crate) fn acquire_patiently(&self) {
        if !self.take_uncontended() {
            self.take_at_last();
        }
    }

    #[cold]
    fn take_at_last(&self) {
        while !self.take_contended(Timeout::Forever) {}
    }

    #[inline]
    fn take_uncontended(&self) -> bool {
        let state = self.load();
        is_available(state) && self.take(state, 0)
    }

    #[inline]
    fn take(&self, state: u64, may_owe: u64) -> bool {
        // ORDERING: Acquire pairs with the Release of the release that the permit came by; what others
        // make of the word in between, by read-modify-writes, keeps its release sequence going.
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        let rest = with_one_less(state) | may_owe;
        self.state
            .compare_exchange(state, rest, success, failure)
            .is_ok()
    }

    #[cold]
    fn take_contended(&self, timeout: Timeout) -> bool {
        let patience = timeout.start();
        if self.spin.until(patience, || self.take_uncontended()) {
            return true;
        }
        let _armed = robust::arm(self.address());
        // WAITERS, for one that was woken.
        let mut may_owe = 0;
        loop {
            let state = self.load();
            if is_available(state) {
                if self.take(state, may_owe) {
                    if may_owe != 0 && permits(state) > 1 {
                        kernel::wake(self.address(), 1);
                    }
                    return true;
                }
            } else if is_on_offer(state) {
                self.open();
            } else if let Patience::Spent = patience {
                return false;
            } else {
                match self.spin.learn_from(|| self.sleep(state, patience)) {
                    Waited::TimedOut => return false,
                    Waited::Changed => {}
                    Waited::Woken | Waited::Recheck => may_owe = WAITERS,
                }
            }
        }
    }

    fn sleep(&self, state: u64, patience: Patience) -> Waited {
        // Nobody watches who has not said so since the last opening.
        let watched = if has_waiters(state) { WATCHED } else { 0 };
        let Some((word, expected)) = self.announce(state, state & watched | WAITERS) else {
            return Waited::Changed;
        };
        kernel::wait(word, expected, patience.deadline())
    }

    /// What to sleep on, beside other words; `None`: look again.
    pub(crate) fn watch(&self) -> Option<Expected<'_>> {
        let state = self.load();
        let is_empty = !is_available(state) && !is_on_offer(state);
        is_empty
            .then(|| self.announce(state, WAITERS | WATCHED))
            .flatten()
    }

    /// Says that somebody is about to sleep, in place of these bits; on what.
    fn announce(&self, state: u64, bits: u64) -> Option<Expected<'_>> {
        let announced = state & !(AVAILABLE | WAITERS | WATCHED) | bits;
        let unchanged = state == announced
            || self
                .state
                // The bits speak of no other memory, and the kernel has barriers of its own.
                .compare_exchange(state, announced, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        unchanged.then(|| (self.word(), low_half(announced)))
    }

    /// Adds `n` permits, all or none.
    #[inline]
    pub(crate) fn release(&self, n: u32, limit: u32) -> Result<(), PastLimit> {
        if n == 0 {
            return Ok(());
        }
        let mut state = self.load();
        while !has_waiters(state) && n <= limit.saturating_sub(permits(state)) {
            match self.give(state, with_more(state, n) | AVAILABLE) {
                Ok(()) => return Ok(()),
                Err(now) => state = now,
            }
        }
        self.release_contended(n, limit)
    }

    /// `Err`: the state has changed, to this.
    #[inline]
    fn give(&self, state: u64, more: u64) -> Result<(), u64> {
        // ORDERING: Release pairs with the Acquire in `take`.
        let (success, failure) = (Ordering::Release, Ordering::Relaxed);
        self.state
            .compare_exchange(state, more, success, failure)
            .map(drop)
    }

    /// With waiters; or past the limit.
    #[cold]
    fn release_contended(&self, n: u32, limit: u32) -> Result<(), PastLimit> {
        // Once the permits are there, a taker may free the memory.
        let address = self.address();
        let armed = robust::is_at_rest().then(|| robust::arm(address));
        let in_two_steps = |state| has_waiters(state) && (is_watched(state) || armed.is_none());
        let next = |more| {
            if in_two_steps(more) {
                more
            } else {
                more & !WAITERS | AVAILABLE
            }
        };
        let before = self.add(n, limit, next)?;
        if in_two_steps(before) {
            self.open();
        } else if has_waiters(before) {
            // Who is woken takes a permit, or finds that others were faster. If this thread dies here, the
            // kernel wakes one, who wakes the next.
            kernel::wake(address, n as usize);
        }
        Ok(())
    }

    /// One step of a release; the state before. `next`: of a state that has the permits, the one to be.
    fn add(&self, n: u32, limit: u32, next: impl Fn(u64) -> u64) -> Result<u64, PastLimit> {
        let mut state = self.load();
        loop {
            if n > limit.saturating_sub(permits(state)) {
                if is_on_offer(state) {
                    // By one that may have died since. Who is refused is told the truth.
                    self.open();
                }
                return Err(PastLimit);
            }
            match self.give(state, next(with_more(state, n))) {
                Ok(()) => return Ok(state),
                Err(now) => state = now,
            }
        }
    }

    /// Makes the permits on offer available, and wakes all sleepers: nobody has said since whether they
    /// sleep, or watch.
    fn open(&self) {
        // ORDERING: the kernel's change of the word is as good as a Relaxed one. It keeps the release
        // sequences going of those who offered.
        kernel::make_and_wake_all(self.word(), AVAILABLE_BIT);
    }

    #[inline]
    fn load(&self) -> u64 {
        self.state.load(Ordering::Relaxed)
    }

    fn word(&self) -> kernel::Futex<'_> {
        kernel::low_half(&self.state)
    }

    fn address(&self) -> *const AtomicU32 {
        kernel::address(self.word())
    }
}
