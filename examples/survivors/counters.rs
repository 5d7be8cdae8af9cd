//! The counters at which tickets are sold: fewer than there are sellers.
//!
//! A `BoundedSemaphore` counts the free ones. Its permits have no owner: if a seller is killed, nobody
//! knows by the count alone whether it had one. (Had it been about to take one? Had it just given it
//! back? A note beside the count would be a second step, and a death may come between the two.) So the
//! books are kept apart from the waiting:
//!
//! - *who has a counter* is one word, with a bit for each desk. It changes in single steps, so there
//!   is no doubt about it, whoever dies when.
//! - *a permit* only says that it is worth looking at that word. There may be one too many: then
//!   a seller looks for nothing, and waits for the next. There must not be one too few.
//!
//! So whoever clears up after the dead always gives a permit back. If that was one too many, it is used
//! up by a seller that looks for nothing, or refused, because no more than all counters can be free.
//! When everybody has gone home, exactly all permits are there.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use procsync::{BoundedSemaphore, Permit};

procsync::shareable! {
    pub(crate) struct Counters {
        free: BoundedSemaphore,
        /// A bit for each desk whose seller has a counter.
        taken: AtomicU64,
        in_vain: AtomicU64,
    }
}

/// A seller at a counter. It leaves when this is dropped: first the counter, then the permit.
pub(crate) struct AtCounter<'counters> {
    counters: &'counters Counters,
    desk: usize,
    _permit: Permit<'counters>,
}

impl Drop for AtCounter<'_> {
    fn drop(&mut self) {
        self.counters.vacate(self.desk);
    }
}

impl Counters {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            free: BoundedSemaphore::new(number),
            taken: AtomicU64::new(0),
            in_vain: AtomicU64::new(0),
        }
    }

    /// Waits for a free one.
    pub(crate) fn take(&self, desk: usize) -> AtCounter<'_> {
        loop {
            let permit = self.free.acquire();
            if self.occupy(desk) {
                return AtCounter {
                    counters: self,
                    desk,
                    _permit: permit,
                };
            }
            permit.forget(); // one too many
            self.in_vain.fetch_add(1, Relaxed);
        }
    }

    /// After the death of the seller at that desk. `true`: it had a counter.
    pub(crate) fn clear_up(&self, desk: usize) -> bool {
        let had_one = self.vacate(desk);
        // An error: it was one too many, and all are there.
        let _ = self.free.release(1);
        had_one
    }

    /// `false`: all are taken.
    fn occupy(&self, desk: usize) -> bool {
        let one_more = |taken: u64| {
            let is_free = taken.count_ones() < self.number();
            is_free.then_some(taken | bit(desk))
        };
        self.taken.fetch_update(AcqRel, Acquire, one_more).is_ok()
    }

    fn vacate(&self, desk: usize) -> bool {
        self.taken.fetch_and(!bit(desk), AcqRel) & bit(desk) != 0
    }

    pub(crate) fn number(&self) -> u32 {
        self.free.bound()
    }

    /// How often somebody got a permit that was one too many.
    pub(crate) fn in_vain(&self) -> u64 {
        self.in_vain.load(Relaxed)
    }

    /// Where nobody is left: what does not add up, in words.
    pub(crate) fn audit(&self) -> Option<String> {
        let free = self.free.available_permits();
        let taken = self.taken.load(Acquire).count_ones();
        let adds_up = free == self.number() && taken == 0;
        (!adds_up).then(|| format!("of {} counters {free} free, {taken} taken", self.number()))
    }
}

fn bit(desk: usize) -> u64 {
    1 << desk
}
