//! The two entries of private memory between which a thread's locks are on libc's list.

use core::sync::atomic::AtomicUsize;

use crate::sync::{Ordering, kernel};

/// An entry in private memory. The word that the kernel looks at for it lies in `zero`.
#[repr(C)]
pub(crate) struct Sentinel {
    zero: [usize; 3],
    prev: AtomicUsize,
    next: AtomicUsize,
}

impl Sentinel {
    pub(crate) const fn new() -> Self {
        Self {
            zero: [0; 3],
            prev: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
        }
    }

    /// Its address as the list knows it.
    #[inline]
    pub(crate) fn entry(&self) -> usize {
        self.next.as_ptr().expose_provenance()
    }

    pub(crate) const fn next(&self) -> *const AtomicUsize {
        &raw const self.next
    }

    /// What it leads to, for a thread that is not its own.
    pub(crate) fn leads_to(&self) -> usize {
        self.next.load(Ordering::SeqCst)
    }

    /// Where libc keeps the way back.
    fn prev(&self) -> usize {
        self.prev.as_ptr().expose_provenance()
    }
}

/// Bit 0 of a link tells libc's priority-inheriting mutexes from others.
fn without_flag(link: usize) -> usize {
    link & !1
}

/// Where libc keeps the way back from an entry: in the word before the way on.
fn prev_of(entry: usize) -> usize {
    without_flag(entry) - size_of::<usize>()
}

/// Puts both into libc's list, in front of all that is there.
pub(crate) fn insert(front: &Sentinel, back: &Sentinel, head: usize) {
    let (front_entry, back_entry) = (front.entry(), back.entry());
    #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one splice")]
    // SAFETY: the head is valid as long as the thread lives; its first field is the first entry, or
    // the head itself, and libc keeps the way back before either. The sentinels are this thread's.
    // FRONT is linked last, so the list is whole at every step.
    unsafe {
        let first = kernel::load_link(head);
        kernel::store_link(back_entry, first);
        kernel::store_link(back.prev(), front_entry);
        kernel::store_link(front_entry, back_entry);
        kernel::store_link(front.prev(), head);
        kernel::store_link(prev_of(first), back_entry);
        kernel::store_link(head, front_entry);
    }
}

/// Takes both out of libc's list, with no lock of ours between them.
pub(crate) fn remove(front: &Sentinel, back: &Sentinel) {
    #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one splice")]
    // SAFETY: both lie in libc's list, whose neighbours libc has kept up to date in them; a
    // neighbour is a mutex that libc holds for this thread, or the head.
    unsafe {
        let before = kernel::load_link(front.prev());
        let behind = kernel::load_link(back.entry());
        kernel::store_link(before, behind);
        kernel::store_link(prev_of(behind), before);
    }
}
