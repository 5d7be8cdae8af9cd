//! The lock under [`Lock`](crate::Lock) and [`RLock`](crate::RLock): its word, its waiters, its
//! poison.
//!
//! # The word
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0–29 | owner | TID of the holder; 0: **free**, whatever the other bits say |
//! | 30, owned | `ARRIVED` | a waiter came since this owner took the lock |
//! | 30, free | `OWNER_DIED` | set by the kernel alone, at the death of an owner |
//! | 31 | `WAITERS` | somebody may be asleep on the word |
//!
//! Legal to forget: `ARRIVED`, at the cost of one system call. Illegal: to clear `WAITERS` while
//! somebody sleeps, or is about to. Who may change what:
//!
//! - free → owned by me: anybody, by compare-and-swap; `WAITERS` stays as found, bit 30 goes.
//! - owned: a waiter sets `WAITERS` and `ARRIVED`, together, before it sleeps on that very value.
//! - owned → free: the owner. To 0 if the word was its bare TID. Otherwise to `WAITERS`, and then it
//!   wakes one sleeper; or, if it finds that nobody is left (the *probe*), to 0.
//! - owned by the dead → free: the kernel; `WAITERS` stays, `OWNER_DIED` comes, one sleeper is woken.
//! - free, died → free: anybody who clears the poison, by compare-and-swap; `WAITERS` stays.
//! - owned by an ending thread that forgot its guard → owned by a keeper: the keeper; the other bits
//!   stay.
//!
//! # Why nobody sleeps on a free lock
//!
//! Nobody goes to sleep on a free word: the value slept on has an owner. A sleeper's `WAITERS`
//! stays in the word through every owner, so each release but a probing one wakes somebody. Whoever
//! is woken has the word in its pending slot, as it had all through its sleep: if it dies before it
//! owns the lock, the kernel wakes the next one, or there is an owner again, who will. A releaser
//! that dies between freeing the word and waking has the word in its pending slot, too.
//!
//! The probe clears `WAITERS` only when the kernel counts no sleepers, with a compare-and-swap that
//! fails if a waiter came since this owner took the lock (`ARRIVED`). A waiter that came under an
//! earlier owner either sleeps, and is counted, or will find that the value it wants to sleep on is
//! gone.
//!
//! glibc stores 0 and wakes one: if that one dies while a newcomer takes the lock by its fast path,
//! the newcomer's release sees no `WAITERS`, and the other sleepers are stranded.

use core::ptr;

use crate::deadline::{Deadline, Patience, Timeout};
use crate::kernel::Waited;
use crate::regions;
use crate::robust::{self, Thread, owner};
use crate::spin::Looks;
use crate::sync::{AtomicU32, Note, Ordering, const_fn, kernel};
use crate::wait::{Seen, announce, sleep_on};

/// Bit 31: somebody may be asleep.
const WAITERS: u32 = 0x8000_0000;
/// Bit 30 of an owned word: a waiter came since the owner took the lock.
const ARRIVED: u32 = 0x4000_0000;
/// Bit 30 of a free word: the last owner died.
const OWNER_DIED: u32 = 0x4000_0000;

/// `place`: the lock lies in shared memory. Any other even number: not known yet.
const IN_SHARED_MEMORY: u32 = 2;

const POISONED: u32 = 1;

fn is_free(word: u32) -> bool {
    owner(word) == 0
}

fn somebody_arrived(word: u32) -> bool {
    word & ARRIVED != 0
}

fn owner_died(word: u32) -> bool {
    is_free(word) && word & OWNER_DIED != 0
}

/// Why a thread that is known has no room for one more lock in shared memory.
#[cold]
fn no_room(thread: &Thread) -> Refusal {
    if thread.is_heard() {
        Refusal::TooManyHeld
    } else {
        Refusal::NoRobustList
    }
}

/// Why the lock was not acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It was held by another thread for as long as the caller would wait.
    Held,
    /// It is held by the calling thread.
    Deadlock,
    /// It is held by the calling thread as often as can be counted.
    RecursionLimit,
    /// The calling thread cannot hold more locks.
    TooManyHeld,
    /// The kernel keeps no robust list for the calling thread.
    NoRobustList,
    /// A signal handler has forked, and this is the child: to be tried again, as who it is now.
    Forked,
}

