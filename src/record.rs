//! What a thread holds, in memory that is private to the process: the addresses that are trusted.
//!
//! A record also has the two sentinels of the thread's list, and lives for ever, so that the kernel
//! can still follow the list when the thread's own memory is gone. Records are used again.

use core::ops::Range;
use core::sync::atomic::AtomicUsize;

use crate::on_drop::OnDrop;
use crate::registry::{Registry, Zeroed};
use crate::sentinel::Sentinel;
use crate::sync::{Note, Ordering, kernel, per_process};

/// How many locks a thread can hold: the kernel looks at 2048 entries, and one is `front`.
pub(crate) const HELD_MAX: usize = 2047;

per_process!(fn records() -> Registry<Record> = Registry::new());

/// Written by its thread alone. Other threads read it before they unmap memory.
///
/// The newest lock is what `front` leads to. An older one is in `older`, from the moment it is the
/// newest no more until it is released; meanwhile it moves only when one below it is taken out, and
/// `moves` is odd.
#[repr(C)]
pub(crate) struct Record {
    /// The process whose thread has the record; another's, or 0: free.
    process: Note,
    moves: Note,
    pub(crate) front: Sentinel,
    pub(crate) back: Sentinel,
    /// For a thread that has no list: the way back, and the kernel's `struct robust_list_head`.
    own_list: [AtomicUsize; 4],
    /// The entry of `back`, then the locks', oldest first, then zeros.
    pub(crate) older: [AtomicUsize; HELD_MAX],
}

// SAFETY: atomics and integers, for which zero is a value.
unsafe impl Zeroed for Record {}

impl Record {
    /// A free one, for the calling thread. `None`: no memory.
    pub(crate) fn claim() -> Option<&'static Self> {
        records().claim(Self::take)
    }

    fn take(&self) -> bool {
        let me = kernel::process_id();
        let process = self.process.load(Ordering::Relaxed);
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        process != me
            && self
                .process
                .compare_exchange(process, me, success, failure)
                .is_ok()
    }

    /// The address of a head for a list of our own, with a place for the way back before it.
    pub(crate) fn own_head(&self) -> usize {
        self.own_list.as_ptr().expose_provenance() + size_of::<usize>()
    }

    pub(crate) fn give_back(&self) {
        for entry in &self.older {
            entry.store(0, Ordering::Relaxed);
        }
        self.process.store(0, Ordering::Release);
    }

    /// Takes the lock at `place` out of `older[..length]`.
    pub(crate) fn remove(&self, place: usize, length: usize) {
        let moves = self.moves.load(Ordering::Relaxed);
        self.moves.store(moves.wrapping_add(1), Ordering::SeqCst);
        for pair in self.older[place..length].windows(2) {
            pair[0].store(pair[1].load(Ordering::Relaxed), Ordering::SeqCst);
        }
        self.older[length - 1].store(0, Ordering::SeqCst);
        self.moves.store(moves.wrapping_add(2), Ordering::SeqCst);
    }

    /// Whether the thread holds a lock in that range. In doubt, because it keeps moving what it
    /// holds, yes.
    fn holds_within(&self, addresses: &Range<usize>) -> bool {
        const ATTEMPTS: u32 = 1000;
        for _ in 0..ATTEMPTS {
            let moves = self.moves.load(Ordering::SeqCst);
            // `front` first: a lock that it leads to no more is in `older` already.
            let newest = core::iter::once(self.front.leads_to());
            let older = self.older.iter().map(|entry| entry.load(Ordering::SeqCst));
            if newest.chain(older).any(|entry| addresses.contains(&entry)) {
                return true;
            }
            if moves % 2 == 0 && self.moves.load(Ordering::SeqCst) == moves {
                return false;
            }
        }
        true
    }
}

/// Locks that go from one thread's record to another's: how often that began in this process, and how often
/// it ended.
struct Moves {
    begun: Note,
    ended: Note,
}

per_process!(fn between_records() -> Moves = Moves {
    begun: Note::new(0),
    ended: Note::new(0),
});

/// Locks go from one thread's record to another's, until this is dropped. They may be in neither for a
/// moment, or seem so to one who looks at the records one by one.
pub(crate) fn move_between() -> OnDrop<impl FnOnce()> {
    let Moves { begun, ended } = between_records();
    begun.fetch_add(1, Ordering::SeqCst);
    OnDrop::new(|| {
        ended.fetch_add(1, Ordering::SeqCst);
    })
}

/// In a forked child: what was moving is the parent's.
pub(crate) fn nothing_moves() {
    let Moves { begun, ended } = between_records();
    ended.store(begun.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// Whether a thread of this process holds a lock in that range of addresses. Nobody may be
/// acquiring or releasing one there meanwhile. In doubt, because one may have [moved](move_between)
/// meanwhile, yes.
pub(crate) fn anyone_holds_within(addresses: &Range<usize>) -> bool {
    let me = kernel::process_id();
    let Moves { begun, ended } = between_records();
    let before = ended.load(Ordering::SeqCst);
    let is_held = records()
        .iter()
        .filter(|record| record.process.load(Ordering::Acquire) == me)
        .any(|record| record.holds_within(addresses));
    is_held || begun.load(Ordering::SeqCst) != before
}
