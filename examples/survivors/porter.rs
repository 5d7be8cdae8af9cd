//! The porter brings tickets when they are ordered.

use procsync::AcquireError;

use crate::desk::{Desk, Task};
use crate::office::Office;

/// An order is used up before it is carried out. If a porter dies between the two, the supervisor
/// orders once more; and the next porter tells the sellers in any case, since the one before may
/// have died before it could.
pub(crate) fn work(office: &Office, me: &Desk) -> Result<(), AcquireError<()>> {
    while office.is_in_business() {
        me.begin(Task::WaitingForOrder);
        office.orders.acquire().forget();
        me.begin(Task::Delivering);
        let mut books = office.take_books()?;
        books.deliver(&office.till);
        office.restocked.notify_all();
        me.note_progress();
    }
    Ok(())
}
