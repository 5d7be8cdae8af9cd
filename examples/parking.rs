//! Thirteen customers, each a process of its own, and a car park with four places: a `Semaphore`.
//!
//! ```text
//! cargo run --example parking -- --customers 13 --places 4
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
use procsync::{Semaphore, Shared};

#[derive(Debug, Parser)]
#[command(about = "A car park with fewer places than customers.")]
struct Options {
    /// How many customers want to park.
    #[arg(long, value_name = "N", default_value_t = 13)]
    customers: u32,
    /// How many can at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..1000))]
    places: u32,
    /// How long each of them stays, in milliseconds.
    #[arg(long, value_name = "DURATION", default_value_t = 200)]
    stay: u64,
    /// Be this customer. The car park is the standard input.
    #[arg(long, hide = true)]
    customer: Option<u32>,
}

procsync::shareable! {
    struct CarPark {
        places: Semaphore,
        /// What the semaphore promises is counted once more, by the customers.
        parked: AtomicU32,
        most_parked: AtomicU32,
        served: AtomicU32,
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    match options.customer {
        Some(number) => park(number, &options),
        None => open(&options),
    }
}

/// The car park: lets the customers come all at once, and checks how it went.
fn open(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let park = Shared::anonymous(CarPark {
        places: Semaphore::new(options.places),
        parked: AtomicU32::new(0),
        most_parked: AtomicU32::new(0),
        served: AtomicU32::new(0),
    })?;
    let customers: Result<Vec<Child>, _> = (1..=options.customers)
        .map(|number| start(&park, number, options))
        .collect();
    for mut customer in customers? {
        let status = customer.wait()?;
        if !status.success() {
            return Err(format!("a customer had an accident: {status}").into());
        }
    }

    let served = park.served.load(SeqCst);
    let most = park.most_parked.load(SeqCst);
    let free = park.places.available_permits();
    println!("{served} customers were served, at most {most} at a time; {free} places are free");
    let is_right = served == options.customers && most <= options.places && free == options.places;
    Ok(if is_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// This program again, with the shared memory as its standard input.
fn start(park: &Shared<CarPark>, number: u32, options: &Options) -> Result<Child, Box<dyn Error>> {
    let child = Command::new(std::env::current_exe()?)
        .arg(format!("--customer={number}"))
        .arg(format!("--stay={}", options.stay))
        .stdin(Stdio::from(park.as_fd().try_clone_to_owned()?))
        .spawn()?;
    Ok(child)
}

/// A customer.
fn park(number: u32, options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let park = Shared::<CarPark>::from_fd(stdin().as_fd().try_clone_to_owned()?)?;
    let place = park.places.try_acquire().unwrap_or_else(|| {
        println!("customer {number:2} waits");
        park.places.acquire()
    });
    let parked = park.parked.fetch_add(1, SeqCst) + 1;
    park.most_parked.fetch_max(parked, SeqCst);
    println!("customer {number:2} parks: {parked} cars are in");

    sleep(Duration::from_millis(options.stay)); // goes shopping

    println!("customer {number:2} leaves");
    park.parked.fetch_sub(1, SeqCst);
    park.served.fetch_add(1, SeqCst);
    drop(place); // Of a customer that is killed before, the place stays taken.
    Ok(ExitCode::SUCCESS)
}