/// What the words of a lock say, for [`inspect`](crate::inspect).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockSnapshot {
    /// The TID of the thread that holds it.
    pub holder: Option<u32>,
    /// Why the next holder gets `Poisoned`, if it does.
    pub poison: Option<Poison>,
    /// How often the holder of an `RLock` holds it; of a `Lock` it says nothing.
    pub depth: u32,
    /// Whether a release has to look for sleepers. It may be on where nobody sleeps.
    pub may_have_sleepers: bool,
}

/// Why a lock is poisoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// Its last holder died, and nobody has held it since.
    Died,
    /// A holder before died or panicked.
    Noted,
}

/// A lock without data. All-zero memory is a free one.
///
/// Public for a sealed trait that names it; nobody outside can.
#[repr(C, align(8))]
#[expect(missing_debug_implementations, reason = "nobody outside can name it")]
pub struct RawLock {
    word: AtomicU32,
    /// Not 0: poisoned. Written by the owner; cleared by anybody.
    poison: AtomicU32,
    /// How often the owner holds it, if it may more than once; under a mutex of `lock_api`, whether it was
    /// panicking before. The owner's alone.
    pub(crate) depth: AtomicU32,
    /// Whether the lock lies in shared memory: [`IN_SHARED_MEMORY`], or an odd number that says no
    /// for one address, so that the answer does not outlive a move.
    place: Note,
    reserved: [u32; 3],
    /// The owner's links in its robust list; see [`robust`](crate::robust). The second and third
    /// word with glibc, the first and second with musl.
    links: [Note; 3],
}

/// Where the links begin.
#[cfg_attr(loom, allow(dead_code, reason = "models have another layout"))]
pub(crate) const LINKS: usize = core::mem::offset_of!(RawLock, links);

