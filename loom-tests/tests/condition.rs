//! `Condition`: nobody misses a notification, and the dead pass theirs on.
#![cfg(loom)]

use std::sync::Arc;
use std::time::Duration;

use loom::cell::Cell;
use loom::thread::{JoinHandle, spawn};
use loom_tests::{CALM, DEATHS, NAPS, explore, held, others_sleep};
use procsync::model::{elapsed, spawn_mortal};
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

#[test]
fn no_notification_is_missed() {
    explore(CALM.within(4), || {
        let bowl = Arc::new(Bowl::default());
        let theirs = bowl.clone();
        let eater = spawn(move || theirs.take());
        bowl.put_and_notify_under_the_lock();
        eater.join().unwrap();
        assert_in_time();
    });
}

#[test]
fn no_notification_is_missed_without_the_lock() {
    explore(CALM.within(4), || {
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
}

/// Neither by one that is looking around, or was woken for nothing.
#[test]
fn a_nap_misses_nothing() {
    explore(NAPS.within(4), || {
        let bowl = Arc::new(Bowl::default());
        let theirs = bowl.clone();
        let eater = spawn(move || theirs.take());
        bowl.put_and_notify_under_the_lock();
        eater.join().unwrap();
        assert!(elapsed() <= SOON, "a notification came late");
    });
}

/// If the victim did not take the token, its notification reaches the other.
#[test]
fn a_dead_waiter_passes_its_notification_on() {
    explore(DEATHS.within(0), || {
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
}

#[test]
fn a_dead_notifier_hurts_nobody() {
    explore(DEATHS.within(1), || {
        let bowl = Arc::new(Bowl::default());
        let (theirs, victims) = (bowl.clone(), bowl.clone());
        let eater = spawn(move || theirs.take());
        let victim = spawn_mortal(move || victims.put_and_notify_under_the_lock());
        if victim.join().is_none() {
            bowl.put();
        }
        eater.join().unwrap();
    });
}

/// Both are asleep, one is notified: one returns, in whatever way waits end early.
#[test]
fn as_many_return_as_were_notified() {
    struct Room {
        lock: Lock<u32>,
        condition: Condition,
    }
    explore(NAPS.within(0), || {
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
}

#[test]
fn all_levels_are_given_up_and_restored() {
    struct Room {
        lock: RLock<Cell<bool>>,
        condition: Condition,
    }
    explore(NAPS.within(2), || {
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
}

#[test]
fn a_timed_wait_ends() {
    explore(NAPS.within(2), || {
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
}

/// Waits until the door is open.
#[derive(Default)]
struct Hall {
    open: Lock<bool>,
    opened: Condition,
}

impl Hall {
    fn pass(&self) {
        let mut open = held(self.open.acquire()).0;
        while !*open {
            let _ = self.opened.wait(&mut open);
        }
    }

    fn open(&self) {
        *held(self.open.acquire()).0 = true;
    }

    fn open_to_all(&self) {
        self.open();
        self.opened.notify_all();
    }

    fn with_two_asleep() -> (Arc<Self>, [JoinHandle<()>; 2]) {
        let hall = Arc::new(Self::default());
        let visitors = hall.spawn_visitors();
        others_sleep(2);
        (hall, visitors)
    }

    fn spawn_visitors<const N: usize>(self: &Arc<Self>) -> [JoinHandle<()>; N] {
        std::array::from_fn(|_| {
            let hall = self.clone();
            spawn(move || hall.pass())
        })
    }
}

fn join_all(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_crowd_is_woken_by_its_herald() {
    explore(CALM.within(0), || {
        let (hall, visitors) = Hall::with_two_asleep();
        hall.open_to_all();
        join_all(visitors);
        assert_in_time();
    });
}

#[test]
fn a_crowd_in_private_memory_is_woken_by_its_herald() {
    explore(NAPS.within(1), || {
        procsync::model::be_private();
        let (hall, visitors) = Hall::with_two_asleep();
        hall.open_to_all();
        join_all(visitors);
    });
}

/// One that was about to sleep, of two, beside a notify to all.
#[test]
fn who_is_not_woken_sees_that_its_wait_is_over() {
    explore(CALM.within(2), || {
        procsync::model::be_private();
        let hall = Arc::new(Hall::default());
        let visitors = hall.spawn_visitors::<2>();
        loom::thread::yield_now();
        hall.open_to_all();
        join_all(visitors);
    });
}

#[test]
fn two_notify_a_crowd_at_once() {
    explore(CALM.within(0), || {
        procsync::model::be_private();
        let (hall, visitors) = Hall::with_two_asleep();
        hall.open();
        let theirs = hall.clone();
        let other = spawn(move || theirs.opened.notify_all());
        hall.opened.notify_all();
        join_all(visitors);
        other.join().unwrap();
    });
}

/// The herald dies in any step, and the other parked returns, as late as after a round.
#[test]
fn a_dead_herald_holds_nobody_up() {
    explore(DEATHS.within(0), || {
        let hall = Arc::new(Hall::default());
        let victims = hall.clone();
        let victim = spawn_mortal(move || victims.pass());
        others_sleep(1);
        let visitors = hall.spawn_visitors::<1>();
        others_sleep(2);
        hall.open();
        let before = elapsed();
        hall.opened.notify_all();
        victim.join();
        join_all(visitors);
        assert!(elapsed() - before <= SOON, "the others heard of it late");
    });
}

/// It dies before, amid or after its notify to all.
#[test]
fn a_dead_notifier_of_a_crowd_leaves_nobody_parked() {
    explore(DEATHS.within(0), || {
        let (hall, visitors) = Hall::with_two_asleep();
        hall.open();
        let victims = hall.clone();
        let victim = spawn_mortal(move || victims.opened.notify_all());
        if victim.join().is_none() {
            // It may have died before.
            hall.opened.notify_all();
        }
        join_all(visitors);
        assert_in_time();
    });
}
