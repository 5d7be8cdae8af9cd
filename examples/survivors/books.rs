//! What the processes share, and how it survives the death of a worker in the middle of a sale.
//!
//! The lock survives by itself: when its holder is killed, the next to acquire it gets
//! `AcquireError::Poisoned`, and with it the data as the dead left them. To make sense of those is
//! up to the data's design. Here it is an *undo journal*:
//!
//! 1. Before the first change, note the old **values**, then mark the journal as open.
//! 2. Change what there is to change, in any number of steps, in any order.
//! 3. Mark the journal as closed. This one store is the moment at which the sale has happened.
//!
//! Whoever finds the journal open puts the old values back and closes it; whoever finds it closed
//! has nothing to do. The old values, not the differences: then it does no harm to put them back
//! twice, and a repairer that is killed in turn is just another death, for the next to repair.
//!
//! # The one trap
//!
//! To the compiler, all this happens between `acquire` and `release`, where nobody looks. It may
//! swap stores, or drop the mark altogether, since it is taken back before anybody can see it. A
//! death looks. So the steps are separated by [`settle`], a compiler fence. The processor needs no
//! fence: a thread dies between two instructions, those before are complete, and the kernel makes
//! them visible to the next owner as it passes the lock on.

use std::hint::black_box;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64, compiler_fence};
use std::time::Duration;

use procsync::Lock;

/// More workers than this find no desk.
pub(crate) const DESKS: usize = 64;

/// Of one ticket, in cents.
const PRICE: u64 = 1_250;

// No `bool`, no `Option`, no `Vec`: `shareable!` refuses what is not valid for every bit pattern,
// and what points into the memory of one process.
procsync::shareable! {
    /// Everything that the processes share.
    pub(crate) struct Office {
        pub(crate) books: Lock<Books>,
        pub(crate) desks: [Desk; DESKS],
        /// Workers that have lost their supervisor go home.
        pub(crate) supervisor: u32,
        closed: AtomicU32,
    }

    /// What the lock protects.
    pub(crate) struct Books {
        /// Tickets in the beginning.
        stock: u64,
        figures: Figures,
        sold_by: [u64; DESKS],
        journal: Journal,
        poisonings: u64,
        repairs: u64,
    }

    /// Changed by every sale.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Figures {
        pub(crate) left: u64,
        pub(crate) sold: u64,
        pub(crate) revenue: u64,
        pub(crate) sales: u64,
        /// Sales that a death cut short, and that were undone.
        pub(crate) undone: u64,
    }

    /// What to put back if the sale is not completed.
    struct Journal {
        /// 1: a sale is under way, and the rest of the journal is valid.
        open: AtomicU32,
        desk: u32,
        sold_by: u64,
        figures: Figures,
    }

    /// A worker's own; it is written without a lock, by single atomic steps.
    pub(crate) struct Desk {
        served: AtomicU64,
        longest_wait: AtomicU64,
    }
}

/// There are not that many tickets left.
#[derive(Debug)]
pub(crate) struct SoldOut;

/// The state of the books at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    pub(crate) figures: Figures,
    /// How often somebody got the lock as `Poisoned`.
    pub(crate) poisonings: u64,
    /// How often such a one came to the end of the repair. The others were killed in it.
    pub(crate) repairs: u64,
}

impl Office {
    pub(crate) fn new(tickets: u64, supervisor: u32) -> Self {
        Self {
            books: Lock::new(Books::new(tickets)),
            desks: [const { Desk::new() }; DESKS],
            supervisor,
            closed: AtomicU32::new(0),
        }
    }

    pub(crate) fn close(&self) {
        self.closed.store(1, Relaxed);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.closed.load(Relaxed) == 0
    }
}

impl Books {
    fn new(tickets: u64) -> Self {
        let figures = Figures {
            left: tickets,
            sold: 0,
            revenue: 0,
            sales: 0,
            undone: 0,
        };
        Self {
            stock: tickets,
            figures,
            sold_by: [0; DESKS],
            journal: Journal {
                open: AtomicU32::new(0),
                desk: 0,
                sold_by: 0,
                figures,
            },
            poisonings: 0,
            repairs: 0,
        }
    }

