//! Waiting and notifying.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use procsync::{Condition, Lock, RLock, shareable};

use crate::common::{End, fork, sleepers, until};
use crate::scene::{LONG, SHORT, lasting, shared, the_past, until_asleep, wherever};

shareable! {
    /// What is waited for, and how.
    pub struct Scene {
        pub(crate) number: Lock<u32>,
        pub(crate) nested: RLock<Cell<u32>>,
        pub(crate) changed: Condition,
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            number: Lock::new(0),
            nested: RLock::new(Cell::new(0)),
            changed: Condition::new(),
        }
    }

    pub(crate) fn add_one(&self) {
        *self.number.acquire().expect("sound") += 1;
    }

    pub(crate) fn read(&self) -> u32 {
        *self.number.acquire().expect("sound")
    }

    /// Waits once, and counts that it has.
    pub(crate) fn wait_once(&self) {
        let mut number = self.number.acquire().expect("sound");
        self.changed.wait(&mut number).expect("sound");
        *number += 1;
    }
}

#[test]
pub(crate) fn a_notify_ends_as_many_waits() {
    wherever(Scene::new, |scene| {
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| scene.wait_once());
            }
            until_asleep(&scene.changed, 6);
            let notify = |n, ended| {
                let guard = scene.number.acquire().expect("sound");
                scene.changed.notify(n);
                drop(guard);
                until(|| scene.read() == ended).expect("as many end");
                // Time for others to come, who should not.
                thread::sleep(SHORT);
                let left = 6 - ended as usize;
                until_asleep(&scene.changed, left);
                assert_eq!(scene.read(), ended);
            };
            notify(0, 0);
            notify(1, 1);
            notify(3, 4);
            scene.changed.notify_all();
        });
        assert_eq!((scene.read(), sleepers(&scene.changed)), (6, 0));
    });
}

#[test]
fn a_notify_for_more_than_wait_is_for_all() {
    wherever(Scene::new, |scene| {
        for n in [3, 4, u32::MAX] {
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| scene.wait_once());
                }
                until_asleep(&scene.changed, 3);
                scene.changed.notify(n);
            });
        }
        assert_eq!(scene.read(), 9);
    });
}

#[test]
fn a_notify_is_not_remembered() {
    wherever(Scene::new, |scene| {
        scene.changed.notify_one();
        scene.changed.notify(5);
        scene.changed.notify_all();
        let mut guard = scene.number.acquire().expect("sound");
        scene.changed.notify_all();
        let notified = lasting(SHORT, || scene.changed.wait_timeout(&mut guard, SHORT));
        assert_eq!(notified, Ok(false));
    });
}

/// Nor is one that was for more than waited.
#[test]
fn what_is_left_of_a_notify_is_not_remembered() {
    wherever(Scene::new, |scene| {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| scene.wait_once());
            until_asleep(&scene.changed, 1);
            scene.changed.notify(100);
            waiter.join().expect("no panic");
        });
        let mut guard = scene.number.acquire().expect("sound");
        assert_eq!(scene.changed.wait_timeout(&mut guard, SHORT), Ok(false));
    });
}

#[test]
fn timeouts_are_kept() {
    wherever(Scene::new, |scene| {
        let mut guard = scene.number.acquire().expect("sound");
        lasting(Duration::ZERO, || {
            let zero = scene.changed.wait_timeout(&mut guard, Duration::ZERO);
            let past = scene.changed.wait_until(&mut guard, the_past());
            assert_eq!((zero, past), (Ok(false), Ok(false)));
        });
        let waited = lasting(SHORT, || scene.changed.wait_timeout(&mut guard, SHORT));
        assert_eq!(waited, Ok(false));
        let deadline = Instant::now() + SHORT;
        assert_eq!(scene.changed.wait_until(&mut guard, deadline), Ok(false));
        assert!(Instant::now() >= deadline && scene.number.is_owned_by_current_thread());
    });
}

#[test]
fn what_the_clock_cannot_express_is_for_ever() {
    wherever(Scene::new, |scene| {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let mut guard = scene.number.acquire().expect("sound");
                scene.changed.wait_timeout(&mut guard, Duration::MAX)
            });
            until_asleep(&scene.changed, 1);
            scene.changed.notify_one();
            assert_eq!(waiter.join().expect("no panic"), Ok(true));
        });
    });
}

/// One that sleeps on the lock gets it at last, though no wait lasts any time.
#[test]
fn a_wait_of_no_time_gives_the_lock_up() {
    wherever(Scene::new, |scene| {
        let mut guard = scene.number.acquire().expect("sound");
        thread::scope(|scope| {
            scope.spawn(|| scene.add_one());
            until(|| scene.number.waiters() == 1).expect("it falls asleep");
            let started = Instant::now();
            while *guard == 0 {
                let waited = scene.changed.wait_timeout(&mut guard, Duration::ZERO);
                assert_eq!(waited, Ok(false));
                assert!(started.elapsed() < LONG);
            }
        });
    });
}

