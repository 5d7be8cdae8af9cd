//! Transfers until it is killed, in the ledger that is the standard input.

use std::io::stdin;
use std::os::fd::AsFd;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let memory = stdin().as_fd().try_clone_to_owned()?;
    let ledger = procsync::Shared::<ledger::Ledger>::from_fd(memory)?;
    // Not for ever, should whoever is to kill it be gone.
    for turn in 0..100_000_000 {
        ledger.transfer(turn % 2, 1, Duration::from_secs(5));
    }
    Ok(())
}
