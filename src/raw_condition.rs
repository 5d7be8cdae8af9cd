//! What is under a [`Condition`](crate::Condition): its words, its waiters, and those who die.
//!
//! # The words
//!
//! `sequence`, on which waiters sleep:
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 | `WAITERS` | somebody may be waiting |
//! | 1 | `ARRIVED` | somebody came, or looked around, since the last notify began |
//! | 2 | `ASLEEP` | somebody may be asleep |
//! | 3–31 | sequence | how often somebody notified |
//!
//! `ran_out`: the sequence after the last notify that ran out of sleepers, or will.
//! `parked`: where sleepers sleep on whose waits a notify to everybody has ended; it holds `HERALD` when one
//! is to come and wake them. `returning`: [`places`](crate::places) for the TIDs of those on the way from
//! their sleep to the lock. And the [`obituary`](crate::wait).
//!
//! - *wait*: holding the lock, sets `WAITERS` and `ARRIVED`; releases the lock; looks for a while, if that
//!   [pays](crate::spin); sets `ASLEEP`; sleeps on the word, whose sequence it has seen under the lock.
//! - *notify*, where nobody is asleep: notes in `ran_out` that it ends all waits, and the sequence advances,
//!   without any of the bits.
//! - *notify*: clears `ARRIVED`; then the sequence advances and n sleepers are woken in one step of the
//!   kernel (`FUTEX_WAKE_OP`), so no death comes between. If fewer than n slept, nobody does who waited
//!   then, which it notes in `ran_out`, and it clears the bits; or if somebody has `ARRIVED` meanwhile, it
//!   does all that once more: who looked at `ran_out` before it was noted finds another sequence than it
//!   was about to sleep on, and looks again.
//! - *notify to everybody*: as that, but `ran_out` is noted first. Of a crowd it wakes only one, lest all of
//!   them find the lock held by the notifier: it parks the others. The first that was notified, and finds
//!   `HERALD`, waits until the lock is free, clears it, and then wakes them.
//!
//! Who has parked others and still finds `HERALD` leaves them to whoever clears it. There is one who will:
//! the one that was woken by the notify that set it last; or that notify itself, if it has woken nobody. One
//! who fell asleep meanwhile may be parked, too; it is woken for nothing, and sleeps on.
//!
//! A wait is over when the kernel says that it was woken through the word, and the sequence has
//! advanced; or when a notify `ran_out` that began after it. One that finds the sequence advanced before
//! it slept, or between two sleeps (a signal, a look around), cannot know whom that notify reached: it
//! was for others, unless it `ran_out`.
//!
//! The kernel's queue keeps the order, and has the living only; nothing here counts waiters, so the dead
//! need not be taken out.
//!
//! # Who was notified and dies
//!
//! Its notification is owed to another waiter until it has the lock again.
//!
//! 1. *Asleep, and just woken*: the obituary is armed. A death wakes a sleeper, which ends all waits,
//!    by a notify to everybody: spurious wake-ups, at once.
//! 2. *Taking the lock back*: the lock's own entry is in the pending slot, for the lock must not be lost;
//!    there is only one slot. So before that its TID is in a place of `returning`, until it has the lock.
//!    Waiters look around once a second: if a TID is there whose thread is gone, they end all waits. The
//!    kernel tells whether it is gone ([`kernel::is_gone`]). So do those who are parked find that their
//!    waits are over, if their herald died while it waited for the lock.
//!
//! One whose time is up while it waits for a place gives its notification to another, and has timed out.
//!
//! A waiter takes a place before it sleeps, if one is free, and marks it `ASLEEP`: if all who sleep look
//! around in the very instant of a death, and no wake-up finds them, they find the TID. Who returns and
//! has none takes the place of one that is asleep.
//!
//! A lock in private memory dies with all its threads; its waiters do none of this.
//!
//! Here are those who wait; in [`notify`] those who notify.

mod notify;

use crate::deadline::{self, Deadline, Patience};
use crate::kernel::Waited;
use crate::places::{Place, Places};
use crate::raw_lock::RawLock;
use crate::robust;
use crate::spin::Spin;
use crate::sync::{AtomicU32, Ordering, const_fn, kernel};
use crate::wait::{Obituary, ROUND, Woken, announce, exchange, sleep_on};

const WAITERS: u32 = 1;
const ARRIVED: u32 = 2;
const ASLEEP: u32 = 4;
const BITS: u32 = WAITERS | ARRIVED | ASLEEP;
const STEP: u16 = 8;

/// `parked`: somebody is to come and wake those who are.
const HERALD: u32 = 1;

/// A `ran_out` is not trusted that is so far from the sequence: it has aged until it looks new again.
const TOO_FAR: i32 = 1 << 24;

