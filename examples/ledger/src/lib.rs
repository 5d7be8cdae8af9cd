//! Two accounts in shared memory, and transfers between them that no death leaves half done.
//!
//! A lock keeps the living out. Whoever gets it after a holder was killed finds what that one had done so
//! far. So a transfer notes the balances, says that they are noted, changes them, and says that nothing is
//! noted; whoever comes next and finds balances noted puts them back, and may be killed as well.

#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

#[cfg(loom)]
use procsync::model::AtomicU64;
#[cfg(not(loom))]
use std::sync::atomic::AtomicU64;

use procsync::{AcquireError, Lock, LockGuard};

#[cfg(all(test, loom))]
mod models;

procsync::shareable! {
    /// Two accounts, for threads of any number of processes.
    #[derive(Debug)]
    pub struct Ledger {
        books: Lock<Books>,
    }

    /// Atomics, though there is a lock: a death may leave them in any state, and the compiler must keep
    /// the order in which they change. That is what each `Release` is for.
    #[derive(Debug)]
    struct Books {
        balances: [AtomicU64; 2],
        /// The balances before the transfer, if `noted` is not 0.
        before: [AtomicU64; 2],
        noted: AtomicU64,
    }
}

impl Ledger {
    /// Two accounts with something in them.
    pub fn new(balances: [u64; 2]) -> Self {
        let books = Lock::new(Books {
            balances: balances.map(AtomicU64::new),
            before: [0; 2].map(AtomicU64::new),
            noted: AtomicU64::new(0),
        });
        Self { books }
    }

    /// Moves an amount, or what there is, from one account, 0 or 1, to the other; how much. `None`: others
    /// had the accounts for so long.
    pub fn transfer(&self, from: usize, at_most: u64, patience: Duration) -> Option<u64> {
        let books = self.open(patience)?;
        let mut balances = load(&books.balances);
        let amount = at_most.min(balances[from]);
        store(&books.before, balances);
        books.noted.store(1, Release);
        balances[from] -= amount;
        balances[1 - from] += amount;
        store(&books.balances, balances);
        books.noted.store(0, Release);
        Some(amount)
    }

    /// What is in the accounts.
    pub fn balances(&self, patience: Duration) -> Option<[u64; 2]> {
        Some(load(&self.open(patience)?.balances))
    }

    /// Whether somebody has the accounts now.
    pub fn is_busy(&self) -> bool {
        self.books.is_locked()
    }

    /// Whether somebody who had them was killed, and nobody has come since.
    pub fn is_interrupted(&self) -> bool {
        self.books.is_poisoned()
    }

    fn open(&self, patience: Duration) -> Option<LockGuard<'_, Books>> {
        match self.books.acquire_timeout(patience) {
            Ok(books) | Err(AcquireError::Poisoned(books)) => {
                books.put_back();
                self.books.clear_poison();
                Some(books)
            }
            Err(_) => None,
        }
    }
}

impl Books {
    fn put_back(&self) {
        if self.noted.load(Relaxed) != 0 {
            store(&self.balances, load(&self.before));
            self.noted.store(0, Release);
        }
    }
}

/// The lock orders it after what the last holder did, dead or alive.
fn load(words: &[AtomicU64; 2]) -> [u64; 2] {
    [words[0].load(Relaxed), words[1].load(Relaxed)]
}

fn store(words: &[AtomicU64; 2], values: [u64; 2]) {
    words[0].store(values[0], Release);
    words[1].store(values[1], Release);
}
