//! Heat spreads over a plate, computed in phases by several processes: a `Barrier`, whose action
//! ends each phase. The result is that of one process alone, to the last bit.
//!
//! ```text
//! cargo run --release --example phases -- --workers 4 --phases 200
//! ```

#![forbid(unsafe_code)]

use std::error::Error;
use std::io::stdin;
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use clap::Parser;
use procsync::{Barrier, Shared};

/// Rows and columns, with a cold edge.
const SIZE: usize = 130;

#[derive(Debug, Parser)]
#[command(about = "Heat on a plate, computed in phases by several processes.")]
struct Options {
    /// How many processes compute.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    workers: u32,
    /// How many phases.
    #[arg(long, value_name = "N", default_value_t = 500)]
    phases: u32,
    /// Be this worker. The plate is the standard input.
    #[arg(long, hide = true)]
    worker: Option<u32>,
}

/// The bits of an `f64` each. The barrier alone puts them in order.
type Grid = [[AtomicU64; SIZE]; SIZE];

procsync::shareable! {
    struct Plate {
        phase_is_done: Barrier,
        /// How many are; its last bit tells which grid is the old one.
        phases: AtomicU32,
        grids: [Grid; 2],
    }
}

impl Plate {
    /// Hot in the middle.
    fn new(workers: u32) -> Self {
        let plate = Self {
            phase_is_done: Barrier::new(workers),
            phases: AtomicU32::new(0),
            grids: [const { [const { [const { AtomicU64::new(0) }; SIZE] }; SIZE] }; 2],
        };
        for grid in &plate.grids {
            set(grid, SIZE / 2, SIZE / 2, 1_000_000.0);
        }
        plate
    }

    /// The old and the new grid of this phase.
    fn grids(&self) -> (&Grid, &Grid) {
        let [even, odd] = &self.grids;
        if self.phases.load(Relaxed) % 2 == 0 {
            (even, odd)
        } else {
            (odd, even)
        }
    }

    /// One phase of one worker: its share of the rows, from the old grid to the new one.
    fn compute(&self, worker: u32, workers: u32) {
        let (old, new) = self.grids();
        let first = 1 + worker as usize;
        for row in (first..SIZE - 1).step_by(workers as usize) {
            for column in 1..SIZE - 1 {
                let around = get(old, row - 1, column)
                    + get(old, row + 1, column)
                    + get(old, row, column - 1)
                    + get(old, row, column + 1);
                set(new, row, column, around / 4.0);
            }
        }
    }

    fn finish_phase(&self) {
        self.phases.fetch_add(1, Relaxed);
    }

    fn result(&self) -> Vec<u64> {
        let (latest, _) = self.grids();
        latest
            .iter()
            .flatten()
            .map(|bits| bits.load(Relaxed))
            .collect()
    }
}

fn get(grid: &Grid, row: usize, column: usize) -> f64 {
    f64::from_bits(grid[row][column].load(Relaxed))
}

fn set(grid: &Grid, row: usize, column: usize, heat: f64) {
    grid[row][column].store(heat.to_bits(), Relaxed);
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    match options.worker {
        Some(worker) => work(worker, &options),
        None => supervise(&options),
    }
}

/// All compute, and meet; the last to come ends the phase, before any of them goes on.
fn work(worker: u32, options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let plate = Shared::<Plate>::from_fd(stdin().as_fd().try_clone_to_owned()?)?;
    while plate.phases.load(Relaxed) < options.phases {
        plate.compute(worker, options.workers);
        // An error: one of the others has died, and the phase will never be complete.
        plate
            .phase_is_done
            .wait_with_action(|| plate.finish_phase())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts the workers, and computes the same alone.
fn supervise(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let plate = Shared::anonymous(Plate::new(options.workers))?;
    let workers: Result<Vec<Child>, _> = (0..options.workers)
        .map(|worker| start(&plate, worker, options))
        .collect();
    for mut worker in workers? {
        let status = worker.wait()?;
        if !status.success() {
            return Err(format!("a worker failed: {status}").into());
        }
    }
    let together = plate.result();

    let alone = Shared::anonymous(Plate::new(1))?;
    for _ in 0..options.phases {
        alone.compute(0, 1);
        alone.finish_phase();
    }

    let (old, _) = plate.grids();
    let middle = get(old, SIZE / 2, SIZE / 2);
    println!(
        "after {} phases by {} processes the middle has {middle:.3} degrees",
        plate.phases.load(Relaxed),
        options.workers
    );
    let is_right = together == alone.result();
    Ok(if is_right {
        println!("one process alone comes to the same result");
        ExitCode::SUCCESS
    } else {
        println!("ONE PROCESS ALONE COMES TO ANOTHER RESULT");
        ExitCode::FAILURE
    })
}

/// This program again, with the shared memory as its standard input.
fn start(plate: &Shared<Plate>, worker: u32, options: &Options) -> Result<Child, Box<dyn Error>> {
    let child = Command::new(std::env::current_exe()?)
        .arg(format!("--worker={worker}"))
        .arg(format!("--workers={}", options.workers))
        .arg(format!("--phases={}", options.phases))
        .stdin(Stdio::from(plate.as_fd().try_clone_to_owned()?))
        .spawn()?;
    Ok(child)
}
