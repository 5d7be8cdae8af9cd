//! A storm: processes use all primitives at random, and every few milliseconds one of them is killed
//! and replaced. Every second it is calm for a moment: whoever is asleep must have a reason, everybody
//! goes home when called, and everything is in order.
//!
//! `PROCSYNC_LONG=1`: for ten minutes. `PROCSYNC_SEED`: which storm; it prints its own.

#![cfg(not(loom))]

#[path = "../common/mod.rs"]
mod common;

mod audit;
mod worker;
mod world;

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use common::{Child, End, fork};
use nix::sys::signal::Signal;
use procsync::Shared;
use world::{WORKERS, World};

const CALM_AFTER: Duration = Duration::from_secs(1);

fn duration() -> Duration {
    let is_long = env::var("PROCSYNC_LONG").is_ok_and(|long| long == "1");
    Duration::from_secs(if is_long { 600 } else { 6 })
}

fn seed() -> u64 {
    let given = env::var("PROCSYNC_SEED").ok();
    given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a number"))
}

/// Whoever sends out the workers, and kills them.
struct Killer<'world> {
    world: &'world Shared<World>,
    random: fastrand::Rng,
    workers: Vec<Child>,
    kills: u64,
}

impl Killer<'_> {
    fn send_out(&mut self, place: usize) -> Child {
        let seed = self.random.u64(..);
        fork(|| worker::work(self.world, place, seed))
    }

    /// Until it is to be calm.
    fn storm(&mut self) {
        self.workers = (0..WORKERS).map(|place| self.send_out(place)).collect();
        let started = Instant::now();
        while started.elapsed() < CALM_AFTER {
            thread::sleep(Duration::from_micros(self.random.u64(500..5_000)));
            self.kill_one();
        }
    }

    fn kill_one(&mut self) {
        let place = self.random.usize(..WORKERS);
        self.workers[place].send_kill();
        let replacement = self.send_out(place);
        let killed = std::mem::replace(&mut self.workers[place], replacement);
        let end = killed.join();
        let doing = self.world.doing(place);
        assert_eq!(
            end,
            Ok(End::Killed(Signal::SIGKILL)),
            "while it did {doing}"
        );
        self.kills += 1;
    }
}

#[test]
fn the_survivors_go_on() {
    let seed = seed();
    println!("PROCSYNC_SEED={seed}");
    let world = Shared::anonymous(World::new()).expect("memory can be had");
    let mut killer = Killer {
        world: &world,
        random: fastrand::Rng::with_seed(seed),
        workers: Vec::new(),
        kills: 0,
    };
    let started = Instant::now();
    while started.elapsed() < duration() {
        killer.storm();
        audit::calm_down(&world, std::mem::take(&mut killer.workers));
        audit::all_is_in_order(&world);
    }
    println!("{} kills, {}", killer.kills, world.report());
    assert!(killer.kills > 100);
}
