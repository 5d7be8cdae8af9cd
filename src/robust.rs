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
//! `FRONT` and `BACK` are entries in private memory, for words that are always 0. libc links and
//! unlinks its robust mutexes by writing to both their neighbours, so the sentinels keep its writes
//! out of our entries, and our segment is ours alone.
//!
//! # What is trusted
//!
//! The entries lie in shared memory, where anybody may scribble. They are written for the kernel
//! and never read back: every address comes from the [`record`](crate::record), in private memory.
//! And only what lies in shared memory is ever linked, since safe code may move or free a lock in
//! private memory after it leaked the guard. Such a lock needs no list: it dies with its process.
//!
//! A thread's state is valid from `prepare` until the thread ends or forks. In a forked child
//! [`forget`] runs first: there the thread has another TID, an empty list, and holds nothing.
//!
//! How locks come onto the list and off it is in [`links`].

mod links;

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::AtomicUsize;

use crate::keeper;
use crate::kernel::RobustHead;
use crate::record::{self, Record};
use crate::sentinel::{self, Sentinel};
use crate::sync::{AtomicU32, Ordering, kernel};

/// The bits of a word that name its owner, by TID. 0: nobody. (`FUTEX_TID_MASK`)
pub(crate) const OWNER: u32 = 0x3fff_ffff;

/// The owner in a copy of a word, or 0.
#[inline]
pub(crate) fn owner(word: u32) -> u32 {
    word & OWNER
}

/// No word's owner equals this: it has only 30 bits.
const UNKNOWN: u32 = u32::MAX;

/// How far behind a word a lock has room for an entry: from musl's distance to glibc's. A list with
/// another one, or none, is replaced by one of our own: then libc's robust mutexes are on their own
/// in that thread.
pub(crate) const DISTANCES: core::ops::RangeInclusive<usize> = 28..=32;

/// The FRONT of a blank thread: leads nowhere.
static NOWHERE: Sentinel = Sentinel::new();

crate::sync::per_thread!(static THREAD: Thread = Thread::new());

/// Calls `f` with the calling thread's state, which may still be blank.
///
/// Inlined, `f` and all: the state is at a fixed distance from the thread pointer, and a call would
/// cost as much as the rest of an acquisition.
#[inline(always)]
pub(crate) fn with<R>(f: impl FnOnce(&Thread) -> R) -> R {
    let thread = THREAD.with(ptr::from_ref);
    // SAFETY: the variable has no destructor and lives as long as the thread, which is in `f` as
    // long as the reference lives.
    f(unsafe { &*thread })
}

/// Where the list meets a word: the address of the link that belongs to it, in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(usize);

/// The thread cannot be made to hold one more lock.
#[derive(Debug)]
pub(crate) struct NoRoom;

/// A thread's own state. Blank until [`prepare`](Self::prepare). What every acquisition needs lies in one
/// cache line.
#[repr(C, align(64))]
pub(crate) struct Thread {
    /// From a futex word to its entry, in bytes.
    distance: Cell<usize>,
    tid: Cell<u32>,
    /// The pending slot; of a blank thread, NOWHERE's.
    pending: Cell<*const AtomicUsize>,
    front: Cell<*const Sentinel>,
    /// The entry of BACK; of a blank thread, no entry.
    back: Cell<usize>,
    /// The free place of `record.older`; `full`: there is none, or no record.
    top: Cell<*const AtomicUsize>,
    full: Cell<*const AtomicUsize>,
    /// What is in the place before `top`: the newest lock's entry, or the next older one's, or
    /// BACK's. `usize::MAX`, which is no entry: the thread is blank, or the kernel keeps no list for it.
    last_older: Cell<usize>,
    record: Cell<Option<&'static Record>>,
}

/// The pending slot names a word for as long as this lives; then it gets back what it held.
///
/// Not `Send`: it is a thread's own.
pub(crate) struct Armed {
    slot: *const AtomicUsize,
    entry: Entry,
    before: usize,
    /// `before` is the lock that was the newest.
    before_is_newest: bool,
}

impl Armed {
    /// The thread owns the word now: see [`Thread::point_at`].
    pub(crate) fn keep(self) {
        core::mem::forget(self);
    }

    /// The slot names the word again, whatever has taken it meanwhile.
    pub(crate) fn renew(&self) {
        self.set_slot(|_| self.entry.0);
    }

    fn set_slot(&self, entry: impl FnOnce(&Thread) -> usize) {
        if kernel::is_over() {
            return;
        }
        with(|thread| {
            // Not in a child that a signal handler has forked.
            if thread.pending.get() == self.slot && thread.has_slot() {
                thread.set_pending(entry(thread));
            }
        });
    }

