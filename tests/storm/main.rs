//! A storm: processes use all primitives at random, in several mappings, and are killed, stopped, starved,
//! sent signals; they exit and exec with what they hold, panic, fork, and have threads that end. Every second it
//! is calm for a moment: whoever is asleep must have a reason, everybody goes home when called, and
//! everything is in order.
//!
//! Every other storm is one in which nobody dies. There the books must balance exactly; after deaths each
//! may leave a doubt of one, where it came between a step and the note of it.
//!
//! - `PROCSYNC_LONG=1`: for ten minutes; another number: for so many seconds.
//! - `PROCSYNC_SEED`: which storm; it prints its own. The same seed makes the same choices, not the same races.
//! - `PROCSYNC_ONLY=forks,signals`: only these parts of it; [`plan::Part`] has them all.
//!
//! # To add something
//!
//! What everybody does often is a deed (`deeds.rs`), what a worker does seldom is an act (`acts.rs`), what is
//! done to workers is an event (`events.rs`). What they say of it goes into the books (`books.rs`), in
//! one atomic step each; what must be true of these, `calm.rs` asks. Every act and every event of the
//! plan happens at least once in each storm.

// There is no `Shared` under loom, and so no storm.
#![cfg_attr(loom, no_main)]
#![cfg(not(loom))]

mod acts;
mod books;
mod calm;
#[path = "../common/mod.rs"]
mod common;
mod deeds;
mod events;
mod forking;
mod handlers;
mod member;
mod memory;
mod orphans;
mod plan;
mod report;
mod starvation;
mod storm;
mod supervisor;
mod watch;
mod watched;
mod worker;
mod world;

use std::process::ExitCode;
use std::time::Instant;

use libtest_mimic::{Arguments, Trial};
use plan::Plan;
use report::Report;
use storm::Storm;
use supervisor::Supervisor;
use world::Worlds;

/// On this thread alone: it forks.
fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    one_arena();
    orphans::adopt();
    let trial = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let trials = vec![
        trial("who_sleeps_for_ever_is_found", watched::who_sleeps_for_ever),
        trial("who_runs_for_ever_is_found", watched::who_runs_for_ever),
        trial("who_is_stopped_or_late_is_not", watched::who_is_stopped),
        trial(
            "nobody_outlives_the_test",
            orphans::nobody_outlives_the_test,
        ),
        trial("the_survivors_go_on", the_survivors_go_on),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Every thread has its memory from the same place, so that it can be seen whether it is given back.
fn one_arena() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes numbers; there is one thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1)
    };
}

/// Both sorts of rounds twice, for the figures of memory, and every deed.
fn has_seen_all(report: &Report) -> bool {
    report.rounds >= 4 && report.has_all_deeds()
}

/// The names go, also where the test fails.
struct Names;

impl Drop for Names {
    fn drop(&mut self) {
        Worlds::remove_names_of(std::process::id());
    }
}

fn the_survivors_go_on() {
    let plan = Plan::from_environment();
    println!("PROCSYNC_SEED={}", plan.seed);
    let storm = Storm::begin(plan);
    let names = Names;
    let mut supervisor = Supervisor::begin(storm);
    let started = Instant::now();
    while started.elapsed() < plan.duration || !has_seen_all(&supervisor.report) {
        let is_deadly = plan.is_deadly() && supervisor.report.rounds % 2 == 1;
        supervisor.storm(is_deadly);
        supervisor.calm_down();
    }
    supervisor.dismiss_elders();
    drop(names);
    println!("{}", supervisor.report);
    supervisor.report.check_memory();
    supervisor.report.check_coverage(&plan);
    assert!(orphans::nobody_is_left());
    assert!(!Worlds::has_left_any(std::process::id()));
}