fn has_waiters(word: u32) -> bool {
    word & WAITERS != 0
}

fn somebody_arrived(word: u32) -> bool {
    word & ARRIVED != 0
}

fn somebody_sleeps(word: u32) -> bool {
    word & ASLEEP != 0
}

fn sequence(word: u32) -> u32 {
    word & !BITS
}

/// By how much the sequence `later` comes after `earlier`: they are less than half of all apart.
fn distance(later: u32, earlier: u32) -> i32 {
    sequence(later).wrapping_sub(sequence(earlier)) as i32
}

/// All-zero memory is one that nobody waits for.
#[repr(C)]
pub(crate) struct RawCondition {
    sequence: AtomicU32,
    obituary: Obituary,
    ran_out: AtomicU32,
    parked: AtomicU32,
    spin: Spin,
    returning: Places,
}

/// What the words of a condition say, for [`inspect`](crate::inspect).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConditionSnapshot {
    /// How often somebody notified while somebody waited, modulo 2²⁹.
    pub notified: u32,
    /// Whether somebody may be waiting, asleep or not yet.
    pub may_have_waiters: bool,
    /// The TIDs of those who were notified and do not have the lock back yet, as far as there is room to
    /// note them.
    pub returning: Vec<u32>,
}

/// Where the second word is that waiters sleep on, once a notify to everybody has ended their waits.
#[cfg_attr(loom, allow(dead_code, reason = "models are not inspected"))]
pub(crate) const PARKED_AT: usize = core::mem::offset_of!(RawCondition, parked);

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is one of those whom a notify has chosen.
    Notified,
    /// A notify has ended all waits: nothing is owed to anybody.
    Over,
    /// By a death. So do all others.
    Spurious,
    TimedOut,
    /// It was notified, and the time was up before it had a place: another is notified in its stead.
    PassedOn,
}

