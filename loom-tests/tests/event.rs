//! `Event`: a set is seen, by those who wait and by those who come, and no death divides it.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::cell::Cell;
use loom::thread::{JoinHandle, spawn};
use loom_tests::{DEATHS, NAPS, explore, others_sleep};
use procsync::Event;
use procsync::model::spawn_mortal;

/// Something to be told by a set.
struct Letter {
    event: Event,
    text: Cell<u32>,
}

// SAFETY: written before the set and read after the wait; loom checks.
unsafe impl Sync for Letter {}

fn letter() -> Arc<Letter> {
    Arc::new(Letter {
        event: Event::new(),
        text: Cell::new(0),
    })
}

/// Waits for the set, and reads.
fn spawn_reader(letter: &Arc<Letter>) -> JoinHandle<()> {
    let letter = letter.clone();
    spawn(move || {
        letter.event.wait();
        assert_eq!(letter.text.get(), 1);
    })
}

#[test]
fn what_came_before_the_set_is_seen() {
    explore(NAPS, || {
        let letter = letter();
        let reader = spawn_reader(&letter);
        letter.text.set(1);
        letter.event.set();
        reader.join().unwrap();
    });
}

#[test]
fn a_set_that_is_cleared_at_once_releases_who_waited() {
    explore(NAPS, || {
        let letter = letter();
        let reader = spawn_reader(&letter);
        letter.text.set(1);
        let waited = others_sleep(1);
        letter.event.set();
        letter.event.clear();
        if !waited {
            letter.event.set();
        }
        reader.join().unwrap();
    });
}

#[test]
fn a_dead_setter_has_set_or_not() {
    explore(DEATHS, || {
        let event = Arc::new(Event::new());
        let (theirs, victims) = (event.clone(), event.clone());
        let waiter = spawn(move || theirs.wait());
        let victim = spawn_mortal(move || victims.set());
        victim.join();
        if !event.is_set() {
            event.set();
        }
        waiter.join().unwrap();
    });
}

#[test]
fn a_dead_waiter_holds_nobody_up() {
    explore(DEATHS, || {
        let event = Arc::new(Event::new());
        let (theirs, victims) = (event.clone(), event.clone());
        let victim = spawn_mortal(move || victims.wait());
        let waiter = spawn(move || theirs.wait());
        event.set();
        waiter.join().unwrap();
        victim.join();
    });
}

#[test]
fn a_timed_wait_tells_the_truth() {
    explore(NAPS, || {
        let event = Arc::new(Event::new());
        let theirs = event.clone();
        let waiter = spawn(move || theirs.wait_timeout(Duration::from_secs(1)));
        event.set();
        let seen = waiter.join().unwrap();
        assert!(seen || event.wait_timeout(Duration::from_secs(1)));
        event.clear();
        assert!(!event.is_set());
    });
}
