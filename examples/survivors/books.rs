//! The books, and how they survive the death of a worker in the middle of a sale.
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
//! The money is in the till, which has a lock of its own. It changes in sales only, so the journal of
//! the books covers it, too.
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
use std::sync::atomic::{AtomicU32, compiler_fence};

use procsync::RLock;

use crate::desk::SELLERS;
use crate::till::{Money, Till};

/// So many tickets the porter brings at a time.
const BATCH: u64 = 400;

// No `bool`, no `Option`, no `Vec`: `shareable!` refuses what is not valid for every bit pattern,
// and what points into the memory of one process.
procsync::shareable! {
    /// What the lock protects.
    pub(crate) struct Books {
        /// Tickets in the beginning.
        stock: u64,
        figures: Figures,
        sold_by: [u64; SELLERS],
        journal: Journal,
        poisonings: u64,
        repairs: u64,
        /// Meetings that a death broke.
        broken_meetings: u64,
    }

    /// Changed by every sale and every delivery.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Figures {
        /// Tickets that the porter has not brought yet.
        store: u64,
        /// Tickets that can be sold.
        shelf: u64,
        pub(crate) sold: u64,
        pub(crate) sales: u64,
        pub(crate) deliveries: u64,
        /// Sales and deliveries that a death cut short, and that were undone.
        pub(crate) undone: u64,
    }

    /// What to put back if a change is not completed.
    struct Journal {
        /// 1: a change is under way, and the rest of the journal is valid.
        open: AtomicU32,
        desk: u32,
        sold_by: u64,
        figures: Figures,
        money: Money,
    }
}

/// The state of the books at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    pub(crate) figures: Figures,
    /// How often somebody got the lock as `Poisoned`.
    pub(crate) poisonings: u64,
    /// How often such a one came to the end of the repair. The others were killed in it.
    pub(crate) repairs: u64,
    pub(crate) broken_meetings: u64,
}

impl Figures {
    pub(crate) fn left(&self) -> u64 {
        self.store + self.shelf
    }
}

impl Books {
    pub(crate) fn new(tickets: u64) -> Self {
        let figures = Figures {
            store: tickets,
            shelf: 0,
            sold: 0,
            sales: 0,
            deliveries: 0,
            undone: 0,
        };
        Self {
            stock: tickets,
            figures,
            sold_by: [0; SELLERS],
            journal: Journal {
                open: AtomicU32::new(0),
                desk: 0,
                sold_by: 0,
                figures,
                money: Money::default(),
            },
            poisonings: 0,
            repairs: 0,
            broken_meetings: 0,
        }
    }

    pub(crate) fn can_sell(&self, tickets: u64) -> bool {
        self.figures.shelf >= tickets
    }

    pub(crate) fn is_sold_out(&self) -> bool {
        self.figures.store == 0
    }

    /// Several plain changes, with time to die between them. There are that many on the shelf.
    pub(crate) fn sell(&mut self, till: &RLock<Till>, desk: usize, tickets: u64) {
        self.open_journal(till, desk);
        self.figures.shelf -= tickets;
        take_time();
        self.figures.sold += tickets;
        take_time();
        Till::ring_up(till, tickets);
        take_time();
        self.sold_by[desk] += tickets;
        take_time();
        self.figures.sales += 1;
        self.close_journal();
    }

    /// From the store to the shelf, if the shelf is low.
    pub(crate) fn deliver(&mut self, till: &RLock<Till>) {
        let batch = BATCH.min(self.figures.store);
        if self.figures.shelf >= BATCH || batch == 0 {
            return;
        }
        // A porter sells nothing: for the journal, any desk will do.
        self.open_journal(till, 0);
        self.figures.store -= batch;
        take_time();
        self.figures.shelf += batch;
        take_time();
        self.figures.deliveries += 1;
        self.close_journal();
    }

    fn open_journal(&mut self, till: &RLock<Till>, desk: usize) {
        self.journal.desk = u32::try_from(desk).expect("a desk of the office");
        self.journal.sold_by = self.sold_by[desk];
        self.journal.figures = self.figures;
        self.journal.money = Till::count(till);
        // What the figures will be if this change is undone: also a value, so it is counted once,
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
    pub(crate) fn repair(&mut self, till: &RLock<Till>) {
        self.poisonings += 1;
        settle();
        if self.journal.is_open() {
            self.undo(till);
        }
        self.repairs += 1;
    }

    fn undo(&mut self, till: &RLock<Till>) {
        self.sold_by[self.journal.desk as usize] = self.journal.sold_by;
        take_a_long_time();
        Till::put_back(till, self.journal.money);
        take_a_long_time();
        self.figures = self.journal.figures;
        take_a_long_time();
        self.close_journal();
    }

    pub(crate) fn note_broken_meeting(&mut self) {
        self.broken_meetings += 1;
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            figures: self.figures,
            poisonings: self.poisonings,
            repairs: self.repairs,
            broken_meetings: self.broken_meetings,
        }
    }

    /// What does not add up, in words. Nothing, if the books balance.
    pub(crate) fn audit(&self, till: &RLock<Till>) -> Vec<String> {
        let figures = self.figures;
        let sold = figures.sold;
        let sold_by_all = self.sold_by.iter().sum();
        let open = u64::from(self.journal.is_open());
        let Money { tickets, cents } = Till::count(till);
        let accounts = [
            ("tickets left and sold", figures.left() + sold, self.stock),
            ("tickets sold by all desks", sold_by_all, sold),
            ("tickets paid for", tickets, sold),
            ("money in the till", cents, Money::price_of(sold)),
            ("open sales", open, 0),
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

/// What was written before stays before what is written after, for a death between the two.
fn settle() {
    compiler_fence(SeqCst);
}

/// Some microseconds. A real program would compute something here.
pub(crate) fn take_time() {
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
