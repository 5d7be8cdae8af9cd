//! What a lock protects in the scenarios, and the account of who had it in what state.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::Plain;
use crate::scene::{Trouble, require};

/// Two sums that are equal whenever nobody is writing. Two writers at once, or one that died
/// halfway, show.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Ledger {
    busy: Cell<u32>,
    left: Cell<u32>,
    right: Cell<u32>,
}

// SAFETY: integers.
unsafe impl Plain for Ledger {}

impl Ledger {
    /// A critical section, small enough to be stepped through.
    #[inline]
    pub(crate) fn write(&self) {
        self.set_busy(1);
        self.left.set(self.left.get() + 1);
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
        self.right.set(self.right.get() + 1);
        self.set_busy(0);
    }

    /// A survivor's, who looks, too, and lingers.
    pub(crate) fn check_and_write(&self) {
        assert!(self.is_sound(), "not poisoned, but half-changed: {self:?}");
        self.set_busy(1);
        self.left.set(self.left.get() + 1);
        std::thread::yield_now();
        self.right.set(self.right.get() + 1);
        assert!(self.left == self.right, "two writers: {self:?}");
        self.set_busy(0);
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.busy.get() == 0 && self.left == self.right
    }

    #[inline]
    pub(crate) fn repair(&self) {
        self.right.set(self.left.get());
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
        self.busy.set(0);
    }

    /// Leaves it as one who dies halfway does.
    pub(crate) fn write_half(&self) {
        self.set_busy(1);
        self.left.set(self.left.get() + 1);
    }

    fn set_busy(&self, busy: u32) {
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
        self.busy.set(busy);
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
    }
}

const CLEAN: u32 = 1;
const POISONED: u32 = 2;

/// In which state the survivors got the lock, in their order. Written by the holder.
#[repr(C)]
pub(crate) struct Log {
    turns: AtomicU32,
    seen: [AtomicU32; 16],
    /// One more than the turn from which on it must be poisoned; 0: never.
    poisoned_from: AtomicU32,
}

// SAFETY: atomics.
unsafe impl Plain for Log {}

impl Log {
    pub(crate) fn note(&self, poisoned: bool) {
        let turn = self.turns.fetch_add(1, Ordering::SeqCst) as usize;
        let state = if poisoned { POISONED } else { CLEAN };
        self.seen[turn].store(state, Ordering::SeqCst);
    }

    /// The holder is about to die: whoever comes next is to see poison.
    pub(crate) fn expect_poison_from_now(&self) {
        let turn = self.turns.load(Ordering::SeqCst);
        let before = Ordering::SeqCst;
        let _ = self
            .poisoned_from
            .compare_exchange(0, turn + 1, before, before);
    }

    /// Whether all saw what they should, and at least one was there.
    pub(crate) fn check(&self) -> Result<(), Trouble> {
        let turns = self.turns.load(Ordering::SeqCst);
        require(turns > 0, || "nobody had the lock".into())?;
        (0..turns).try_for_each(|turn| self.check_turn(turn))
    }

    fn check_turn(&self, turn: u32) -> Result<(), Trouble> {
        let from = self.poisoned_from.load(Ordering::SeqCst);
        let poisoned = from != 0 && turn + 1 >= from;
        let expected = if poisoned { POISONED } else { CLEAN };
        let seen = self.seen[turn as usize].load(Ordering::SeqCst);
        require(seen == expected, || {
            let name = |state| if state == CLEAN { "clean" } else { "poisoned" };
            format!(
                "survivor {turn} found it {}, not {}",
                name(seen),
                name(expected)
            )
        })
    }
}
