//! How many machine instructions, and how many system calls, each operation takes: figures that do not
//! drift with the machine, unlike times.
//!
//! `cargo run --release -p counts [filter]` prints them all, and fails where one is past its bound;
//! `cargo test --test counts` does just that.
//!
//! # To add an operation
//!
//! A closure that gets the stage, or makes what it needs, and does the operation between the marks of a
//! [`Meter`](meter::Meter); and the bound: what it takes today. It goes into a list of [`uncontended`] or
//! [`contended`]. Who makes the crate faster lowers the bound in the same commit.
//!
//! The counts are those of x86-64, with what the compiler makes of a release build. The process must have
//! one thread when it forks.

#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(unused, reason = "nothing to count")
)]

mod case;
#[path = "../../common/mod.rs"]
mod common;
mod contended;
mod meter;
mod table;
mod uncontended;

use std::process::ExitCode;

use crate::case::Case;
use crate::common::stepper::Astray;
use crate::table::{Row, print};

fn main() -> ExitCode {
    if cfg!(debug_assertions) || !cfg!(target_arch = "x86_64") {
        eprintln!("the bounds are those of a release build for x86-64");
        return ExitCode::FAILURE;
    }
    common::processors::share_one(0);
    let mut cases = uncontended::cases();
    cases.extend(contended::cases());
    match rows(&cases) {
        Ok(rows) => judge(&rows),
        Err(Astray(trouble)) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

fn rows(cases: &[Case]) -> Result<Vec<Row>, Astray> {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let wanted = cases.iter().filter(|case| case.name().contains(&filter));
    wanted.map(Case::row).collect()
}

fn judge(rows: &[Row]) -> ExitCode {
    print(rows);
    if rows.iter().all(Row::is_within_bounds) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