impl RawCondition {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                sequence: AtomicU32::new(0),
                obituary: Obituary::new(),
                ran_out: AtomicU32::new(0),
                parked: AtomicU32::new(0),
                spin: Spin::new(),
                returning: Places::new(),
            }
        }
    }

    #[inline]
    pub(crate) fn has_waiters(&self) -> bool {
        has_waiters(self.sequence.load(Ordering::Relaxed))
    }

    /// Changes nothing, and asks nobody. Of a copy as good as of the condition itself.
    #[cfg_attr(loom, allow(dead_code, reason = "models are not inspected"))]
    pub(crate) fn snapshot(&self) -> ConditionSnapshot {
        let word = self.sequence.load(Ordering::Relaxed);
        ConditionSnapshot {
            notified: sequence(word) / u32::from(STEP),
            may_have_waiters: has_waiters(word),
            returning: self.returning.notified(),
        }
    }

    /// Gives the lock up, all levels of it, waits, and takes it back; whether it was notified.
    pub(crate) fn wait(&self, lock: &RawLock, patience: Patience) -> bool {
        let depth = lock.depth.load(Ordering::Relaxed);
        let notified = if let Patience::Spent = patience {
            lock.release();
            lock.reacquire();
            false
        } else if lock.is_tracked() {
            self.wait_among_mortals(lock, patience)
        } else {
            self.wait_among_immortals(lock, patience)
        };
        lock.depth.store(depth, Ordering::Relaxed);
        notified
    }

    /// Says that somebody waits; the word. The caller holds the lock.
    fn arrive(&self) -> u32 {
        let mut word = self.sequence.load(Ordering::Relaxed);
        loop {
            match announce(&self.sequence, word, WAITERS | ARRIVED) {
                Ok(announced) => {
                    self.renew_ran_out(announced);
                    return announced;
                }
                Err(now) => word = now,
            }
        }
    }

    /// So that it does not grow so old that it looks new.
    fn renew_ran_out(&self, begun: u32) {
        let last = self.ran_out.load(Ordering::Relaxed);
        if distance(last, begun) > TOO_FAR || distance(begun, last) > TOO_FAR {
            // If not, somebody else has.
            let _ = exchange(&self.ran_out, last, sequence(begun));
        }
    }

    /// The wait for a lock in private memory; whether it was notified.
    fn wait_among_immortals(&self, lock: &RawLock, patience: Patience) -> bool {
        let begun = self.arrive();
        lock.release();
        let notified =
            self.look_for_a_while(begun, patience) || self.sleep_through(begun, patience);
        if notified {
            self.be_the_herald_if_any(lock);
        }
        lock.reacquire();
        notified
    }

    /// Whether the wait was over before it came to sleeping.
    fn look_for_a_while(&self, begun: u32, patience: Patience) -> bool {
        self.spin.until(patience, || self.ran_out_since(begun))
    }

    fn sleep_through(&self, begun: u32, patience: Patience) -> bool {
        let mut seen = begun;
        loop {
            let sleep = || sleep_on(&self.sequence, seen, BITS, patience.deadline());
            let end = self.spin.learn_from(sleep);
            let now = self.look();
            let woken = end == Waited::Woken && sequence(now) != sequence(seen);
            if woken || self.ran_out_since(begun) {
                return true;
            }
            if end == Waited::TimedOut {
                return false;
            }
            seen = now;
        }
    }

    fn look(&self) -> u32 {
        // ORDERING: Acquire pairs with the Release in `run_out`: who sees `WAITERS` cleared, or what
        // was made of the word since, sees `ran_out`.
        self.sequence.load(Ordering::Acquire)
    }

    fn ran_out_since(&self, begun: u32) -> bool {
        distance(self.ran_out.load(Ordering::Relaxed), begun) > 0
    }

    /// Wakes those who are parked, once the lock is free, unless somebody else does. Not before: the
    /// notifier has the lock for as long as it parks them.
    fn be_the_herald_if_any(&self, lock: &RawLock) {
        if self.parked.load(Ordering::Relaxed) == HERALD {
            lock.reacquire();
            let is_herald = self.take_the_part();
            lock.release();
            if is_herald {
                self.wake_the_parked();
            }
        }
    }

    fn wait_among_mortals(&self, lock: &RawLock, patience: Patience) -> bool {
        let begun = self.arrive();
        lock.release();
        let (end, place) = if self.look_for_a_while(begun, patience) {
            (End::Over, None)
        } else {
            self.sleep_among_mortals(begun, patience)
        };
        if end != End::TimedOut {
            self.be_the_herald_if_any(lock);
        }
        lock.reacquire();
        if let Some(place) = place {
            place.leave(robust::current_tid());
        }
        !matches!(end, End::TimedOut | End::PassedOn)
    }

    /// And the place that is to be left when the lock was taken back: from then on its holder's death is told
    /// by the lock.
    fn sleep_among_mortals(&self, begun: u32, patience: Patience) -> (End, Option<Place<'_>>) {
        let _armed = self.obituary.arm();
        let me = robust::current_tid();
        if self.returning.take_off_namesakes(me) {
            self.mourn();
        }
        let early = self.returning.take_early(me);
        let end = self.sleep(begun, patience.deadline());
        if end != End::Notified {
            return (end, early);
        }
        let place = self.find_place(early, me, patience);
        if place.is_some() {
            return (end, place);
        }
        self.notify(1);
        (End::PassedOn, early)
    }

    /// Sleeps until the wait is over.
    fn sleep(&self, begun: u32, deadline: Option<Deadline>) -> End {
        let mut seen = begun;
        loop {
            let round = deadline::earlier(deadline, ROUND);
            let sleep = || match announce(&self.sequence, seen, BITS) {
                Ok(announced) => {
                    let word = kernel::whole(&self.sequence);
                    self.obituary.sleep(word, announced, round.or(deadline))
                }
                Err(_) => Woken::NotAsleep,
            };
            let woken = self.spin.learn_from(sleep);
            let now = self.look();
            let advanced = sequence(now) != sequence(seen);
            match woken {
                Woken::ByDeath => {
                    self.mourn();
                    return End::Spurious;
                }
                _ if self.ran_out_since(begun) => return End::Over,
                Woken::ByState if advanced => return End::Notified,
                Woken::ByTime if round.is_none() => return End::TimedOut,
                Woken::ByTime | Woken::ToLook if self.somebody_died() => return End::Spurious,
                _ => seen = now,
            }
        }
    }

    /// Somebody died. All waits end, since one of those who wait may be owed a notification; and all
    /// who wait for a place look again, since one may be owed that.
    fn mourn(&self) {
        self.returning.take_off_the_dead();
        self.returning.wake_all();
        self.notify_all(usize::MAX);
        self.wake_the_parked();
    }

    /// Whether somebody died on the way to the lock. If so, all waits end.
    fn somebody_died(&self) -> bool {
        let died = self.returning.take_off_the_dead();
        if died {
            self.mourn();
        }
        died
    }

    /// A place for one that is on its way to the lock, still armed. `None`: there was none in time.
    fn find_place<'condition>(
        &'condition self,
        early: Option<Place<'condition>>,
        me: u32,
        patience: Patience,
    ) -> Option<Place<'condition>> {
        loop {
            let place = self.returning.take(early, me);
            if place.is_some() || patience.is_over() {
                return place;
            }
            match self.returning.wait(&self.obituary, me) {
                Woken::ByDeath => self.mourn(),
                Woken::ByTime | Woken::ToLook => drop(self.somebody_died()),
                Woken::ByState | Woken::ByLock | Woken::NotAsleep => {}
            }
        }
    }
}
