//! A seller sells while the office is open, and meets the others when it is closed.

use std::time::Instant;

use fastrand::Rng;
use procsync::{AcquireError, LockGuard, Poisoned};

use crate::books::Books;
use crate::desk::Task;
use crate::office::Office;

/// What this does about the deaths of others is `take_books`, and three lines each in
/// `wait_for_tickets` and `meet`.
pub(crate) fn work(office: &Office, desk: usize, seed: u64) -> Result<(), AcquireError<()>> {
    let mut random = Rng::with_seed(seed);
    while office.is_in_business() {
        if office.open.is_set() {
            sell(office, desk, random.u64(1..=4))?;
        } else {
            meet(office, desk)?;
        }
    }
    Ok(())
}

fn sell(office: &Office, desk: usize, tickets: u64) -> Result<(), AcquireError<()>> {
    let me = &office.desks[desk];
    me.begin(Task::WaitingForCounter);
    let _at_counter = office.counters.take(desk);

    me.begin(Task::WaitingForBooks);
    let asked = Instant::now();
    let mut books = office.take_books()?;
    me.note_wait(asked.elapsed());

    if !books.can_sell(tickets) {
        me.begin(Task::WaitingForTickets);
        wait_for_tickets(office, &mut books, tickets);
    }
    me.begin(Task::Selling);
    if books.can_sell(tickets) {
        books.sell(&office.till, desk, tickets);
    } else if books.is_sold_out() {
        office.close_down(&books);
    }
    me.note_progress();
    Ok(())
}

/// Returns when there are tickets, or will never be. Orders again after every wait: others may have
/// bought all that came.
fn wait_for_tickets(office: &Office, books: &mut LockGuard<'_, Books>, tickets: u64) {
    while !books.can_sell(tickets) && !books.is_sold_out() && office.is_in_business() {
        office.place_order();
        if let Err(Poisoned) = office.restocked.wait(books) {
            books.repair(&office.till);
            office.books.clear_poison();
        }
    }
}

/// The last to come opens the office, and then all go back to their counters.
fn meet(office: &Office, desk: usize) -> Result<(), AcquireError<()>> {
    office.desks[desk].begin(Task::Meeting);
    if office
        .meeting
        .wait_with_action(|| office.open.set())
        .is_err()
    {
        // One of them has died. With the books in hand only one of the others sets it right.
        let mut books = office.take_books()?;
        if office.is_in_business() && office.meeting.is_broken() {
            books.note_broken_meeting();
            office.meeting.reset();
        }
    }
    Ok(())
}
