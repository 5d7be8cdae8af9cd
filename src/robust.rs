//! This thread's robust list: who it is, which locks it holds, what it is about to do.
//!
//! At a thread's death the kernel walks the list that libc registered for it, and marks and wakes
//! every futex word on it that holds the thread's TID; also the one word that the *pending* slot
//! names, which covers the steps between changing a word and linking or unlinking it. If the
//! pending word has no owner, the kernel wakes one of its sleepers: the dead-man's wake. (Linux:
//! `Documentation/locking/robust-futexes.rst`, `robust-futex-ABI.rst`; `kernel/futex/core.c`.)
//!
//! # What the list looks like
//!
//! ```text
//! head → (libc's later mutexes) → FRONT → newest … oldest → BACK → (libc's earlier mutexes) → head
//! ```
//!
//! `FRONT` and `BACK` are entries of this thread's own memory, for words that are always 0. libc
//! links and unlinks its robust mutexes by writing to both their neighbours, so the sentinels keep
//! its writes out of our entries, and our segment is ours alone.
//!
//! # What is trusted
//!
//! The entries lie in shared memory, where anybody may scribble. They are written for the kernel
//! and never read back: every address comes from the record, an array in private memory. And only
//! what lies in shared memory is ever linked, since safe code may move or free a lock in private
//! memory after it leaked the guard. Such a lock needs no list: it dies with its process.
//!
//! A thread's state is valid from `prepare` until the thread ends or forks. In a forked child
//! [`forget`] runs first: there the thread has another TID, an empty list, and holds nothing.

use core::cell::Cell;
use core::ops::Range;
use core::ptr;
use core::sync::atomic::AtomicUsize;

use crate::keeper;
use crate::regions;
use crate::registry::{Registry, Zeroed};
use crate::sync::{AtomicU32, Note, Ordering, kernel};

/// How many locks a thread can hold: the kernel looks at 2048 entries, and one is `FRONT`.
pub(crate) const HELD_MAX: usize = 2047;

/// The bits of a word that name its owner, by TID. 0: nobody. (`FUTEX_TID_MASK`)
pub(crate) const OWNER: u32 = 0x3fff_ffff;

/// The owner in a copy of a word, or 0.
#[inline]
pub(crate) fn owner(word: u32) -> u32 {
    word & OWNER
}

/// No word's owner equals this: it has only 30 bits.
const UNKNOWN: u32 = u32::MAX;

static RECORDS: Registry<Record> = Registry::new();

crate::sync::per_thread!(static THREAD: Thread = Thread::new());

/// Calls `f` with the calling thread's state, which may still be blank.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Thread) -> R) -> R {
    THREAD.with(f)
}

/// The entries that a thread holds, oldest first, behind one for `BACK`; 0 where there is none.
/// Written by its thread alone. Others read it when they unmap memory.
struct Record {
    /// The process whose thread has the record; another's, or 0: free.
    process: Note,
    entries: [AtomicUsize; 1 + HELD_MAX],
}

// SAFETY: atomics, for which zero is a value.
unsafe impl Zeroed for Record {}

impl Record {
    fn take(&self) -> bool {
        let me = kernel::process_id();
        let process = self.process.load(Ordering::Relaxed);
        process != me && {
            let change = (Ordering::Acquire, Ordering::Relaxed);
            self.process
                .compare_exchange(process, me, change.0, change.1)
                .is_ok()
        }
    }

    fn give_back(&self) {
        for entry in &self.entries {
            if entry.swap(0, Ordering::Relaxed) == 0 {
                break;
            }
        }
        self.process.store(0, Ordering::Release);
    }
}

/// Whether a thread of this process holds a lock in that range of addresses. Nobody may be
/// acquiring or releasing one there meanwhile.
pub(crate) fn anyone_holds_within(addresses: Range<usize>) -> bool {
    let me = kernel::process_id();
    RECORDS
        .iter()
        .filter(|record| record.process.load(Ordering::Acquire) == me)
        .flat_map(|record| &record.entries)
        .any(|entry| addresses.contains(&entry.load(Ordering::Relaxed)))
}

/// An entry in private memory. The word that the kernel looks at for it lies in `zero`.
#[repr(C)]
struct Sentinel {
    zero: [usize; 3],
    prev: Cell<usize>,
    next: Cell<usize>,
}

impl Sentinel {
    const fn new() -> Self {
        Self {
            zero: [0; 3],
            prev: Cell::new(0),
            next: Cell::new(0),
        }
    }

    /// Its address as the list knows it.
    #[inline]
    fn entry(&self) -> usize {
        self.next.as_ptr().expose_provenance()
    }
}

/// Where libc keeps the way back: in the word before the way on.
fn prev_of(entry: usize) -> usize {
    entry - size_of::<usize>()
}

/// Bit 0 of a link tells libc's priority-inheriting mutexes from others.
fn without_flag(link: usize) -> usize {
    link & !1
}