impl RawLock {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                word: AtomicU32::new(0),
                poison: AtomicU32::new(0),
                depth: AtomicU32::new(0),
                place: Note::new(0),
                reserved: [0; 3],
                links: [const { Note::new(0) }; 3],
            }
        }
    }

    /// The address of the word, with leave to write the links behind it.
    #[inline]
    fn at(&self) -> *const AtomicU32 {
        ptr::from_ref(self).cast()
    }

    /// Acquires the lock, or says why not.
    #[inline]
    pub(crate) fn acquire(&self, timeout: Timeout) -> Result<(), Refusal> {
        robust::with(|thread| {
            if self.acquire_uncontended(thread) {
                return Ok(());
            }
            self.acquire_slow(thread, timeout)
        })
    }

    #[cold]
    fn acquire_slow(&self, thread: &Thread, timeout: Timeout) -> Result<(), Refusal> {
        loop {
            match self.acquire_contended(thread, timeout) {
                Err(Refusal::Forked) => {}
                outcome => return outcome,
            }
        }
    }

    #[inline]
    fn acquire_uncontended(&self, thread: &Thread) -> bool {
        let place = self.place.load(Ordering::Relaxed);
        if place == IN_SHARED_MEMORY {
            let entry = thread.entry_of(self.at());
            let Some(room) = thread.make_room(entry) else {
                return false;
            };
            thread.point_at(entry);
            let taken = self.take(0, thread);
            if taken {
                thread.link(&room);
            } else {
                thread.point_nowhere();
            }
            taken
        } else {
            place == self.private_here() && thread.is_known() && self.take(0, thread)
        }
    }

    /// Acquires a lock whose word is 0: free, without a mark of death, and nobody has slept on it. Any other is
    /// left as it is.
    pub(crate) fn acquire_untouched(&self) -> bool {
        robust::with(|thread| {
            if self.word.load(Ordering::Relaxed) != 0 || thread.prepare().is_err() {
                return false;
            }
            self.find_place();
            self.acquire_uncontended(thread)
        })
    }

    /// One attempt to become the owner of a free word.
    #[inline]
    fn take(&self, free: u32, thread: &Thread) -> bool {
        let owned = thread.tid() | (free & WAITERS);
        // ORDERING: Acquire pairs with the Release of whoever freed the word, or with the kernel's
        // full barrier at the death of its owner.
        self.word
            .compare_exchange(free, owned, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    #[cold]
    fn acquire_contended(&self, thread: &Thread, timeout: Timeout) -> Result<(), Refusal> {
        if self.is_owned_by(thread) {
            return Err(Refusal::Deadlock);
        }
        thread.prepare().map_err(|_| Refusal::TooManyHeld)?;
        let tracked = self.find_place();
        let entry = thread.entry_of(self.at());
        if !tracked {
            let _armed = thread.arm(entry);
            return self.contend(thread, timeout.start());
        }
        let Some(room) = thread.make_room(entry) else {
            return Err(no_room(thread));
        };
        let armed = thread.arm(entry);
        self.contend(thread, timeout.start())?;
        thread.link(&room);
        armed.keep();
        Ok(())
    }

    fn contend(&self, thread: &Thread, patience: Patience) -> Result<(), Refusal> {
        let me = thread.tid();
        let mut looks = Looks::new();
        loop {
            let word = self.word.load(Ordering::Relaxed);
            if thread.tid() != me {
                return Err(Refusal::Forked);
            }
            if is_free(word) {
                if self.take(word, thread) {
                    self.note_death(word);
                    return Ok(());
                }
            } else if let Patience::Spent = patience {
                return Err(Refusal::Held);
            } else if looks.once_more() {
            } else if self.sleep(word, patience.deadline()) == Waited::TimedOut {
                return Err(Refusal::Held);
            } else {
                looks = Looks::new();
            }
        }
    }

    /// If this owner dies before the note is written, the kernel marks the word once more.
    fn note_death(&self, word: u32) {
        if owner_died(word) {
            self.poison();
        }
    }

    /// Sleeps on the word while it has this owner, after saying so in it.
    ///
    /// A waiter that gives up leaves `WAITERS` behind; a release that finds nobody clears it.
    fn sleep(&self, word: u32, deadline: Option<Deadline>) -> Waited {
        sleep_on(&self.word, word, WAITERS | ARRIVED, deadline)
    }

    /// Releases the lock if the calling thread holds it. In a forked child it never does: a guard
    /// that was inherited there is inert.
    #[inline]
    pub(crate) fn release(&self) {
        robust::with(|thread| {
            let place = self.place.load(Ordering::Relaxed);
            if place == self.private_here() && self.free_uncontended(thread) {
                return;
            }
            self.release_tracked(thread);
        });
    }

    /// Out of line: where guards are dropped, a call costs less than so much code.
    #[inline(never)]
    fn release_tracked(&self, thread: &Thread) {
        if thread.points_at(thread.entry_of(self.at())) {
            thread.unlink_unrecorded();
            if self.free_uncontended(thread) {
                return thread.point_nowhere();
            }
        }
        self.release_slow(thread);
    }

    #[inline]
    fn free_uncontended(&self, thread: &Thread) -> bool {
        // ORDERING: Release pairs with the Acquire in `take`.
        self.word
            .compare_exchange(thread.tid(), 0, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// With waiters; or a lock that is in the record, or on no list.
    #[cold]
    fn release_slow(&self, thread: &Thread) {
        if !thread.is_known() {
            return;
        }
        let entry = thread.entry_of(self.at());
        let _armed = thread.arm(entry);
        thread.unlink(entry);
        if !self.free_uncontended(thread) {
            self.release_contended(thread);
        }
    }

    #[cold]
    fn release_contended(&self, thread: &Thread) {
        let word = self.word.load(Ordering::Relaxed);
        if owner(word) != thread.tid() {
            return;
        }
        if !somebody_arrived(word) && self.free_if_nobody_sleeps(word) {
            return;
        }
        let address = self.at();
        // ORDERING: Release pairs with the Acquire in `take`.
        self.word.store(WAITERS, Ordering::Release);
        // Whoever wakes owns the lock next, or finds it owned with `WAITERS` kept, or dies, and the
        // kernel wakes another for it. If this thread dies here, the kernel wakes one for it.
        kernel::wake(address, 1);
    }

    /// The probe. `word`: owned, with `WAITERS`, without `ARRIVED`.
    fn free_if_nobody_sleeps(&self, word: u32) -> bool {
        // ORDERING: Release pairs with the Acquire in `take`. That the word is unchanged since it
        // was loaded, before the count, proves that nobody came in between.
        kernel::nobody_sleeps(&self.word)
            && self
                .word
                .compare_exchange(word, 0, Ordering::Release, Ordering::Relaxed)
                .is_ok()
    }

    /// Acquires the lock for one that has released it and must have it back.
    #[cold]
    pub(crate) fn reacquire(&self) {
        if self.acquire(Timeout::Forever).is_err() {
            // A signal handler has used up all places meanwhile, for guards that it forgot. The lock
            // is held, but would not survive this thread's death.
            robust::with(|thread| {
                let _armed = thread.arm(thread.entry_of(self.at()));
                let acquired = self.contend(thread, Patience::Unlimited);
                debug_assert!(acquired.is_ok(), "who waits for ever gets it");
            });
        }
    }

    /// Nobody holds it. The caller knows, since nobody else knows of the lock.
    #[cfg_attr(loom, allow(dead_code, reason = "models map no files"))]
    pub(crate) fn forget_holder(&self) {
        let word = self.word.load(Ordering::Relaxed);
        if !is_free(word) {
            self.word.store(0, Ordering::Relaxed);
        }
    }

    /// Whether the holder's death is noticed. The caller holds the lock.
    pub(crate) fn is_tracked(&self) -> bool {
        self.place.load(Ordering::Relaxed) == IN_SHARED_MEMORY
    }

    /// The word as it is now, to sleep beside: see [`wait`](crate::wait).
    pub(crate) fn watched(&self) -> Seen<'_> {
        (&self.word, self.word.load(Ordering::Relaxed))
    }

    /// The same of a held lock, whose holder's release or death will wake a sleeper.
    pub(crate) fn awaited(&self) -> Option<Seen<'_>> {
        let word = self.word.load(Ordering::Relaxed);
        if is_free(word) {
            return None;
        }
        let announced = announce(&self.word, word, WAITERS | ARRIVED).ok()?;
        Some((&self.word, announced))
    }

    /// Wakes all who sleep beside the word.
    pub(crate) fn wake_watchers(&self) {
        kernel::wake(self.at(), usize::MAX);
    }

    /// Whether the lock lies in shared memory; asks the kernel the first time.
    fn find_place(&self) -> bool {
        let private = self.private_here();
        match self.place.load(Ordering::Relaxed) {
            IN_SHARED_MEMORY => true,
            place if place == private => false,
            _ => {
                let shared = regions::is_shared(ptr::from_ref(self).addr());
                let place = if shared { IN_SHARED_MEMORY } else { private };
                self.place.store(place, Ordering::Relaxed);
                shared
            }
        }
    }

    /// What `place` says if the lock lies in private memory, at this address.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "34 bits of address are enough to differ"
    )]
    fn private_here(&self) -> u32 {
        (ptr::from_ref(self).addr() >> 2) as u32 | 1
    }

    #[inline]
    pub(crate) fn is_owned_by(&self, thread: &Thread) -> bool {
        owner(self.word.load(Ordering::Relaxed)) == thread.tid()
    }

    pub(crate) fn owner(&self) -> Option<u32> {
        Some(owner(self.word.load(Ordering::Relaxed))).filter(|&owner| owner != 0)
    }

    /// Changes nothing, and asks nobody. Of a copy as good as of the lock itself.
    #[cfg_attr(loom, allow(dead_code, reason = "models are not inspected"))]
    pub(crate) fn snapshot(&self) -> LockSnapshot {
        let word = self.word.load(Ordering::Relaxed);
        let holder = (!is_free(word)).then(|| owner(word));
        let poison = if owner_died(word) {
            Some(Poison::Died)
        } else {
            self.is_poisoned_while_held().then_some(Poison::Noted)
        };
        LockSnapshot {
            holder,
            poison,
            depth: holder.map_or(0, |_| self.depth.load(Ordering::Relaxed)),
            may_have_sleepers: word & WAITERS != 0,
        }
    }

    pub(crate) fn count_waiters(&self) -> usize {
        kernel::count_sleepers(&self.word)
    }

    pub(crate) fn poison(&self) {
        self.poison.store(POISONED, Ordering::Relaxed);
    }

    /// Not in a forked child, where the parent holds the lock.
    #[cold]
    pub(crate) fn poison_if_owned(&self) {
        if robust::with(|thread| self.is_owned_by(thread)) {
            self.poison();
        }
    }

    #[inline]
    pub(crate) fn is_poisoned_while_held(&self) -> bool {
        self.poison.load(Ordering::Relaxed) != 0
    }

    /// Also where an owner died and nobody has had the lock since.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.was_poisoned_at(self.watched())
    }

    /// The same, as of when the word was seen.
    pub(crate) fn was_poisoned_at(&self, (_, seen): Seen<'_>) -> bool {
        owner_died(seen) || self.is_poisoned_while_held()
    }

    /// A mark of death that nobody has seen yet is poison, too, and goes with it. The word stays
    /// free and `WAITERS` stays as it is, so nobody's sleep depends on this.
    pub(crate) fn clear_poison(&self) {
        self.poison.store(0, Ordering::Relaxed);
        let mut word = self.word.load(Ordering::Relaxed);
        while owner_died(word) {
            let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
            match self
                .word
                .compare_exchange(word, word & !OWNER_DIED, success, failure)
            {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }
}
