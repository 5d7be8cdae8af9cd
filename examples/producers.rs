//! Producers and consumers, each a process of its own, with a small buffer between them: a `Lock`
//! and two `Condition`s. Each item is consumed exactly once.
//!
//! ```text
//! cargo run --release --example producers -- --producers 3 --consumers 3 --items 10000
//! ```

#![forbid(unsafe_code)]

use std::error::Error;
use std::io::stdin;
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitCode, Stdio};

use clap::{Parser, ValueEnum};
use procsync::{AcquireError, Condition, Lock, LockGuard, Shared};

/// As many items wait in the buffer at most.
const CAPACITY: usize = 8;

/// What a consumer gets when there will be no more items.
const END: u64 = u64::MAX;

#[derive(Debug, Parser)]
#[command(about = "Producers and consumers with a bounded buffer between them.")]
struct Options {
    /// How many processes produce.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..100))]
    producers: u64,
    /// How many processes consume.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..100))]
    consumers: u64,
    /// How many items each producer makes.
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..1_000_000_000))]
    items: u64,
    /// Be one of those. The workshop is the standard input.
    #[arg(long, hide = true)]
    role: Option<Role>,
    #[arg(long, hide = true, default_value_t = 0)]
    number: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    Producer,
    Consumer,
}

procsync::shareable! {
    struct Workshop {
        buffer: Lock<Buffer>,
        not_full: Condition,
        not_empty: Condition,
    }

    struct Buffer {
        items: [u64; CAPACITY],
        put: u64,
        taken: u64,
        /// Of all that were taken; no two items are the same.
        sum: u64,
        sum_of_squares: u64,
    }
}

impl Buffer {
    fn is_empty(&self) -> bool {
        self.put == self.taken
    }

    fn is_full(&self) -> bool {
        self.put - self.taken == CAPACITY as u64
    }

    /// The number is changed last, so it does no harm to be killed in the middle.
    fn push(&mut self, item: u64) {
        self.items[slot(self.put)] = item;
        self.put += 1;
    }

    fn pop(&mut self) -> u64 {
        let item = self.items[slot(self.taken)];
        if item != END {
            self.sum = self.sum.wrapping_add(item);
            self.sum_of_squares = self.sum_of_squares.wrapping_add(item.wrapping_mul(item));
        }
        self.taken += 1;
        item
    }
}

#[expect(clippy::cast_possible_truncation, reason = "after the remainder")]
fn slot(number: u64) -> usize {
    (number % CAPACITY as u64) as usize
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    match options.role {
        Some(role) => work(role, &options),
        None => supervise(&options),
    }
}

fn work(role: Role, options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let shop = Shared::<Workshop>::from_fd(stdin().as_fd().try_clone_to_owned()?)?;
    match role {
        Role::Producer => produce(&shop, options.number, options.items)?,
        Role::Consumer => consume(&shop, options.number)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// For whoever finds that a holder has died. The sums would be wrong now, so nobody goes on; a
/// program that wants to would repair them: see the example `survivors`.
fn give_up<G>(error: AcquireError<G>) -> Box<dyn Error> {
    format!("the buffer: {}", error.without_guard()).into()
}

fn produce(shop: &Workshop, number: u64, items: u64) -> Result<(), Box<dyn Error>> {
    for item in number * items..(number + 1) * items {
        put(shop, item)?;
    }
    println!("producer {number} made {items} items");
    Ok(())
}

fn consume(shop: &Workshop, number: u64) -> Result<(), Box<dyn Error>> {
    let mut items = 0;
    while take(shop)? != END {
        items += 1;
    }
    println!("consumer {number} got {items} items");
    Ok(())
}

fn put(shop: &Workshop, item: u64) -> Result<(), Box<dyn Error>> {
    let mut buffer = shop.buffer.acquire().map_err(give_up)?;
    shop.not_full
        .wait_for(&mut buffer, |buffer| !buffer.is_full())?;
    buffer.push(item);
    shop.not_empty.notify_one();
    Ok(())
}

fn take(shop: &Workshop) -> Result<u64, Box<dyn Error>> {
    let mut buffer = shop.buffer.acquire().map_err(give_up)?;
    shop.not_empty
        .wait_for(&mut buffer, |buffer| !buffer.is_empty())?;
    let item = buffer.pop();
    shop.not_full.notify_one();
    Ok(item)
}

/// Starts all, tells the consumers when the producers have finished, and checks the sums.
fn supervise(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let shop = Shared::anonymous(Workshop {
        buffer: Lock::new(Buffer {
            items: [0; CAPACITY],
            put: 0,
            taken: 0,
            sum: 0,
            sum_of_squares: 0,
        }),
        not_full: Condition::new(),
        not_empty: Condition::new(),
    })?;
    let mut consumers = Vec::new();
    for number in 0..options.consumers {
        consumers.push(start(&shop, "consumer", number, options)?);
    }
    let mut producers = Vec::new();
    for number in 0..options.producers {
        producers.push(start(&shop, "producer", number, options)?);
    }
    wait_for(producers)?;
    for _ in 0..options.consumers {
        put(&shop, END)?;
    }
    wait_for(consumers)?;

    let buffer = shop.buffer.acquire().map_err(give_up)?;
    Ok(if is_right(&buffer, options) {
        ExitCode::SUCCESS
    } else {
        println!("SOMETHING WAS LOST, OR CONSUMED TWICE");
        ExitCode::FAILURE
    })
}

/// Whether all numbers were taken, each once: by their number, their sum, and that of their squares.
fn is_right(buffer: &LockGuard<'_, Buffer>, options: &Options) -> bool {
    let all = 0..options.producers * options.items;
    let number = all.end;
    let sum = all.clone().fold(0_u64, u64::wrapping_add);
    let squares = all
        .map(|item| item.wrapping_mul(item))
        .fold(0, u64::wrapping_add);
    let taken = buffer.taken - options.consumers;
    println!(
        "{taken} of {number} items were consumed, their sum is {}",
        buffer.sum
    );
    buffer.is_empty() && taken == number && buffer.sum == sum && buffer.sum_of_squares == squares
}

/// This program again, with the shared memory as its standard input.
fn start(
    shop: &Shared<Workshop>,
    role: &str,
    number: u64,
    options: &Options,
) -> Result<Child, Box<dyn Error>> {
    let child = Command::new(std::env::current_exe()?)
        .arg(format!("--role={role}"))
        .arg(format!("--number={number}"))
        .arg(format!("--items={}", options.items))
        .stdin(Stdio::from(shop.as_fd().try_clone_to_owned()?))
        .spawn()?;
    Ok(child)
}

fn wait_for(workers: Vec<Child>) -> Result<(), Box<dyn Error>> {
    for mut worker in workers {
        let status = worker.wait()?;
        if !status.success() {
            return Err(format!("a worker failed: {status}").into());
        }
    }
    Ok(())
}
