//! The side of a condition that notifies; the words and the protocol are in
//! [`raw_condition`](super).

use super::{
    ARRIVED, HERALD, RawCondition, STEP, distance, has_waiters, sequence, somebody_arrived,
    somebody_sleeps,
};
use crate::sync::{Ordering, fence, kernel};
use crate::wait::exchange;

/// `ARRIVED` without `WAITERS`, which never is.
const NEVER: u16 = 2;

/// More sleepers than that are not woken all at once while the lock is held. For fewer, on more than one
/// processor, the second wake-up would take longer than those who find the lock held.
const CROWD: usize = if cfg!(loom) { 1 } else { 8 };

impl RawCondition {
    /// Ends the waits of up to `n`, those first that have slept longest.
    #[cold]
    pub(crate) fn notify(&self, n: u32) {
        if self.notify_the_awake() {
            return;
        }
        if n == u32::MAX {
            return self.notify_all(CROWD);
        }
        let left = self.advance(n);
        if left > 0 {
            // For those who arrived, or looked around, while this was under way.
            self.advance(left);
        }
    }

    /// Ends all waits, if nobody is asleep; whether that was so.
    fn notify_the_awake(&self) -> bool {
        let Some(word) = self.begin_to_notify() else {
            return true;
        };
        let next = sequence(word).wrapping_add(u32::from(STEP));
        if somebody_sleeps(word) {
            return false;
        }
        // Before the sequence advances: who finds that, and not this, goes to sleep.
        self.note_ran_out(next);
        // ORDERING: Release pairs with the Acquire in `look`.
        let (success, failure) = (Ordering::Release, Ordering::Relaxed);
        self.sequence
            .compare_exchange(word, next, success, failure)
            .is_ok()
    }

    /// One notify for `n`, who are not all; for how many there is to be another.
    fn advance(&self, n: u32) -> u32 {
        let Some(word) = self.begin_to_notify() else {
            return 0;
        };
        let woken = kernel::add_and_wake(&self.sequence, STEP, n, NEVER);
        let left = n.saturating_sub(u32::try_from(woken).unwrap_or(u32::MAX));
        if left == 0 || self.run_out(word.wrapping_add(u32::from(STEP))) {
            0
        } else {
            left
        }
    }

    /// Ends all waits. If more sleep than `crowd`, one is woken, who will wake the others.
    pub(super) fn notify_all(&self, crowd: usize) {
        let _armed = self.obituary.arm();
        let is_crowd = kernel::count_sleepers(&self.sequence) > crowd;
        if is_crowd {
            // If it is there, it stays.
            let _ = exchange(&self.parked, 0, HERALD);
        }
        let at_once = if is_crowd { 1 } else { u32::MAX };
        let (woken, next) = match self.begin_to_notify() {
            Some(word) => {
                let next = word.wrapping_add(u32::from(STEP));
                // It will run out: who looks around while this thread dies, finds so.
                self.note_ran_out(next);
                // ORDERING: Release, with the kernel's change of the word, pairs with the Acquire in `look`:
                // who finds the sequence advanced finds that it ran out, and `HERALD`.
                fence(Ordering::Release);
                let woken = kernel::add_and_wake(&self.sequence, STEP, at_once, NEVER);
                (woken, Some(next))
            }
            None => (0, None),
        };
        if is_crowd {
            self.park(woken);
        }
        if let Some(next) = next {
            self.run_out(next);
        }
    }

    /// Parks those who sleep, of whom so many were woken.
    fn park(&self, woken: usize) {
        if woken > 0 {
            kernel::requeue(&self.sequence, &self.parked);
        }
        // No herald comes; or it has come, and may have found nobody.
        if woken == 0 && self.take_the_part() || self.parked.load(Ordering::Relaxed) != HERALD {
            self.wake_the_parked();
        }
    }

    pub(super) fn take_the_part(&self) -> bool {
        exchange(&self.parked, HERALD, 0).is_ok()
    }

    pub(super) fn wake_the_parked(&self) {
        kernel::wake(&raw const self.parked, usize::MAX);
    }

    /// Clears `ARRIVED`; `None`: nobody waits.
    fn begin_to_notify(&self) -> Option<u32> {
        let mut word = self.sequence.load(Ordering::Relaxed);
        while has_waiters(word) {
            let looked = word & !ARRIVED;
            match exchange(&self.sequence, word, looked) {
                Ok(_) => return Some(looked),
                Err(now) => word = now,
            }
        }
        None
    }

    /// Nobody sleeps who waited when the word became `word`. `false`: somebody came meanwhile.
    fn run_out(&self, word: u32) -> bool {
        self.note_ran_out(word);
        let (success, failure) = (Ordering::Release, Ordering::Relaxed);
        self.sequence
            .compare_exchange(word, sequence(word), success, failure)
            .map_or_else(|now| !somebody_arrived(now), |_| true)
    }

    fn note_ran_out(&self, word: u32) {
        let mut last = self.ran_out.load(Ordering::Relaxed);
        while distance(word, last) > 0 {
            match exchange(&self.ran_out, last, sequence(word)) {
                Ok(_) => break,
                Err(now) => last = now,
            }
        }
    }
}
