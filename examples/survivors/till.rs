//! The till: an `RLock`, since the functions here that use it use one another, too.

use std::cell::Cell;

use procsync::{RLock, RLockGuard};

use crate::books::take_time;

/// Of one ticket, in cents.
const PRICE: u64 = 1_250;

procsync::shareable! {
    /// Cells: the guards of an `RLock` give shared access, as there may be several.
    pub(crate) struct Till {
        tickets: Cell<u64>,
        cents: Cell<u64>,
        poisonings: Cell<u64>,
    }

    /// What is in it: tickets paid for, and the money.
    #[derive(Clone, Copy, Debug, Default)]
    pub(crate) struct Money {
        pub(crate) tickets: u64,
        pub(crate) cents: u64,
    }
}

impl Money {
    pub(crate) fn price_of(tickets: u64) -> u64 {
        tickets * PRICE
    }

    fn adds_up(self) -> bool {
        self.cents == Self::price_of(self.tickets)
    }
}

impl Till {
    pub(crate) fn new() -> Self {
        Self {
            tickets: Cell::new(0),
            cents: Cell::new(0),
            poisonings: Cell::new(0),
        }
    }

    fn open(till: &RLock<Self>) -> RLockGuard<'_, Self> {
        till.acquire_or_repair(Self::repair)
            .expect("room for one more lock")
    }

    /// Whoever died left it between two steps. This makes it add up; whether the sale happened at
    /// all, the journal of the books knows.
    fn repair(&self) {
        self.poisonings.set(self.poisonings.get() + 1);
        self.cents.set(Money::price_of(self.tickets.get()));
    }

    /// In two steps, and counts afterwards, while it has the till: locks it twice.
    pub(crate) fn ring_up(till: &RLock<Self>, tickets: u64) {
        let drawer = Self::open(till);
        drawer.tickets.set(drawer.tickets.get() + tickets);
        take_time();
        drawer
            .cents
            .set(drawer.cents.get() + Money::price_of(tickets));
        take_time();
        Self::count(till);
    }

    /// With the till locked once, twice or three times: whoever calls this may have it already.
    ///
    /// # Panics
    ///
    /// If it does not add up, which would be an error of the lock's.
    pub(crate) fn count(till: &RLock<Self>) -> Money {
        let drawer = Self::open(till);
        let money = Money {
            tickets: drawer.tickets.get(),
            cents: drawer.cents.get(),
        };
        assert!(money.adds_up(), "wrong at depth {}", drawer.depth());
        money
    }

    pub(crate) fn put_back(till: &RLock<Self>, money: Money) {
        let drawer = Self::open(till);
        drawer.tickets.set(money.tickets);
        take_time();
        drawer.cents.set(money.cents);
    }

    pub(crate) fn poisonings(till: &RLock<Self>) -> u64 {
        Self::open(till).poisonings.get()
    }
}
