//! A guard closes the office when the day is over. There are two of them, in case one dies.

use procsync::TimerError;

use crate::desk::{Desk, Task};
use crate::office::Office;

pub(crate) fn work(office: &Office, me: &Desk) -> Result<(), TimerError> {
    while office.is_in_business() {
        me.begin(Task::WaitingForOpening);
        office.open.wait();
        office.spend_day(me)?;
        me.note_progress();
    }
    Ok(())
}
