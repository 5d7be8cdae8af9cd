//! The thread's locks on the list, and off it again: the list in shared memory, which the kernel
//! follows, and the [`record`](crate::record) of it, which is trusted, change together.
//!
//! Every step leaves a list that the kernel can walk; what is between two steps the pending slot
//! covers, which the callers see to.

use core::sync::atomic::AtomicUsize;

use super::{Entry, Thread};
use crate::record::{HELD_MAX, Record};
use crate::regions;
use crate::sync::{Ordering, kernel};

/// See [`Thread::make_room`].
pub(crate) struct Room {
    entry: Entry,
    next: usize,
    front: usize,
}

impl Thread {
    /// Makes room for one more lock, and looks up what [`link`](Self::link) will need: loads behind a
    /// locked instruction wait for it. A blank thread has no room.
    ///
    /// The newest lock goes into the record, if it is not there.
    #[inline]
    pub(crate) fn make_room(&self, entry: Entry) -> Option<Room> {
        let next = self.first();
        let room = next == self.last_older.get() || self.record_newest(next);
        room.then(|| Room {
            entry,
            next,
            front: self.front(),
        })
    }

    #[inline]
    fn record_newest(&self, newest: usize) -> bool {
        let room = self.top.get() != self.full.get();
        if room {
            self.push(newest);
            self.point_nowhere();
        }
        room
    }

    /// The address of FRONT.
    #[inline]
    fn front(&self) -> usize {
        // SAFETY: a record's, or NOWHERE: both live for ever.
        unsafe { &*self.front.get() }.entry()
    }

    /// What FRONT leads to: the entry of the newest lock, or BACK's; 0 of a blank thread.
    #[inline]
    pub(super) fn first(&self) -> usize {
        // SAFETY: FRONT is this thread's.
        unsafe { kernel::load_link(self.front()) }
    }

    /// Makes FRONT lead to `entry`.
    #[inline]
    fn lead_to(&self, entry: usize) {
        // SAFETY: FRONT is this thread's; its record lives for ever.
        unsafe { kernel::publish_link(self.front(), entry) };
    }

    /// The entry of the newest lock, if the thread holds one.
    pub(crate) fn newest(&self) -> Option<Entry> {
        let newest = self.first();
        (self.is_known() && newest != self.back.get()).then_some(Entry(newest))
    }

    /// Whether it is the entry of the lock that was linked last, of those still linked.
    fn is_newest(&self, entry: Entry) -> bool {
        self.first() == entry.0
    }

    /// Puts the entry of a word, which this thread owns and which lies in shared memory, on the
    /// list. Nothing was linked or unlinked since the room was made.
    #[inline]
    pub(crate) fn link(&self, room: &Room) {
        // SAFETY: a lock keeps that place for its owner's links.
        unsafe { kernel::store_entry(room.entry.0, room.next) };
        // SAFETY: FRONT is this thread's. The entry leads on already, so the list is whole.
        unsafe { kernel::publish_link(room.front, room.entry.0) };
    }

    #[inline(always)]
    fn push(&self, entry: usize) {
        let top = self.top.get();
        // SAFETY: there is room: `top` is a place of the record, which lives for ever.
        let place = unsafe { &*top };
        // Whoever finds that FRONT leads on to the next lock finds this one here.
        place.store(entry, Ordering::Relaxed);
        self.set_top(top.wrapping_add(1));
    }

    /// Takes the newest lock off the list, which is not in the record. The pending slot must name it.
    #[inline]
    pub(crate) fn unlink_unrecorded(&self) {
        self.lead_to(self.last_older.get());
    }

    /// Takes the newest lock off the list. The pending slot must name it.
    pub(crate) fn unlink_newest(&self) {
        if self.first() == self.last_older.get() {
            self.pop();
        }
        self.unlink_unrecorded();
    }

    fn pop(&self) {
        let top = self.top.get().wrapping_sub(1);
        // SAFETY: a place of the record, not its first.
        let place = unsafe { &*top };
        // ORDERING: Release: who finds it gone knows by what came before, if it moves to another thread's.
        place.store(0, Ordering::Release);
        self.set_top(top);
    }

    #[inline(always)]
    pub(super) fn set_top(&self, top: *const AtomicUsize) {
        self.top.set(top);
        // SAFETY: the record's first place is always in use.
        let last = unsafe { &*top.wrapping_sub(1) };
        self.last_older.set(last.load(Ordering::Relaxed));
    }

    /// Takes any lock off the list, if it is there. The pending slot must name it.
    #[cold]
    pub(crate) fn unlink(&self, entry: Entry) {
        let Some(record) = self.record.get() else {
            return;
        };
        while !self.is_newest(entry) {
            let older = &record.older[..self.places_used()];
            let at = |place: usize| older.get(place).map(|entry| entry.load(Ordering::Relaxed));
            let Some(place) = (1..older.len())
                .rev()
                .find(|&place| at(place) == Some(entry.0))
            else {
                return;
            };
            let newer = at(place + 1).unwrap_or(self.first());
            if regions::is_shared(newer) {
                // SAFETY: the place of a held lock's links, in shared memory that stays mapped
                // because the lock is held.
                unsafe { kernel::store_entry(newer, at(place - 1).unwrap_or_default()) };
                return self.remove(record, place);
            }
            // A lock that was moved out of shared memory, by a swap through an outer guard, after
            // its own guard leaked. It is dropped from the record, and so from the list.
            if newer == self.first() {
                self.unlink_newest();
            } else {
                self.remove(record, place + 1);
            }
        }
        self.unlink_newest();
    }

    /// How many places of `record.older` are in use. The thread must not be blank.
    fn places_used(&self) -> usize {
        let free = (self.full.get().addr() - self.top.get().addr()) / size_of::<AtomicUsize>();
        HELD_MAX - free
    }

    fn remove(&self, record: &Record, place: usize) {
        record.remove(place, self.places_used());
        self.set_top(self.top.get().wrapping_sub(1));
    }
}
