//! What becomes of the survivors when a participant is killed: at every instruction of every
//! operation, asleep, and just woken.
//!
//! `cargo test --test deaths [filter]`. Where an operation has hundreds of instructions, those far from its
//! beginning are tried more rarely; with `PROCSYNC_LONG=1` all of them are, and the races run longer.
//!
//! # To add a scenario
//!
//! One file a primitive, and a folder of its name where it is long. It defines the stage, a
//! `#[repr(C)]` struct that is [`common::Plain`], and a list of [`harness::Scenario`]s; each says what
//! the victim does and who else is there, as functions that get the stage or the [`scene::Scene`].
//! Peers are processes that play a role to its end; those who sleep are waited for with
//! `scene.until(…, |stage| stage.lock.waiters() == n)`, never for a time. `look` notes what the verdict
//! depends on, such as who owns the lock at the moment of death; `after` lets go whoever waits for a
//! sign, joins all peers and sends a newcomer.
//! Add the file's `trials()` to the list in `main`.
//!
//! The process must have one thread when it forks, so that children may do anything: the trials run
//! one by one on the main thread, of a process for each processor.

mod barrier;
#[path = "../common/mod.rs"]
mod common;
mod condition;
mod event;
mod harness;
mod ledger;
mod lock;
mod place;
mod races;
mod rlock;
mod scene;
mod semaphore;
mod shards;
mod table;
mod timer;
mod wait_any;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::common::{Plain, processors, stepper};
use crate::harness::Scenario;
use crate::shards::Shard;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let processors = processors::count();
    let Some(shard) = Shard::mine(&arguments, processors) else {
        return shards::run_all(processors);
    };
    processors::share_one(shard.index);
    find_the_clock();
    let trials = [
        lock::trials(),
        rlock::trials(),
        semaphore::trials(),
        event::trials(),
        condition::trials(),
        barrier::trials(),
        timer::trials(),
        wait_any::trials(),
        races::trials(),
    ];
    let trials = shard.deal(trials.into_iter().flatten().collect());
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !conclusion.has_failed() {
        // Otherwise what failed stands at the end, where nobody has to look for it.
        table::print();
    }
    conclusion.exit_code()
}

/// The first reading of the clock in a process looks for it in the kernel's page, which takes
/// thousands of instructions; victims inherit what it found.
fn find_the_clock() {
    let _ = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
}

/// A list of scenarios as tests.
fn as_trials<S: Plain + 'static>(scenarios: Vec<Scenario<S>>) -> Vec<Trial> {
    let trial = |scenario: Scenario<S>| Trial::test(scenario.name, move || judge(&scenario));
    scenarios.into_iter().map(trial).collect()
}

fn judge<S: Plain>(scenario: &Scenario<S>) -> Result<(), Failed> {
    let (row, troubles) = harness::run(scenario);
    table::add(row);
    if troubles.is_empty() {
        Ok(())
    } else {
        Err(troubles.join("\n").into())
    }
}
