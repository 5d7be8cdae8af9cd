//! The books: what everybody says of itself, in single atomic steps, in memory that has none of the
//! crate's primitives. They outlive whoever wrote them, and the audit compares them with what the
//! primitives say.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::common::Plain;
use crate::world::WORLDS;

/// Those who are killed, and replaced.
pub(crate) const WORKERS: usize = 8;
/// Those who are not.
pub(crate) const ELDERS: usize = 2;
pub(crate) const PLACES: usize = WORKERS + ELDERS;
/// At each place a process, its second thread, its child; and one who looks after them.
pub(crate) const DESKS: usize = 3 * PLACES + 1;
pub(crate) const SUPERVISOR: usize = DESKS - 1;

/// All desks of a place: those who die together.
pub(crate) fn desks_of(place: usize) -> [usize; 3] {
    [place, place + PLACES, place + 2 * PLACES]
}

/// What a death in the middle of which leaves a doubt, or a loss.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    Lock,
    Nested,
    Semaphore,
    Bounded,
    Mail,
    Meeting,
    Timer,
}
const MARKS: usize = 7;

/// Where somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Stage {
    Away,
    /// It may have the lock or the permit, or not.
    Near,
    /// It has it.
    Inside,
}

/// Who sits at a desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Presence {
    Absent,
    Working,
    /// Called home, and gone as far as it goes.
    Home,
}

/// What is counted, in each world.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    /// Poison seen of one that was known to have the lock.
    Poisonings,
    /// Poison seen of one that had the lock, and had not said so.
    Blanks,
    /// Kept by the dead for good, of the semaphore and the bounded one.
    Lost,
    LostBounded,
    /// Put in the place of those that the dead have kept.
    Refilled,
    RefilledBounded,
    DaysBegun,
    DaysOver,
    Alarms,
    Posted,
    Taken,
    Came,
    Met,
    Failed,
    Meetings,
    Resets,
    Fired,
    Cancelled,
    Cancels,
    Abandoned,
    /// Permits that a handler could not give back.
    Refused,
}
const COUNTS: usize = 21;

/// What is counted once for all.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Total {
    Handled,
    Forks,
    Inert,
    ThreadsEnded,
    Leaks,
    Reopened,
    Panics,
    /// Who died while looking at what a dead one had left.
    LostObservations,
}
const TOTALS: usize = 8;

#[repr(C)]
pub(crate) struct Books {
    pub(crate) desks: [Desk; DESKS],
    worlds: [WorldBooks; WORLDS],
    totals: [AtomicU64; TOTALS],
    /// How often each of `deeds::DEEDS` was begun.
    pub(crate) deeds: [AtomicU64; 32],
    /// Not 0: nobody begins anything.
    pub(crate) over: AtomicU32,
    /// Not 0: in this round somebody may die.
    pub(crate) deadly: AtomicU32,
    /// Which round it is; see `Storm::next_round`.
    pub(crate) round: AtomicU32,
}

// SAFETY: atomics.
unsafe impl Plain for Books {}

#[repr(C)]
struct WorldBooks {
    /// Since the last audit, and before it.
    counts: [AtomicU64; COUNTS],
    settled: [AtomicU64; COUNTS],
    /// Deaths since the last audit: of those near, of those inside.
    near: [AtomicU64; MARKS],
    inside: [AtomicU64; MARKS],
}

#[repr(C)]
pub(crate) struct Desk {
    pub(crate) process: AtomicU32,
    pub(crate) thread: AtomicU32,
    presence: AtomicU32,
    /// A new one with everybody who comes here, beginning with 1.
    pub(crate) generation: AtomicU64,
    /// Up to this generation they may be dead.
    pub(crate) doomed: AtomicU64,
    /// Looking at what a dead one has left.
    pub(crate) observing: AtomicU32,
    pub(crate) doing: AtomicU32,
    pub(crate) operations: AtomicU64,
    /// It has done what it was sent out for.
    pub(crate) has_opened: AtomicU32,
    /// The number of a world and 1: it has stopped itself, with the lock of that world.
    pub(crate) posing: AtomicU32,
    /// How it ends by its own will: a number of `acts::Farewell`.
    pub(crate) farewell: AtomicU32,
    /// Signals sent to it, and handled.
    pub(crate) sent: AtomicU32,
    pub(crate) handled: AtomicU32,
    handling: [AtomicU32; WORLDS],
    marks: [[AtomicU32; MARKS]; WORLDS],
    /// By lock: the changes that were made from here.
    pub(crate) logged: [[AtomicU64; 2]; WORLDS],
    /// By lock: the last generation whose death in it was seen.
    pub(crate) buried: [[AtomicU64; 2]; WORLDS],
    /// Permits of the semaphore and the bounded one that it keeps until a signal comes.
    pub(crate) owed: [[AtomicU32; 2]; WORLDS],
    pub(crate) memory: crate::memory::Figures,
}

impl Books {
    pub(crate) fn count(&self, world: usize, count: Count) -> &AtomicU64 {
        &self.worlds[world].counts[count as usize]
    }

    pub(crate) fn add(&self, world: usize, count: Count) {
        self.count(world, count).fetch_add(1, SeqCst);
    }

    pub(crate) fn get(&self, world: usize, count: Count) -> u64 {
        self.count(world, count).load(SeqCst)
    }