    /// A lock that was the newest may be the newest no more, or not be held. Without the slot its release
    /// takes a little longer.
    fn restored(&self, thread: &Thread) -> usize {
        if self.before_is_newest && !thread.may_point_at(self.before) {
            0
        } else {
            self.before
        }
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        self.set_slot(|thread| self.restored(thread));
    }
}

/// From now on, should the calling thread die, the kernel wakes one sleeper of `word`, whose owner
/// bits are 0.
///
/// Nests, and asks for nothing that a signal handler may not do.
pub(crate) fn arm(word: *const AtomicU32) -> Option<Armed> {
    // Otherwise libc has a thread without a list, and for one of our own there is no memory.
    with(|thread| {
        thread
            .find_slot()
            .then(|| thread.arm(thread.entry_of(word)))
    })
}

/// Whether the calling thread is not in the middle of an operation, which a signal handler has interrupted.
pub(crate) fn is_at_rest() -> bool {
    with(|thread| {
        // SAFETY: as in `set_pending`.
        let pending = unsafe { kernel::load_link(thread.pending()) };
        !thread.has_slot() || pending == 0 || pending == thread.first()
    })
}

/// The list that libc registered for the calling thread, if a lock has room for its entries.
fn usable_head() -> Option<RobustHead> {
    kernel::robust_head().filter(|head| DISTANCES.contains(&head.distance))
}

/// Whether the kernel refuses to keep a list for the calling thread, so that nobody would hear of its
/// death.
#[cfg_attr(loom, allow(dead_code, reason = "models map no files"))]
pub(crate) fn is_unheard() -> bool {
    with(|thread| thread.find_slot() && thread.is_known() && !thread.is_heard())
}

/// The calling thread's TID. In a forked child that waits with an inherited guard, too.
pub(crate) fn current_tid() -> u32 {
    with(|thread| {
        // Without memory for it, no word has its TID.
        let _ = thread.prepare();
        thread.tid()
    })
}

/// The same, of a thread that has acquired a lock; of another, no thread's.
#[inline(always)]
pub(crate) fn known_tid() -> u32 {
    with(Thread::tid)
}

/// A number that differs between a process and its forked children.
#[inline]
pub(crate) fn incarnation() -> u32 {
    match kernel::incarnation() {
        0 => first_incarnation(),
        known => known,
    }
}

/// Whether it is still the process to which [`incarnation`] has given this number.
#[inline]
pub(crate) fn is_incarnation(number: u32) -> bool {
    kernel::incarnation() == number
}

#[cold]
fn first_incarnation() -> u32 {
    if kernel::install_hooks(forget, keeper::thread_ends) {
        kernel::begin_incarnations();
    }
    kernel::incarnation()
}

/// The pending slot.
///
/// Between operations it is 0, or it names the newest lock that the thread holds, and no other was
/// linked since: an acquisition leaves it so, which does no harm (the lock is on the list, too), saves
/// two stores, and tells the release that the lock is in no place of the record.
impl Thread {
    /// From now on, should this thread die, the kernel looks at the word of `entry` too: if the
    /// thread owns it, it passes on with the mark of death; if nobody does, one of its sleepers is
    /// woken.
    ///
    /// Nests: the slot gets back what it held. The place of the slot must be known.
    pub(crate) fn arm(&self, entry: Entry) -> Armed {
        // SAFETY: as in `set_pending`.
        let before = unsafe { kernel::load_link(self.pending()) };
        self.point_at(entry);
        Armed {
            slot: self.pending.get(),
            entry,
            before,
            before_is_newest: before == self.first(),
        }
    }

    /// The same without an end, for a word that the thread is about to own, or owns.
    #[inline]
    pub(crate) fn point_at(&self, entry: Entry) {
        self.set_pending(entry.0);
    }

    /// The end of [`point_at`](Self::point_at): the thread does not own the word, or not any more.
    #[inline]
    pub(crate) fn point_nowhere(&self) {
        self.set_pending(0);
    }

    /// Whether the slot names this entry; then it is the lock that the thread linked last.
    #[inline]
    pub(crate) fn points_at(&self, entry: Entry) -> bool {
        // SAFETY: as in `set_pending`, or NOWHERE's link.
        unsafe { kernel::load_link(self.pending()) == entry.0 }
    }

    /// Whether, between operations, the slot may name this lock.
    fn may_point_at(&self, entry: usize) -> bool {
        entry == self.first() && entry != self.last_older.get()
    }

    /// Whether the place of the slot is known.
    fn has_slot(&self) -> bool {
        self.pending.get() != NOWHERE.next()
    }

