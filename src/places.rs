//! Who is on the way from its sleep on a condition to the lock, by TID.
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0–29 | TID | of who has the place; 0: nobody |
//! | 30 | `ASLEEP` | who has it was not notified, and can do without |
//! | 31 | `WANTED` | somebody may be asleep on the word, until it is given back |
//!
//! Who has a place gives it back, unless somebody has taken it: one that was notified takes that of one
//! that is asleep, and whoever finds the TID of the dead takes it off. Places order no other memory.

use crate::deadline;
use crate::robust::owner;
use crate::sync::{AtomicU32, Ordering, const_fn, kernel};
use crate::wait::{Obituary, ROUND, Woken, exchange};

/// As many may be on their way to the lock at a time; others wait.
const PLACES: usize = 5;

const ASLEEP: u32 = 0x4000_0000;
const WANTED: u32 = 0x8000_0000;

/// All-zero memory is free places.
#[repr(transparent)]
pub(crate) struct Places([AtomicU32; PLACES]);

/// A place that the caller has, or had.
#[derive(Clone, Copy)]
pub(crate) struct Place<'places>(&'places AtomicU32);

impl Places {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self([
                AtomicU32::new(0),
                AtomicU32::new(0),
                AtomicU32::new(0),
                AtomicU32::new(0),
                AtomicU32::new(0),
            ])
        }
    }

    fn find(&self, wanted: impl Fn(&AtomicU32) -> bool) -> Option<Place<'_>> {
        self.0.iter().find(|place| wanted(place)).map(Place)
    }

    /// The TIDs of those who were notified.
    #[cfg_attr(loom, allow(dead_code, reason = "models are not inspected"))]
    pub(crate) fn notified(&self) -> Vec<u32> {
        let words = self.0.iter().map(|place| place.load(Ordering::Relaxed));
        words
            .filter(|word| word & ASLEEP == 0)
            .map(owner)
            .filter(|&tid| tid != 0)
            .collect()
    }

    /// For one that is about to sleep, if there is one to be had.
    pub(crate) fn take_early(&self, me: u32) -> Option<Place<'_>> {
        self.find(|place| replace(place, 0, me | ASLEEP))
    }

    /// For one that was notified: the one that it had while asleep, a free one, or another sleeper's.
    pub(crate) fn take<'places>(
        &'places self,
        early: Option<Place<'places>>,
        me: u32,
    ) -> Option<Place<'places>> {
        early
            .filter(|place| replace(place.0, me | ASLEEP, me))
            .or_else(|| self.find(|place| replace(place, 0, me)))
            .or_else(|| self.find(|place| take_from_a_sleeper(place, me)))
    }

    /// Sleeps until there may be a place. The caller has armed the obituary.
    pub(crate) fn wait(&self, obituary: &Obituary, me: u32) -> Woken {
        let place = &self.0[me as usize % PLACES];
        let taken = place.load(Ordering::Relaxed);
        let wanted = taken | WANTED;
        if taken == 0 || taken & ASLEEP != 0 || !replace(place, taken, wanted) {
            return Woken::NotAsleep;
        }
        if kernel::is_gone(owner(taken)) {
            return Woken::ToLook;
        }
        let round = deadline::earlier(None, ROUND);
        obituary.sleep(kernel::whole(place), wanted, round)
    }

    pub(crate) fn wake_all(&self) {
        for place in &self.0 {
            kernel::wake(place, usize::MAX);
        }
    }

    /// Frees the places of threads that are gone; whether there were any.
    pub(crate) fn take_off_the_dead(&self) -> bool {
        // In scribbled memory a place may name nobody.
        self.take_off(|tid| tid == 0 || kernel::is_gone(tid))
    }

    /// Frees the places of threads that had this thread's TID before it was this thread's.
    pub(crate) fn take_off_namesakes(&self, me: u32) -> bool {
        self.take_off(|tid| tid == me)
    }

    fn take_off(&self, whom: impl Fn(u32) -> bool) -> bool {
        let mut found = false;
        for place in &self.0 {
            let taken = place.load(Ordering::Relaxed);
            found |= taken != 0 && whom(owner(taken)) && exchange(place, taken, 0).is_ok();
        }
        found
    }
}

impl Place<'_> {
    /// Gives it back, if it is still the caller's. Should this thread die before it wakes those who want
    /// it, they look around.
    pub(crate) fn leave(self, me: u32) {
        let mut taken = self.0.load(Ordering::Relaxed);
        while owner(taken) == me {
            match exchange(self.0, taken, 0) {
                Ok(_) if taken & WANTED != 0 => {
                    kernel::wake(self.0, usize::MAX);
                    return;
                }
                Ok(_) => return,
                Err(now) => taken = now,
            }
        }
    }
}

fn replace(place: &AtomicU32, from: u32, to: u32) -> bool {
    place.load(Ordering::Relaxed) == from && exchange(place, from, to).is_ok()
}

fn take_from_a_sleeper(place: &AtomicU32, me: u32) -> bool {
    let taken = place.load(Ordering::Relaxed);
    taken & ASLEEP != 0 && exchange(place, taken, me).is_ok()
}