/// The thread cannot be made to hold one more lock.
#[derive(Debug)]
pub(crate) struct NoRoom;

/// A thread's own state. Blank until [`prepare`](Self::prepare).
pub(crate) struct Thread {
    tid: Cell<u32>,
    /// From a futex word to its entry, in bytes.
    distance: Cell<usize>,
    /// Address of the pending slot.
    pending: Cell<usize>,
    /// The free place in the record behind the newest entry; `full`: there is none, or no record.
    top: Cell<*const AtomicUsize>,
    full: Cell<*const AtomicUsize>,
    record: Cell<Option<&'static Record>>,
    front: Sentinel,
    back: Sentinel,
}

/// The pending slot names a word for as long as this lives.
pub(crate) struct Armed<'thread> {
    thread: &'thread Thread,
    before: usize,
}

impl Drop for Armed<'_> {
    #[inline]
    fn drop(&mut self) {
        self.thread.set_pending(self.before);
    }
}

impl Thread {
    const fn new() -> Self {
        Self {
            tid: Cell::new(UNKNOWN),
            distance: Cell::new(0),
            pending: Cell::new(0),
            top: Cell::new(ptr::null()),
            full: Cell::new(ptr::null()),
            record: Cell::new(None),
            front: Sentinel::new(),
            back: Sentinel::new(),
        }
    }

    /// The thread's TID; of a blank thread, a value that no word has as its owner.
    #[inline]
    pub(crate) fn tid(&self) -> u32 {
        self.tid.get()
    }

    #[inline]
    pub(crate) fn is_known(&self) -> bool {
        self.tid.get() != UNKNOWN
    }