    /// Sees to it that the place of the slot is known, of a blank thread, too.
    fn find_slot(&self) -> bool {
        self.has_slot() || self.ask_for_slot()
    }

    #[cold]
    fn ask_for_slot(&self) -> bool {
        match usable_head() {
            Some(head) => {
                self.distance.set(head.distance);
                self.pending.set(ptr::with_exposed_provenance(head.pending));
                true
            }
            None => self.prepare().is_ok(),
        }
    }

    #[inline]
    fn set_pending(&self, entry: usize) {
        // SAFETY: the slot is in this thread's head, which libc keeps as long as the thread lives.
        unsafe { kernel::store_link(self.pending(), entry) };
    }

    #[inline]
    fn pending(&self) -> usize {
        self.pending.get().expose_provenance()
    }
}

/// Who the thread is.
impl Thread {
    const fn new() -> Self {
        Self {
            tid: Cell::new(UNKNOWN),
            distance: Cell::new(0),
            pending: Cell::new(NOWHERE.next()),
            front: Cell::new(&raw const NOWHERE),
            back: Cell::new(usize::MAX),
            top: Cell::new(ptr::null()),
            full: Cell::new(ptr::null()),
            last_older: Cell::new(usize::MAX),
            record: Cell::new(None),
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

    #[inline]
    pub(crate) fn entry_of(&self, word: *const AtomicU32) -> Entry {
        Entry(word.expose_provenance() + self.distance.get())
    }

    /// The word of an entry of this thread's.
    pub(crate) fn word_of(&self, entry: Entry) -> *const AtomicU32 {
        ptr::with_exposed_provenance(entry.0 - self.distance.get())
    }
}

/// The beginning and the end.
impl Thread {
    /// Makes a blank thread known.
    pub(crate) fn prepare(&self) -> Result<(), NoRoom> {
        if self.is_known() {
            Ok(())
        } else {
            self.become_known()
        }
    }

    #[cold]
    fn become_known(&self) -> Result<(), NoRoom> {
        if !kernel::install_hooks(forget, keeper::thread_ends) {
            return Err(NoRoom);
        }
        let record = Record::claim().ok_or(NoRoom)?;
        let (head, is_heard) = self.found_head().or_else(usable_head).map_or_else(
            || kernel::register_head(record.own_head()),
            |head| (head, true),
        );
        kernel::exit_hook_wanted();
        let places = record.older.as_ptr_range();
        self.record.set(Some(record));
        self.front.set(&raw const record.front);
        self.back.set(record.back.entry());
        record.older[0].store(record.back.entry(), Ordering::Relaxed);
        self.distance.set(head.distance);
        self.pending.set(ptr::with_exposed_provenance(head.pending));
        sentinel::insert(&record.front, &record.back, head.list);
        self.set_top(places.start.wrapping_add(1));
        self.full.set(places.end);
        if !is_heard {
            self.leave_no_room();
        }
        self.tid.set(kernel::current_tid());
        Ok(())
    }

    /// The head of a list that was found when only its slot was asked for. A sandbox may have been entered since,
    /// where it would not be found any more.
    fn found_head(&self) -> Option<RobustHead> {
        self.has_slot().then(|| RobustHead {
            list: self.pending() - RobustHead::SLOT_AT,
            pending: self.pending(),
            distance: self.distance.get(),
        })
    }

    /// For a thread that the kernel keeps no list for, so that no lock is linked whose next owner would not
    /// hear of its death.
    fn leave_no_room(&self) {
        self.full.set(self.top.get());
        self.last_older.set(usize::MAX);
    }

    /// Whether the kernel will tell of the thread's death, which must be known.
    pub(crate) fn is_heard(&self) -> bool {
        self.last_older.get() != usize::MAX
    }

    /// Makes the thread blank: it holds nothing, or what it holds is not its own any more.
    fn become_blank(&self) {
        if self.has_slot() {
            self.point_nowhere();
        }
        self.tid.set(UNKNOWN);
        self.top.set(ptr::null());
        self.full.set(ptr::null());
        self.front.set(&raw const NOWHERE);
        self.back.set(usize::MAX);
        self.last_older.set(usize::MAX);
        self.pending.set(NOWHERE.next());
        if let Some(record) = self.record.take() {
            record.give_back();
        }
    }

    /// The thread ends, and holds nothing.
    pub(crate) fn leave(&self) {
        if let Some(record) = self.record.get() {
            sentinel::remove(&record.front, &record.back);
        }
        self.become_blank();
    }
}

/// In a forked child: the parent's thread holds what this one held, and libc has begun a new list.
extern "C" fn forget() {
    kernel::begin_incarnation();
    record::nothing_moves();
    with(Thread::become_blank);
}
