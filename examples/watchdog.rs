//! A watchdog barks when a process gives no sign of life: a `Timer` that each heartbeat cancels, and
//! that is wound up again. The process is killed, of course.
//!
//! ```text
//! cargo run --example watchdog -- --beats 10
//! ```

#![forbid(unsafe_code)]

use std::error::Error;
use std::io::stdin;
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::sleep;
use std::time::Duration;

use clap::Parser;
use procsync::{Shared, Timer, TimerOutcome};

#[derive(Debug, Parser)]
#[command(about = "A watchdog barks when a process gives no sign of life any more.")]
struct Options {
    /// How many heartbeats until the worker is killed.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..10_000))]
    beats: u32,
    /// Between two heartbeats, in milliseconds.
    #[arg(long, value_name = "DURATION", default_value_t = 50)]
    every: u64,
    /// How long the watchdog waits for the next one, in milliseconds.
    #[arg(long, value_name = "DURATION", default_value_t = 1_000)]
    patience: u64,
    /// Be the worker. The kennel is the standard input.
    #[arg(long, hide = true)]
    worker: bool,
}

procsync::shareable! {
    struct Kennel {
        watchdog: Timer,
        barks: AtomicU32,
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    if options.worker {
        work(&options)
    } else {
        watch(&options)
    }
}

/// A process that is alive as long as it gives signs of life.
fn work(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let kennel = Shared::<Kennel>::from_fd(stdin().as_fd().try_clone_to_owned()?)?;
    // Longer than the supervisor lets it live, but not for ever, should that one be gone.
    for _ in 0..10 + 2 * options.beats {
        sleep(Duration::from_millis(options.every)); // works
        kennel.watchdog.cancel();
    }
    Err("nobody has killed the worker".into())
}

/// The supervisor: keeps the watchdog going, and kills the worker.
fn watch(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let kennel = Shared::anonymous(Kennel {
        watchdog: Timer::new(),
        barks: AtomicU32::new(0),
    })?;
    let mut worker = start(&kennel, options)?;
    let mut beats = 0;
    while wait_for_beat(&kennel, options)? {
        beats += 1;
        println!("heartbeat {beats}");
        if beats == options.beats {
            println!("the worker is killed");
            worker.kill()?;
        }
    }
    worker.kill()?;
    worker.wait()?;

    let barks = kennel.barks.load(SeqCst);
    // It may have given one more sign of life while it was being killed.
    let is_right = barks == 1 && (options.beats..=options.beats + 1).contains(&beats);
    println!("{beats} heartbeats, {barks} bark");
    Ok(if is_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Winds up the watchdog, and waits. `false`: it has barked.
fn wait_for_beat(kennel: &Kennel, options: &Options) -> Result<bool, Box<dyn Error>> {
    let patience = Duration::from_millis(options.patience);
    let outcome = kennel.watchdog.run(patience, || {
        println!("WOOF! no sign of life for {patience:?}");
        kennel.barks.fetch_add(1, SeqCst);
    })?;
    // Between the two, a heartbeat finds nothing to cancel. The next one does.
    kennel.watchdog.reset();
    Ok(outcome == TimerOutcome::Cancelled)
}

/// This program again, with the shared memory as its standard input.
fn start(kennel: &Shared<Kennel>, options: &Options) -> Result<Child, Box<dyn Error>> {
    let child = Command::new(std::env::current_exe()?)
        .arg("--worker")
        .arg(format!("--beats={}", options.beats))
        .arg(format!("--every={}", options.every))
        .stdin(Stdio::from(kennel.as_fd().try_clone_to_owned()?))
        .spawn()?;
    Ok(child)
}
