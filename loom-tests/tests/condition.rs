//! `Condition`: nobody misses a notification, and the dead pass theirs on.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::cell::Cell;
use loom::thread::spawn;
use loom_tests::{DEATHS, NAPS, held, others_sleep};
use procsync::model::{Exploration, elapsed, spawn_mortal};
use procsync::{Condition, Lock, RLock};

/// A round of those who look around: when nobody else can go on, it has passed.
const SOON: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Bowl {
    tokens: Lock<u32>,
    filled: Condition,
}

impl Bowl {
    /// Waits for a token and takes it.
    fn take(&self) {
        let mut tokens = held(self.tokens.acquire()).0;
        while *tokens == 0 {
            // Poisoned or not: the count is always sound.
            let _ = self.filled.wait(&mut tokens);
        }
        *tokens -= 1;
    }

    /// The same, but gives up; whether it took one.
    fn take_in_time(&self) -> bool {
        let mut tokens = held(self.tokens.acquire()).0;
        let _ = self.filled.wait_timeout(&mut tokens, SOON);
        let filled = *tokens > 0;
        *tokens -= u32::from(filled);
        filled
    }

    fn put(&self) {
        *held(self.tokens.acquire()).0 += 1;
        self.filled.notify_one();
    }

    fn put_and_notify_under_the_lock(&self) {
        let mut tokens = held(self.tokens.acquire()).0;
        *tokens += 1;
        self.filled.notify_one();
    }
}

/// Nobody's wait was ended by a deadline, not even by the round after which one looks around.
fn assert_in_time() {
    assert_eq!(elapsed(), Duration::ZERO, "a notification came late");
}

const CALM: Exploration = Exploration {
    preemptions: Some(4),
    deaths: false,
    naps: false,
};

#[test]
fn no_notification_is_missed() {
    let explored = CALM.run(|| {
        let bowl = Arc::new(Bowl::default());
        let theirs = bowl.clone();
        let eater = spawn(move || theirs.take());
        bowl.put_and_notify_under_the_lock();
        eater.join().unwrap();
        assert_in_time();
    });
    println!("{explored:?}");
}

#[test]
fn no_notification_is_missed_without_the_lock() {
    let explored = CALM.run(|| {
        let bowl = Arc::new(Bowl::default());
        let theirs = bowl.clone();
        let eater = spawn(move || {
            theirs.take();
            theirs.take();
        });
        bowl.put();
        bowl.put();
        eater.join().unwrap();
        assert_in_time();
    });
    println!("{explored:?}");
}

/// Neither by one that is looking around, or was woken for nothing.
#[test]
fn a_nap_misses_nothing() {
    let explored = Exploration { naps: true, ..CALM }.run(|| {
        let bowl = Arc::new(Bowl::default());
        let theirs = bowl.clone();
        let eater = spawn(move || theirs.take());
        bowl.put_and_notify_under_the_lock();
        eater.join().unwrap();
        assert!(elapsed() <= SOON, "a notification came late");
    });
    println!("{explored:?}");
}

/// If the victim did not take the token, its notification reaches the other.
#[test]
fn a_dead_waiter_passes_its_notification_on() {
    let explored = Exploration {
        preemptions: Some(0),
        ..DEATHS
    }
    .run(|| {
        let bowl = Arc::new(Bowl::default());
        let (theirs, victims) = (bowl.clone(), bowl.clone());
        let victim = spawn_mortal(move || victims.take_in_time());
        let eater = spawn(move || theirs.take());
        others_sleep(2);
        bowl.put();
        let took = victim.join();
        let (tokens, poisoned) = held(bowl.tokens.acquire());
        let somebody_took = *tokens == 0;
        drop(tokens);
        if poisoned {
            // It died as a holder, with its notification used: the next is told, and sees to it.
            bowl.filled.notify_all();
        }
        if took == Some(true) || took.is_none() && somebody_took {
            bowl.put();
        }
        eater.join().unwrap();
    });
    println!("{explored:?}");
}

#[test]
fn a_dead_notifier_hurts_nobody() {
    let explored = Exploration {
        preemptions: Some(1),
        ..DEATHS
    }
    .run(|| {
        let bowl = Arc::new(Bowl::default());
        let (theirs, victims) = (bowl.clone(), bowl.clone());
        let eater = spawn(move || theirs.take());
        let victim = spawn_mortal(move || victims.put_and_notify_under_the_lock());
        if victim.join().is_none() {
            bowl.put();
        }
        eater.join().unwrap();
    });
    println!("{explored:?}");
}

/// Both are asleep, one is notified: one returns, in whatever way waits end early.
#[test]
fn as_many_return_as_were_notified() {
    struct Room {
        lock: Lock<u32>,
        condition: Condition,
    }
    let explored = Exploration {
        preemptions: Some(0),
        ..NAPS
    }
    .run(|| {
        let room = Arc::new(Room {
            lock: Lock::new(0),
            condition: Condition::new(),
        });
        let others: [_; 2] = std::array::from_fn(|_| {
            let room = room.clone();
            spawn(move || {
                let mut returned = held(room.lock.acquire()).0;
                let notified = room.condition.wait_timeout(&mut returned, SOON).unwrap();
                *returned += u32::from(notified);
            })
        });
        let both_sleep = others_sleep(2);
        room.condition.notify_one();
        for other in others {
            other.join().unwrap();
        }
        let returned = *held(room.lock.acquire()).0;
        assert!(!both_sleep || returned == 1, "{returned}, of one notified");
    });
    println!("{explored:?}");
}

#[test]
fn all_levels_are_given_up_and_restored() {
    struct Room {
        lock: RLock<Cell<bool>>,
        condition: Condition,
    }
    let explored = Exploration {
        preemptions: Some(2),
        ..NAPS
    }
    .run(|| {
        let room = Arc::new(Room {
            lock: RLock::new(Cell::new(false)),
            condition: Condition::new(),
        });
        let theirs = room.clone();
        let other = spawn(move || {
            let guard = held(theirs.lock.acquire()).0;
            guard.set(true);
            theirs.condition.notify_one();
        });
        let _outer = held(room.lock.acquire()).0;
        let mut inner = held(room.lock.acquire()).0;
        room.condition
            .wait_for(&mut inner, |open| open.get())
            .unwrap();
        assert_eq!(inner.depth(), 2);
        drop(inner);
        assert!(room.lock.is_owned_by_current_thread());
        other.join().unwrap();
    });
    println!("{explored:?}");
}

#[test]
fn a_timed_wait_ends() {
    let explored = Exploration {
        preemptions: Some(2),
        ..NAPS
    }
    .run(|| {
        let bowl = Arc::new(Bowl::default());
        let theirs = bowl.clone();
        let other = spawn(move || {
            let mut tokens = held(theirs.tokens.acquire()).0;
            let timeout = SOON * 3;
            let filled = theirs
                .filled
                .wait_for_timeout(&mut tokens, timeout, |tokens| *tokens > 0)
                .unwrap();
            assert_eq!(filled, *tokens > 0);
        });
        bowl.put_and_notify_under_the_lock();
        other.join().unwrap();
    });
    println!("{explored:?}");
}
