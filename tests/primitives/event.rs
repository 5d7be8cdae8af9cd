//! Events: set, cleared, waited for.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use procsync::{Event, shareable};

use crate::common::{End, fork, sleepers};
use crate::scene::{LONG, SHORT, lasting, shared, the_past, until_asleep, wherever};

#[test]
fn a_set_event_lets_everybody_through() {
    wherever(Event::new, |event| {
        assert!(!event.is_set());
        event.set();
        event.set();
        assert!(event.is_set());
        event.wait();
        assert!(event.wait_timeout(Duration::ZERO) && event.wait_timeout(Duration::MAX));
        assert!(event.wait_until(the_past()));
        event.clear();
        event.clear();
        assert!(!event.is_set() && !event.wait_timeout(Duration::ZERO));
    });
}

#[test]
fn timeouts_are_kept() {
    wherever(Event::new, |event| {
        lasting(Duration::ZERO, || {
            assert!(!event.wait_timeout(Duration::ZERO));
            assert!(!event.wait_until(the_past()));
        });
        assert!(!lasting(SHORT, || event.wait_timeout(SHORT)));
        let deadline = Instant::now() + SHORT;
        assert!(!event.wait_until(deadline));
        assert!(Instant::now() >= deadline && sleepers(event) == 0);
    });
}

#[test]
fn what_the_clock_cannot_express_is_for_ever() {
    wherever(Event::new, |event| {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| event.wait_timeout(Duration::MAX));
            until_asleep(event, 1);
            event.set();
            assert!(waiter.join().expect("no panic"));
        });
    });
}

/// Those who are asleep at a set return, though it is cleared before they can look.
#[test]
fn set_and_clear_release_all_who_sleep() {
    const WAITERS: usize = 4;
    wherever(Event::new, |event| {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..WAITERS {
                scope.spawn(|| {
                    while !over.load(Ordering::SeqCst) {
                        assert!(event.wait_timeout(LONG));
                    }
                });
            }
            for round in 1..=200 {
                until_asleep(event, WAITERS);
                over.store(round == 200, Ordering::SeqCst);
                event.set();
                event.clear();
            }
        });
        assert!(!event.is_set());
    });
}

/// One that gave up does not make others miss anything, nor does one that comes late.
#[test]
fn waiters_of_every_patience_are_released() {
    wherever(Event::new, |event| {
        for _ in 0..50 {
            thread::scope(|scope| {
                scope.spawn(|| while !event.wait_timeout(Duration::from_micros(50)) {});
                scope.spawn(|| event.wait());
                scope.spawn(|| assert!(event.wait_timeout(LONG)));
                event.set();
            });
            event.clear();
        }
    });
}

#[test]
fn processes_are_released_together() {
    let event = shared(Event::new());
    let children = [(); 3].map(|()| fork(|| event.wait()));
    until_asleep(&*event, 3);
    fork(|| {
        event.set();
        event.clear();
    })
    .succeed();
    for child in children {
        child.succeed();
    }
}

/// A stopped process is out of the kernel's queue.
#[test]
fn who_is_stopped_is_released_by_what_came_meanwhile() {
    let event = shared(Event::new());
    let waiter = fork(|| event.wait());
    until_asleep(&*event, 1);
    kill(waiter.pid(), Signal::SIGSTOP).expect("it lives");
    until_asleep(&*event, 0);
    event.set();
    event.clear();
    kill(waiter.pid(), Signal::SIGCONT).expect("it lives");
    waiter.succeed();
}

shareable! {
    /// A table between two players.
    pub struct Table { ping: Event, pong: Event, score: AtomicU32 }
}

#[test]
fn processes_take_turns_for_many_rounds() {
    const ROUNDS: u32 = 2_000;
    let table = shared(Table {
        ping: Event::new(),
        pong: Event::new(),
        score: AtomicU32::new(0),
    });
    let child = fork(|| {
        for round in 0..ROUNDS {
            table.ping.wait();
            table.ping.clear();
            // What was done before the set is to be seen.
            assert_eq!(table.score.load(Ordering::Relaxed), 2 * round + 1);
            table.score.store(2 * round + 2, Ordering::Relaxed);
            table.pong.set();
        }
    });
    for round in 0..ROUNDS {
        table.score.store(2 * round + 1, Ordering::Relaxed);
        table.ping.set();
        assert!(table.pong.wait_timeout(LONG));
        table.pong.clear();
        assert_eq!(table.score.load(Ordering::Relaxed), 2 * round + 2);
    }
    assert_eq!(child.join_within(LONG), Ok(End::Exited(0)));
}

#[test]
fn it_can_be_printed() {
    let event = Event::default();
    assert!(format!("{event:?}").contains("is_set: false"));
}