#[test]
fn the_lock_is_free_during_a_wait_and_held_after_it() {
    wherever(Scene::new, |scene| {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let mut guard = scene.number.acquire().expect("sound");
                scene.changed.wait(&mut guard).expect("sound");
                assert!(scene.number.is_owned_by_current_thread());
                assert_eq!(*guard, 1);
            });
            until_asleep(&scene.changed, 1);
            let mut guard = scene.number.try_acquire().expect("it is free");
            *guard = 1;
            scene.changed.notify_one();
            until(|| scene.number.waiters() == 1).expect("it takes the lock back");
            drop(guard);
            waiter.join().expect("no panic");
        });
        assert!(!scene.number.is_locked());
    });
}

#[test]
fn all_levels_of_an_rlock_are_given_up_and_come_back() {
    wherever(Scene::new, |scene| {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let outer = scene.nested.acquire().expect("sound");
                let middle = scene.nested.acquire().expect("sound");
                let mut inner = scene.nested.acquire().expect("sound");
                scene.changed.wait(&mut inner).expect("sound");
                assert_eq!((outer.get(), middle.depth(), inner.depth()), (1, 3, 3));
                let zero = scene.changed.wait_timeout(&mut inner, Duration::ZERO);
                assert_eq!((zero, inner.depth()), (Ok(false), 3));
                drop((outer, inner));
                assert_eq!(middle.depth(), 1);
                assert!(scene.nested.is_owned_by_current_thread());
            });
            until_asleep(&scene.changed, 1);
            let twice = (scene.nested.acquire(), scene.nested.acquire());
            twice.0.as_ref().expect("sound").set(1);
            scene.changed.notify_one();
            drop(twice);
            waiter.join().expect("no panic");
        });
        assert!(!scene.nested.is_locked());
    });
}

#[test]
fn a_predicate_is_asked_first() {
    wherever(Scene::new, |scene| {
        let mut guard = scene.number.acquire().expect("sound");
        let mut asked = 0;
        let yes = |_: &u32| {
            asked += 1;
            true
        };
        assert_eq!(scene.changed.wait_for(&mut guard, yes), Ok(()));
        assert_eq!(asked, 1);
        let zero = scene
            .changed
            .wait_for_timeout(&mut guard, Duration::ZERO, |_| true);
        let past = scene
            .changed
            .wait_for_until(&mut guard, the_past(), |_| true);
        assert_eq!((zero, past), (Ok(true), Ok(true)));
    });
}

#[test]
fn a_timed_wait_for_answers_what_the_predicate_said_last() {
    wherever(Scene::new, |scene| {
        let mut guard = scene.number.acquire().expect("sound");
        let never = lasting(SHORT, || {
            scene.changed.wait_for_timeout(&mut guard, SHORT, |_| false)
        });
        assert_eq!(never, Ok(false));
        let mut asked = 0;
        let at_last = lasting(SHORT, || {
            let deadline = Instant::now() + SHORT;
            scene.changed.wait_for_until(&mut guard, deadline, |_| {
                asked += 1;
                asked == 2
            })
        });
        assert_eq!((at_last, asked), (Ok(true), 2));
    });
}

#[test]
fn wait_for_goes_on_until_the_predicate_holds() {
    wherever(Scene::new, |scene| {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let mut guard = scene.number.acquire().expect("sound");
                let four = |number: &u32| *number == 4;
                let patient = scene.changed.wait_for_timeout(&mut guard, LONG, four);
                (patient, *guard)
            });
            until_asleep(&scene.changed, 1);
            for _ in 0..4 {
                let mut guard = scene.number.acquire().expect("sound");
                *guard += 1;
                scene.changed.notify_one();
                drop(guard);
                until(|| waiter.is_finished() || sleepers(&scene.changed) == 1)
                    .expect("it goes on");
            }
            assert_eq!(waiter.join().expect("no panic"), (Ok(true), 4));
        });
    });
}

/// Each change is seen by all, hundreds of times, with nobody's wait ended by a timeout.
#[test]
fn rounds_go_on_in_lockstep() {
    const ROUNDS: u32 = 500;
    wherever(Scene::new, |scene| {
        thread::scope(|scope| {
            let follow = |turn: u32| {
                let mut guard = scene.number.acquire().expect("sound");
                while *guard < ROUNDS * 3 {
                    let mine = |number: &u32| *number % 3 == turn || *number >= ROUNDS * 3;
                    scene.changed.wait_for(&mut guard, mine).expect("sound");
                    *guard += 1;
                    scene.changed.notify_all();
                }
            };
            for turn in 0..3 {
                scope.spawn(move || follow(turn));
            }
        });
        assert!(scene.read() >= ROUNDS * 3);
    });
}

#[test]
pub(crate) fn processes_take_turns() {
    const ROUNDS: u32 = 1_000;
    let scene = shared(Scene::new());
    let play = |turn: u32| {
        for _ in 0..ROUNDS {
            let mut guard = scene.number.acquire().expect("sound");
            let mine = |number: &u32| number % 2 == turn;
            scene.changed.wait_for(&mut guard, mine).expect("sound");
            *guard += 1;
            scene.changed.notify_one();
        }
    };
    let children = [0, 1].map(|turn| fork(|| play(turn)));
    for child in children {
        assert_eq!(child.join_within(LONG), Ok(End::Exited(0)));
    }
    assert_eq!(scene.read(), 2 * ROUNDS);
}

#[test]
fn it_can_be_printed() {
    assert!(format!("{:?}", Condition::default()).contains("Condition"));
}
