//! A worker sells until the office closes, or until it is killed.

use std::error::Error;
use std::io::stdin;
use std::os::fd::AsFd;
use std::os::unix::process::parent_id;
use std::time::Instant;

use fastrand::Rng;
use procsync::{AcquireError, Shared};

use crate::books::{Books, Office, SoldOut};

/// Works at that desk of the office that is the standard input.
///
/// `acquire_or_repair` is all that this program does about the deaths of others.
pub(crate) fn work(desk: usize, seed: u64) -> Result<(), Box<dyn Error>> {
    let office = Shared::<Office>::from_fd(stdin().as_fd().try_clone_to_owned()?)?;
    let mut random = Rng::with_seed(seed);
    while office.is_open() && parent_id() == office.supervisor {
        let customer_wants = random.u64(1..=4);
        let asked = Instant::now();
        let mut books = office
            .books
            .acquire_or_repair(Books::repair)
            .map_err(AcquireError::without_guard)?;
        office.desks[desk].note_served(asked.elapsed());
        if let Err(SoldOut) = books.sell(desk, customer_wants) {
            office.close();
        }
    }
    Ok(())
}
