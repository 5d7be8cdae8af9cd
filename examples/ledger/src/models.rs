//! Models of the ledger: `RUSTFLAGS="--cfg loom" cargo test --release --lib`.

use std::sync::Arc;

use procsync::model::{Exploration, elapsed, loom, spawn_mortal};

use super::*;

const PATIENCE: Duration = Duration::from_secs(1);

fn explore_a_death_in(transfer: fn(&Ledger)) {
    let explored = Exploration::DEATHS.run(move || {
        let ledger = Arc::new(Ledger::new([60, 40]));
        let victims = ledger.clone();
        let victim = spawn_mortal(move || transfer(&victims));
        assert_eq!(ledger.transfer(1, 10, PATIENCE), Some(10));
        let died = victim.join().is_none();
        let balances = ledger.balances(PATIENCE).unwrap();
        let whole = balances == [40, 60];
        let not_at_all = balances == [70, 30];
        assert!(whole || died && not_at_all, "torn: {balances:?}");
        assert_eq!(elapsed(), Duration::ZERO, "a wake-up was lost");
    });
    println!("{explored:?}");
}

#[test]
fn a_transfer_is_whole_or_not_at_all() {
    explore_a_death_in(|ledger| {
        ledger.transfer(0, 30, PATIENCE);
    });
}

/// If it dies after the first store, the next one puts back what an older transfer has noted.
fn transfer_noted_too_early(ledger: &Ledger) {
    let books = ledger.open(PATIENCE).unwrap();
    let balances = load(&books.balances);
    books.noted.store(1, Release); // The mistake.
    store(&books.before, balances);
    store(&books.balances, [balances[0] - 30, balances[1] + 30]);
    books.noted.store(0, Release);
}

#[test]
#[should_panic(expected = "torn: [60, 40]")]
fn a_note_declared_too_early_is_found() {
    explore_a_death_in(transfer_noted_too_early);
}

#[test]
fn whoever_puts_back_may_die_as_well() {
    Exploration::DEATHS.run(|| {
        let ledger = Arc::new(Ledger::new([60, 40]));
        let books = ledger.open(PATIENCE).unwrap();
        store(&books.before, [60, 40]);
        books.noted.store(1, Release);
        books.balances[0].store(30, Release);
        drop(books);
        let victims = ledger.clone();
        let victim = spawn_mortal(move || victims.balances(PATIENCE));
        assert_eq!(ledger.balances(PATIENCE), Some([60, 40]));
        victim.join();
    });
}

#[test]
fn whoever_loses_patience_has_moved_nothing() {
    Exploration::NAPS.run(|| {
        let ledger = Arc::new(Ledger::new([60, 40]));
        let theirs = ledger.clone();
        let other = loom::thread::spawn(move || theirs.transfer(0, 30, PATIENCE));
        let moved = [ledger.transfer(0, 20, PATIENCE), other.join().unwrap()];
        let sum: u64 = moved.into_iter().flatten().sum();
        assert_eq!(ledger.balances(PATIENCE), Some([60 - sum, 40 + sum]));
    });
}
