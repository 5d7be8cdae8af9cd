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
//! | 32–63 | permits | how many there are |
//!
//! Legal to set for nothing: `WAITERS`, at the cost of one system call, and `AVAILABLE`. Without
//! `AVAILABLE`, permits are *on offer*: of a release that is under way. Who may change what, each by one
//! compare-and-swap but for the opening:
//!
//! - *take*: anybody, when permits are available: permits − 1, and `AVAILABLE` goes with the last. One that
//!   has slept also sets `WAITERS`, for those who still sleep, and if permits are left it wakes one of them.
//! - *release*: anybody: permits + n, `AVAILABLE`, and `WAITERS` goes; if it was there, wakes n.
//! - *release in two steps*, where somebody waits, in a signal handler that has interrupted another operation:
//!   permits + n, on offer. Then it *opens*: the kernel makes the low half `AVAILABLE`, without `WAITERS`, and
//!   wakes n sleepers, in one step (`FUTEX_WAKE_OP`).
//! - *open*: anybody who finds permits on offer. The one who offered them may be dead.
//! - *wait*: sets `WAITERS`, and clears an `AVAILABLE` that is for nothing; then sleeps on the low half, as
//!   it is then: `WAITERS` alone.
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
//! The release in two steps does without the slot, which the interrupted operation has. If the thread is
//! killed in that very handler between the two steps, its release takes place when somebody comes who
//! opens; until then nobody has seen it.

use crate::deadline::{Patience, Timeout};
use crate::kernel::Waited;
use crate::robust;
use crate::spin::Spin;
use crate::sync::{AtomicU32, AtomicU64, Ordering, const_fn, kernel};

/// Bit 30 of the low half.
const AVAILABLE: u64 = 1 << AVAILABLE_BIT;
const AVAILABLE_BIT: u16 = 30;
/// Bit 31 of the low half.
const WAITERS: u64 = 1 << 31;
const ONE: u64 = 1 << PERMITS_SHIFT;
const PERMITS_SHIFT: u32 = 32;

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

    pub(crate) fn available(&self) -> u32 {
        let state = self.load();
        if is_available(state) {
            // Scribbled memory may hold more.
            permits(state).min(MAX)
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
                self.open(permits(state));
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
        let announced = state & !AVAILABLE | WAITERS;
        let unchanged = state == announced
            || self
                .state
                // The bits speak of no other memory, and the kernel has barriers of its own.
                .compare_exchange(state, announced, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if unchanged {
            kernel::wait(self.word(), low_half(announced), patience.deadline())
        } else {
            Waited::Changed
        }
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
        if robust::is_at_rest() {
            self.release_armed(n, limit)
        } else {
            self.release_in_two_steps(n, limit)
        }
    }

    fn release_armed(&self, n: u32, limit: u32) -> Result<(), PastLimit> {
        // Once the permits are there, a taker may free the memory.
        let address = self.address();
        let _armed = robust::arm(address);
        let before = self.add(n, limit, |more| more & !WAITERS | AVAILABLE)?;
        if has_waiters(before) {
            // Who is woken takes a permit, or finds that others were faster. If this thread dies here, the
            // kernel wakes one, who wakes the next.
            kernel::wake(address, n as usize);
        }
        Ok(())
    }

    /// In a signal handler that has interrupted an operation of this crate, which has the pending slot.
    fn release_in_two_steps(&self, n: u32, limit: u32) -> Result<(), PastLimit> {
        let offer_or_give = |more| {
            if has_waiters(more) {
                more
            } else {
                more | AVAILABLE
            }
        };
        let before = self.add(n, limit, offer_or_give)?;
        if has_waiters(before) {
            self.open(n);
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
                    self.open(permits(state));
                }
                return Err(PastLimit);
            }
            match self.give(state, next(with_more(state, n))) {
                Ok(()) => return Ok(state),
                Err(now) => state = now,
            }
        }
    }

    /// Makes the permits on offer available, and wakes up to `n` sleepers. Nobody is on the way to wake
    /// them but those who are woken here.
    fn open(&self, n: u32) {
        // ORDERING: the kernel's change of the word is as good as a Relaxed one. It keeps the release
        // sequences going of those who offered.
        kernel::make_and_wake(self.word(), AVAILABLE_BIT, n);
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
