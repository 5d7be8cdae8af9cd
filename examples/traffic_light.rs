//! Cars wait at a traffic light until it is green: an `Event`. Police cars do not wait that long.
//!
//! ```text
//! cargo run --example traffic_light -- --cars 6 --police 2
//! ```

#![forbid(unsafe_code)]

use std::error::Error;
use std::io::stdin;
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use procsync::{Event, Semaphore, Shared};

/// How long a police car waits.
const PATIENCE: Duration = Duration::from_millis(300);

#[derive(Debug, Parser)]
#[command(about = "Cars wait for the green light; police cars go anyway.")]
struct Options {
    /// How many cars come while the light is red.
    #[arg(long, value_name = "N", default_value_t = 6)]
    cars: u32,
    /// How many police cars do.
    #[arg(long, value_name = "N", default_value_t = 2)]
    police: u32,
    /// Be such a car. The crossing is the standard input.
    #[arg(long, hide = true)]
    car: Option<Kind>,
    #[arg(long, hide = true, default_value_t = 0)]
    number: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Car,
    Police,
}

procsync::shareable! {
    struct Crossing {
        green: Event,
        /// A permit for each car that has come to the light.
        arrivals: Semaphore,
        /// A permit for each that has gone.
        departures: Semaphore,
        gone_by_green: AtomicU32,
        gone_by_red: AtomicU32,
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    match options.car {
        Some(kind) => cross(kind, options.number),
        None => direct(&options),
    }
}

/// The traffic light.
fn direct(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let crossing = Shared::anonymous(Crossing {
        green: Event::new(),
        arrivals: Semaphore::new(0),
        departures: Semaphore::new(0),
        gone_by_green: AtomicU32::new(0),
        gone_by_red: AtomicU32::new(0),
    })?;
    let mut traffic = Vec::new();
    for number in 1..=options.cars {
        traffic.push(start(&crossing, Kind::Car, number)?);
    }
    for number in 1..=options.police {
        traffic.push(start(&crossing, Kind::Police, number)?);
    }

    // Red until everybody has come, and the police have lost their patience.
    count(&crossing.arrivals, options.cars + options.police);
    count(&crossing.departures, options.police);
    let too_early = crossing.gone_by_green.load(SeqCst);
    println!("the light is green");
    crossing.green.set();
    count(&crossing.departures, options.cars);
    crossing.green.clear();
    println!("the light is red");

    for mut car in traffic {
        let status = car.wait()?;
        if !status.success() {
            return Err(format!("a car broke down: {status}").into());
        }
    }
    let by_green = crossing.gone_by_green.load(SeqCst);
    let by_red = crossing.gone_by_red.load(SeqCst);
    println!("{by_green} cars went by green, {by_red} police cars by red");
    let is_right = too_early == 0 && by_green == options.cars && by_red == options.police;
    Ok(if is_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Waits for so many.
fn count(cars: &Semaphore, number: u32) {
    for _ in 0..number {
        cars.acquire().forget();
    }
}

/// This program again, with the shared memory as its standard input.
fn start(crossing: &Shared<Crossing>, kind: Kind, number: u32) -> Result<Child, Box<dyn Error>> {
    let kind = match kind {
        Kind::Car => "--car=car",
        Kind::Police => "--car=police",
    };
    let child = Command::new(std::env::current_exe()?)
        .args([kind, &format!("--number={number}")])
        .stdin(Stdio::from(crossing.as_fd().try_clone_to_owned()?))
        .spawn()?;
    Ok(child)
}

/// A car.
fn cross(kind: Kind, number: u32) -> Result<ExitCode, Box<dyn Error>> {
    let crossing = Shared::<Crossing>::from_fd(stdin().as_fd().try_clone_to_owned()?)?;
    crossing.arrivals.release(1)?;
    let is_green = match kind {
        Kind::Car => {
            println!("car {number} waits");
            crossing.green.wait();
            true
        }
        Kind::Police => {
            println!("police car {number} waits for {PATIENCE:?}");
            crossing.green.wait_timeout(PATIENCE)
        }
    };
    if is_green {
        println!("{kind:?} {number} goes by green");
        crossing.gone_by_green.fetch_add(1, SeqCst);
    } else {
        println!("{kind:?} {number} goes by red");
        crossing.gone_by_red.fetch_add(1, SeqCst);
    }
    crossing.departures.release(1)?;
    Ok(ExitCode::SUCCESS)
}
