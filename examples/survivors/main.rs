//! Workers sell tickets from one stock in shared memory, while a supervisor kills them at random, in
//! the middle of their sales. The books balance in the end, to the last ticket.
//!
//! ```text
//! cargo run --release --example survivors -- --workers 8 --kill-every 1
//! ```
//!
//! All primitives of the crate are under fire:
//!
//! | what | which |
//! |---|---|
//! | the books | a `Lock` |
//! | the till | an `RLock` |
//! | counters to sell at | a `BoundedSemaphore` |
//! | orders for more tickets | a `Semaphore` |
//! | waiting for those | a `Condition` |
//! | opening and closing | an `Event` |
//! | how long a day is | a `Timer` |
//! | the meeting of the sellers each night | a `Barrier` |
//!
//! Read `books` first: it is about data that survives the death of whoever is changing it; then
//! `counters`, about permits that nobody owns. `seller`, `porter` and `guard` are what programs that
//! use all that look like. `supervisor` starts and kills them, and checks that nobody is left waiting.

#![forbid(unsafe_code)]

mod books;
mod counters;
mod desk;
mod guard;
mod office;
mod porter;
mod report;
mod seller;
mod supervisor;
mod till;
mod worker;

use std::error::Error;
use std::num::ParseIntError;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

/// Sell tickets from a stock in shared memory while workers are killed, and audit the books.
#[derive(Debug, Parser)]
struct Options {
    /// How many processes sell. (A porter and two guards come on top.)
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = workers)]
    workers: usize,
    /// For how many seconds.
    #[arg(long, default_value = "5", value_parser = seconds)]
    seconds: Duration,
    /// Pause between two kills, in milliseconds.
    #[arg(long, value_name = "DURATION", default_value = "5", value_parser = milliseconds)]
    kill_every: Duration,
    /// How many tickets there are. The run ends early if they are sold out.
    #[arg(long, value_name = "N", default_value_t = 100_000_000)]
    tickets: u64,
    /// Decides who is killed and who buys how much [default: a new one every time].
    #[arg(long)]
    seed: Option<u64>,
    /// Be a worker, at this desk. The office is the standard input.
    #[arg(long, hide = true)]
    desk: Option<usize>,
}

impl Options {
    /// Long enough for some kills, short enough for many days.
    fn day(&self) -> Duration {
        let (shortest, longest) = (Duration::from_millis(40), Duration::from_millis(200));
        self.kill_every.saturating_mul(8).clamp(shortest, longest)
    }
}

fn workers(text: &str) -> Result<usize, String> {
    let number = text
        .parse()
        .map_err(|error: ParseIntError| error.to_string())?;
    match number {
        1..=desk::SELLERS => Ok(number),
        _ => Err(format!(
            "there are desks for 1 to {} workers",
            desk::SELLERS
        )),
    }
}

fn seconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_secs)
}

fn milliseconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_millis)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    if let Some(desk) = options.desk {
        worker::work(desk, options.workers, seed)?;
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = supervisor::run(&options, seed)?;
    print!("{outcome}");
    Ok(if outcome.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