    /// Several plain changes, with time to die between them.
    pub(crate) fn sell(&mut self, desk: usize, tickets: u64) -> Result<(), SoldOut> {
        if self.figures.left < tickets {
            return Err(SoldOut);
        }
        self.open_journal(desk);
        self.figures.left -= tickets;
        take_time();
        self.figures.sold += tickets;
        take_time();
        self.figures.revenue += tickets * PRICE;
        take_time();
        self.sold_by[desk] += tickets;
        take_time();
        self.figures.sales += 1;
        self.close_journal();
        Ok(())
    }

    fn open_journal(&mut self, desk: usize) {
        self.journal.desk = u32::try_from(desk).expect("a desk of the office");
        self.journal.sold_by = self.sold_by[desk];
        self.journal.figures = self.figures;
        // What the figures will be if this sale is undone: also a value, so it is counted once,
        // however often the undoing is begun.
        self.journal.figures.undone += 1;
        settle();
        self.journal.open.store(1, Relaxed);
        settle();
    }

    fn close_journal(&mut self) {
        settle();
        self.journal.open.store(0, Relaxed);
        settle();
    }

    /// For whoever gets the lock as `Poisoned`. It may be cut short anywhere, and begun again.
    ///
    /// Both counts are single stores at the right moment: first of all that there was a poisoning,
    /// last of all that it was repaired.
    pub(crate) fn repair(&mut self) {
        self.poisonings += 1;
        settle();
        if self.journal.is_open() {
            self.undo();
        }
        self.repairs += 1;
    }

    fn undo(&mut self) {
        self.sold_by[self.journal.desk as usize] = self.journal.sold_by;
        take_a_long_time();
        self.figures = self.journal.figures;
        take_a_long_time();
        self.close_journal();
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            figures: self.figures,
            poisonings: self.poisonings,
            repairs: self.repairs,
        }
    }

    /// What does not add up, in words. Nothing, if the books balance.
    pub(crate) fn audit(&self) -> Vec<String> {
        let Figures {
            left,
            sold,
            revenue,
            ..
        } = self.figures;
        let accounts = [
            ("tickets left and sold", left + sold, self.stock),
            ("revenue", revenue, sold * PRICE),
            ("tickets sold by all desks", self.sold_by.iter().sum(), sold),
            ("open sales", u64::from(self.journal.is_open()), 0),
        ];
        accounts
            .into_iter()
            .filter(|(_, found, expected)| found != expected)
            .map(|(what, found, expected)| format!("{what}: {found} instead of {expected}"))
            .collect()
    }
}

impl Journal {
    fn is_open(&self) -> bool {
        self.open.load(Relaxed) != 0
    }
}

impl Desk {
    const fn new() -> Self {
        Self {
            served: AtomicU64::new(0),
            longest_wait: AtomicU64::new(0),
        }
    }

    /// A worker got the lock, after `wait`.
    pub(crate) fn note_served(&self, wait: Duration) {
        let nanoseconds = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        self.longest_wait.fetch_max(nanoseconds, Relaxed);
        self.served.fetch_add(1, Relaxed);
    }

    pub(crate) fn served(&self) -> u64 {
        self.served.load(Relaxed)
    }

    pub(crate) fn longest_wait(&self) -> Duration {
        Duration::from_nanos(self.longest_wait.load(Relaxed))
    }
}

/// What was written before stays before what is written after, for a death between the two.
fn settle() {
    compiler_fence(SeqCst);
}

/// Some microseconds. A real program would compute something here.
fn take_time() {
    for step in 0..10_000 {
        black_box(step);
    }
}

/// So that some deaths strike a repairer.
fn take_a_long_time() {
    for _ in 0..100 {
        take_time();
    }
}