    /// Whether one more lock can be linked. A blank thread has no room.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.top.get() != self.full.get()
    }

    /// The word of an entry of this thread's.
    pub(crate) fn word_of(&self, entry: usize) -> *const AtomicU32 {
        ptr::with_exposed_provenance(entry - self.distance.get())
    }

    #[inline]
    fn entry_of(&self, word: *const AtomicU32) -> usize {
        word.expose_provenance() + self.distance.get()
    }

    /// From now on, should this thread die, the kernel looks at `word` too: if the thread owns it,
    /// it passes on with the mark of death; if nobody does, one of its sleepers is woken.
    ///
    /// Nests: the slot gets back what it held. The thread must not be blank.
    #[inline]
    pub(crate) fn arm(&self, word: *const AtomicU32) -> Armed<'_> {
        // SAFETY: the slot is in this thread's head, which libc keeps as long as the thread lives.
        let before = unsafe { kernel::load_link(self.pending.get()) };
        self.set_pending(self.entry_of(word));
        Armed {
            thread: self,
            before,
        }
    }

    #[inline]
    fn set_pending(&self, entry: usize) {
        // SAFETY: as in `arm`, the only caller of this beside the guard it returns.
        unsafe { kernel::store_link(self.pending.get(), entry) };
    }

    /// Puts the entry of `word`, which this thread owns and which lies in shared memory, on the
    /// list. There must be room.
    #[inline]
    pub(crate) fn link(&self, word: *const AtomicU32) {
        let entry = self.entry_of(word);
        // SAFETY: FRONT is this thread's.
        let first = unsafe { kernel::load_link(self.front.entry()) };
        // SAFETY: a lock keeps that place for its owner's links.
        unsafe { kernel::store_link(entry, first) };
        // SAFETY: FRONT is this thread's. The entry leads on already, so the list is whole.
        unsafe { kernel::store_link(self.front.entry(), entry) };
        self.push(entry);
    }

    #[inline]
    fn push(&self, entry: usize) {
        let top = self.top.get();
        // SAFETY: there is room: `top` is a place of the record, which lives for ever.
        let place = unsafe { &*top };
        place.store(entry, Ordering::Relaxed);
        self.top.set(top.wrapping_add(1));
    }

    /// Whether `word` is the lock that was linked last, of those still linked.
    #[inline]
    pub(crate) fn is_newest(&self, word: *const AtomicU32) -> bool {
        // SAFETY: FRONT is this thread's.
        let first = unsafe { kernel::load_link(self.front.entry()) };
        first == self.entry_of(word)
    }

    /// Whether the list has no lock of ours. A blank thread does not say so.
    #[inline]
    pub(crate) fn holds_nothing(&self) -> bool {
        // SAFETY: FRONT is this thread's.
        let first = unsafe { kernel::load_link(self.front.entry()) };
        first == self.back.entry()
    }

    /// Takes the newest lock off the list. There must be one, and the pending slot must name it.
    #[inline]
    pub(crate) fn unlink_newest(&self) {
        let newest = self.top.get().wrapping_sub(1);
        // SAFETY: the record has this entry and, before it, another lock's or BACK's.
        let (place, below) = unsafe { (&*newest, &*newest.wrapping_sub(1)) };
        // SAFETY: FRONT is this thread's.
        unsafe { kernel::store_link(self.front.entry(), below.load(Ordering::Relaxed)) };
        place.store(0, Ordering::Relaxed);
        self.top.set(newest);
    }

    /// Takes any lock off the list, if it is there. The pending slot must name it.
    #[cold]
    pub(crate) fn unlink(&self, word: *const AtomicU32) {
        let entry = self.entry_of(word);
        let held = self.held();
        let Some(place) = held
            .iter()
            .rposition(|held| held.load(Ordering::Relaxed) == entry)
        else {
            return;
        };
        // The neighbour to write to may be a lock that was moved out of shared memory, by a swap
        // through an outer guard, after its own guard leaked. It is dropped from the list.
        let newer = loop {
            match self
                .held()
                .get(place + 1)
                .map(|newer| newer.load(Ordering::Relaxed))
            {
                Some(newer) if !regions::is_shared(newer) => self.drop_from_record(place + 1),
                Some(newer) => break newer,
                None => break self.front.entry(),
            }
        };
        let older = self.before(place);
        // SAFETY: FRONT, or a lock of shared memory that this thread holds: memory with a held lock
        // in it stays mapped.
        unsafe { kernel::store_link(newer, older) };
        self.drop_from_record(place);
    }

    /// The places of the locks on the list, oldest first.
    pub(crate) fn held(&self) -> &'static [AtomicUsize] {
        let Some(record) = self.record.get() else {
            return &[];
        };
        let all = &record.entries[1..];
        let room = (self.full.get().addr() - self.top.get().addr()) / size_of::<AtomicUsize>();
        &all[..all.len() - room]
    }

    /// The entry behind the `place`th held one: an older lock's, or BACK's.
    fn before(&self, place: usize) -> usize {
        let older = place
            .checked_sub(1)
            .and_then(|older| self.held().get(older));
        older.map_or(self.back.entry(), |older| older.load(Ordering::Relaxed))
    }

    fn drop_from_record(&self, place: usize) {
        let places = &self.held()[place..];
        for pair in places.windows(2) {
            pair[0].store(pair[1].load(Ordering::Relaxed), Ordering::Relaxed);
        }
        if let Some(last) = places.last() {
            last.store(0, Ordering::Relaxed);
            self.top.set(self.top.get().wrapping_sub(1));
        }
    }

    /// Makes a blank thread known.
    #[cold]
    pub(crate) fn prepare(&self) -> Result<(), NoRoom> {
        if self.is_known() {
            return Ok(());
        }
        if !kernel::install_hooks(forget, keeper::thread_ends) {
            return Err(NoRoom);
        }
        let head = kernel::robust_head().ok_or(NoRoom)?;
        let record = RECORDS.claim(Record::take).ok_or(NoRoom)?;
        kernel::exit_hook_wanted();
        record.entries[0].store(self.back.entry(), Ordering::Relaxed);
        let places = record.entries.as_ptr_range();
        self.record.set(Some(record));
        self.distance.set(head.distance);
        self.pending.set(head.pending);
        self.insert_sentinels(head.list);
        self.top.set(places.start.wrapping_add(1));
        self.full.set(places.end);
        self.tid.set(kernel::current_tid());
        Ok(())
    }

    fn insert_sentinels(&self, head: usize) {
        let (front, back) = (self.front.entry(), self.back.entry());
        // SAFETY: the head is valid as long as the thread lives; its first field is the first
        // entry, or the head itself, and libc keeps the way back before either. The sentinels are
        // this thread's. FRONT is linked last, so the list is whole at every step.
        #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one splice")]
        unsafe {
            let first = kernel::load_link(head);
            kernel::store_link(back, first);
            kernel::store_link(prev_of(back), front);
            kernel::store_link(front, back);
            kernel::store_link(prev_of(front), head);
            kernel::store_link(prev_of(without_flag(first)), back);
            kernel::store_link(head, front);
        }
    }

    /// With no lock of ours between them.
    pub(crate) fn remove_sentinels(&self) {
        // SAFETY: both lie in libc's list, whose neighbours libc has kept up to date in them; a
        // neighbour is a mutex that libc holds for this thread, or the head.
        #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one splice")]
        unsafe {
            let before = kernel::load_link(prev_of(self.front.entry()));
            let behind = kernel::load_link(self.back.entry());
            kernel::store_link(before, behind);
            kernel::store_link(prev_of(without_flag(behind)), before);
        }
    }

    /// Makes the thread blank: it holds nothing, or what it holds is not its own any more.
    pub(crate) fn become_blank(&self) {
        self.tid.set(UNKNOWN);
        self.top.set(ptr::null());
        self.full.set(ptr::null());
        // SAFETY: FRONT is this thread's.
        unsafe { kernel::store_link(self.front.entry(), 0) };
        if let Some(record) = self.record.take() {
            record.give_back();
        }
    }
}

/// In a forked child: the parent's thread holds what this one held.
extern "C" fn forget() {
    with(Thread::become_blank);
}
