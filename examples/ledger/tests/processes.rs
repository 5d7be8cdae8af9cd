//! Real processes, and real kills.

use std::error::Error;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::thread::yield_now;
use std::time::Duration;

use ledger::Ledger;
use procsync::Shared;

const PATIENCE: Duration = Duration::from_secs(5);

fn start_worker(ledger: &Shared<Ledger>) -> std::io::Result<Child> {
    Command::new(env!("CARGO_BIN_EXE_ledger"))
        .stdin(ledger.as_fd().try_clone_to_owned()?)
        .spawn()
}

#[test]
fn transfers_move_what_there_is() {
    let ledger = Ledger::new([60, 40]);
    assert_eq!(ledger.transfer(0, 70, PATIENCE), Some(60));
    assert_eq!(ledger.transfer(1, 1, PATIENCE), Some(1));
    assert_eq!(ledger.balances(PATIENCE), Some([1, 99]));
}

/// Kills until ten were in the middle of a transfer.
#[test]
fn killed_workers_leave_nothing_half_done() -> Result<(), Box<dyn Error>> {
    let ledger = Shared::anonymous(Ledger::new([500, 500]))?;
    let mut interrupted = 0;
    while interrupted < 10 {
        let mut worker = start_worker(&ledger)?;
        ledger.transfer(0, 1, PATIENCE).ok_or("stuck")?;
        while !ledger.is_busy() {
            assert!(worker.try_wait()?.is_none(), "it has ended by itself");
            yield_now();
        }
        worker.kill()?;
        assert_eq!(worker.wait()?.signal(), Some(9));
        interrupted += u32::from(ledger.is_interrupted());
        let [left, right] = ledger.balances(PATIENCE).ok_or("stuck")?;
        assert_eq!(left + right, 1000, "money was made or lost");
    }
    Ok(())
}