    /// In all worlds, since the last audit.
    pub(crate) fn recent(&self, count: Count) -> u64 {
        (0..WORLDS).map(|world| self.get(world, count)).sum()
    }

    /// In all worlds, from the beginning to the last audit.
    pub(crate) fn settled(&self, count: Count) -> u64 {
        let settled = |books: &WorldBooks| books.settled[count as usize].load(SeqCst);
        self.worlds.iter().map(settled).sum()
    }

    pub(crate) fn total(&self, total: Total) -> &AtomicU64 {
        &self.totals[total as usize]
    }

    pub(crate) fn near(&self, world: usize, mark: Mark) -> &AtomicU64 {
        &self.worlds[world].near[mark as usize]
    }

    pub(crate) fn inside(&self, world: usize, mark: Mark) -> &AtomicU64 {
        &self.worlds[world].inside[mark as usize]
    }

    pub(crate) fn logged(&self, world: usize, lock: usize) -> u64 {
        let desks = self.desks.iter();
        desks
            .map(|desk| desk.logged[world][lock].load(SeqCst))
            .sum()
    }

    pub(crate) fn owed(&self, world: usize, semaphore: usize) -> u64 {
        let owed = |desk: &Desk| u64::from(desk.owed[world][semaphore].load(SeqCst));
        self.desks.iter().map(owed).sum()
    }

    pub(crate) fn working(&self) -> impl Iterator<Item = &Desk> {
        let desks = self.desks.iter();
        desks.filter(|desk| desk.presence() == Presence::Working)
    }

    /// All at a place may die from now on.
    pub(crate) fn doom(&self, place: usize) {
        for desk in desks_of(place) {
            self.desks[desk].doom();
        }
    }

    /// Changes whenever anybody gets on.
    pub(crate) fn progress(&self) -> u64 {
        let desks = self.desks.iter();
        desks
            .map(|desk| desk.operations.load(SeqCst) + desk.generation.load(SeqCst))
            .sum()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(SeqCst) != 0
    }

    /// Whoever was at this desk has died.
    pub(crate) fn close_desk(&self, number: usize) {
        let desk = &self.desks[number];
        for world in 0..WORLDS {
            self.close_accounts(desk, world);
        }
        self.pass_away(number);
        for word in [
            &desk.posing,
            &desk.has_opened,
            &desk.farewell,
            &desk.sent,
            &desk.handled,
        ] {
            word.store(0, SeqCst);
        }
        desk.set_presence(Presence::Absent);
    }

    /// Whoever was at this desk has died, or has panicked and is another now.
    pub(crate) fn pass_away(&self, number: usize) {
        let desk = &self.desks[number];
        for (world, books) in self.worlds.iter().enumerate() {
            for (mark, stage) in desk.marks[world].iter().enumerate() {
                let stage = stage.swap(Stage::Away as u32, SeqCst);
                let book = if stage == Stage::Inside as u32 {
                    &books.inside[mark]
                } else {
                    &books.near[mark]
                };
                book.fetch_add(u64::from(stage != Stage::Away as u32), SeqCst);
            }
        }
        let lost = u64::from(desk.observing.swap(0, SeqCst));
        self.total(Total::LostObservations).fetch_add(lost, SeqCst);
        desk.generation.fetch_add(1, SeqCst);
    }

    fn close_accounts(&self, desk: &Desk, world: usize) {
        // A handler posts, and pays back one permit of each sort.
        let handling = u64::from(desk.handling[world].swap(0, SeqCst));
        for mark in [Mark::Mail, Mark::Semaphore, Mark::Bounded] {
            self.near(world, mark).fetch_add(handling, SeqCst);
        }
        for (semaphore, lost) in [Count::Lost, Count::LostBounded].into_iter().enumerate() {
            let owed = desk.owed[world][semaphore].swap(0, SeqCst);
            self.count(world, lost).fetch_add(u64::from(owed), SeqCst);
        }
    }

    /// The audit is over: a new page.
    pub(crate) fn settle(&self) {
        for books in &self.worlds {
            for (count, settled) in books.counts.iter().zip(&books.settled) {
                settled.fetch_add(count.swap(0, SeqCst), SeqCst);
            }
            for deaths in books.near.iter().chain(&books.inside) {
                deaths.store(0, SeqCst);
            }
        }
        for desk in &self.desks {
            for owed in desk.owed.iter().flatten() {
                owed.store(0, SeqCst);
            }
        }
        self.total(Total::LostObservations).store(0, SeqCst);
    }
}

impl Desk {
    pub(crate) fn presence(&self) -> Presence {
        match self.presence.load(SeqCst) {
            0 => Presence::Absent,
            1 => Presence::Working,
            _ => Presence::Home,
        }
    }

    pub(crate) fn set_presence(&self, presence: Presence) {
        self.presence.store(presence as u32, SeqCst);
    }

    pub(crate) fn set(&self, world: usize, mark: Mark, stage: Stage) {
        self.marks[world][mark as usize].store(stage as u32, SeqCst);
    }

    /// Whoever sits here may die from now on.
    pub(crate) fn doom(&self) {
        let generation = self.generation.load(SeqCst);
        self.doomed.store(generation, SeqCst);
    }

    /// While a signal handler changes the books of a world.
    pub(crate) fn handling(&self, world: usize, handle: impl FnOnce()) {
        self.handling[world].fetch_add(1, SeqCst);
        handle();
        self.handling[world].fetch_sub(1, SeqCst);
    }
}
