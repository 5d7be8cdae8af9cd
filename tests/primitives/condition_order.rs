//! Who is notified: the one that has slept longest, nobody twice, nobody for nothing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use crate::common::{fork, until};
use crate::condition::Scene;
use crate::scene::{LONG, SHORT, lasting, shared, until_asleep, wherever};

/// In shared memory a waiter looks around after a second, and is the last then.
const ROUND: Duration = Duration::from_secs(1);

/// Four waiters fall asleep one by one, and are notified one by one; who came when. `None`: it took
/// too long to tell.
fn order_of_waking(scene: &Scene) -> Option<Vec<u32>> {
    let started = Instant::now();
    let came = Mutex::new(Vec::new());
    let number_that_came = || came.lock().expect("no panic").len();
    thread::scope(|scope| {
        for who in 0..4 {
            let came = &came;
            scope.spawn(move || {
                scene.wait_once();
                came.lock().expect("no panic").push(who);
            });
            until_asleep(&scene.changed, who as usize + 1);
        }
        for number in 1..=4 {
            scene.changed.notify_one();
            until(|| number_that_came() == number).expect("one comes");
        }
    });
    let in_time = started.elapsed() < ROUND / 2;
    in_time.then(|| came.into_inner().expect("no panic"))
}

#[test]
fn sleepers_are_notified_in_order() {
    wherever(Scene::new, |scene| {
        let order = (0..20).find_map(|_| order_of_waking(scene));
        assert_eq!(order.expect("quick enough for once"), [0, 1, 2, 3]);
    });
}

/// Three wait again and again, for three seconds, one is notified at a time: each notify ends one wait,
/// also of those who look around meanwhile.
#[test]
fn each_notify_ends_one_wait_however_long_they_last() {
    wherever(Scene::new, |scene| {
        let over = AtomicBool::new(false);
        let ended = AtomicU32::new(0);
        let mut notified = 0;
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut guard = scene.number.acquire().expect("sound");
                    while !over.load(Ordering::SeqCst) {
                        let in_time = scene.changed.wait_timeout(&mut guard, LONG);
                        assert_eq!(in_time, Ok(true));
                        ended.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            let started = Instant::now();
            while started.elapsed() < 3 * ROUND {
                until_asleep(&scene.changed, 3);
                scene.changed.notify_one();
                notified += 1;
                until(|| ended.load(Ordering::SeqCst) >= notified).expect("one wakes");
            }
            until_asleep(&scene.changed, 3);
            assert_eq!(ended.load(Ordering::SeqCst), notified);
            over.store(true, Ordering::SeqCst);
            scene.changed.notify_all();
        });
        assert_eq!(ended.load(Ordering::SeqCst), notified + 3);
    });
}

/// A wait of more than two rounds ends by its timeout, though others come and go.
#[test]
fn a_long_wait_among_others_ends_by_its_timeout() {
    wherever(Scene::new, |scene| {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let patience = 5 * ROUND / 2;
            let long = scope.spawn(move || {
                let mut guard = scene.number.acquire().expect("sound");
                let started = Instant::now();
                let never = |_: &u32| false;
                let waited = scene.changed.wait_for_timeout(&mut guard, patience, never);
                (waited, started.elapsed())
            });
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    let mut guard = scene.number.acquire().expect("sound");
                    let patience = Duration::from_millis(1);
                    let _ = scene.changed.wait_timeout(&mut guard, patience);
                }
            });
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    scene.changed.notify_one();
                    thread::sleep(Duration::from_micros(300));
                }
            });
            let (waited, lasted) = long.join().expect("no panic");
            over.store(true, Ordering::SeqCst);
            assert_eq!(waited, Ok(false));
            assert!((patience..LONG).contains(&lasted), "{lasted:?}");
        });
    });
}

/// A stopped process is out of the queue; what comes meanwhile is for it all the same.
#[test]
fn who_is_stopped_gets_the_notify_that_came_meanwhile() {
    let scene = shared(Scene::new());
    let waiter = fork(|| scene.wait_once());
    until_asleep(&scene.changed, 1);
    kill(waiter.pid(), Signal::SIGSTOP).expect("it lives");
    until_asleep(&scene.changed, 0);
    scene.changed.notify_one();
    kill(waiter.pid(), Signal::SIGCONT).expect("it lives");
    waiter.succeed();
    assert_eq!(scene.read(), 1);
}

/// However often it is notified for nothing.
#[test]
fn a_storm_of_notifies_does_not_prolong_a_wait() {
    wherever(Scene::new, |scene| {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !over.load(Ordering::SeqCst) {
                        scene.changed.notify_all();
                    }
                });
            }
            for _ in 0..20 {
                let mut guard = scene.number.acquire().expect("sound");
                let waited = lasting(SHORT, || {
                    scene.changed.wait_for_timeout(&mut guard, SHORT, |_| false)
                });
                assert_eq!(waited, Ok(false));
            }
            over.store(true, Ordering::SeqCst);
        });
    });
}

/// Whoever comes and goes, a change is never slept through: nobody's patience is needed.
#[test]
fn hasty_waiters_lose_no_notification() {
    const ITEMS: u32 = 1_000;
    wherever(Scene::new, |scene| {
        let taken = AtomicU32::new(0);
        thread::scope(|scope| {
            for patience in [10, 100, 1_000_000_000] {
                let patience = Duration::from_micros(patience);
                let taken = &taken;
                scope.spawn(move || {
                    while taken.load(Ordering::SeqCst) < ITEMS {
                        let mut items = scene.number.acquire().expect("sound");
                        let done_or_some =
                            |items: &u32| *items > 0 || taken.load(Ordering::SeqCst) >= ITEMS;
                        let waited =
                            scene
                                .changed
                                .wait_for_timeout(&mut items, patience, done_or_some);
                        if waited == Ok(true) && *items > 0 {
                            *items -= 1;
                            taken.fetch_add(1, Ordering::SeqCst);
                        }
                        if taken.load(Ordering::SeqCst) >= ITEMS {
                            scene.changed.notify_all();
                        }
                    }
                });
            }
            for _ in 0..ITEMS {
                scene.add_one();
                scene.changed.notify_one();
            }
            let all = || taken.load(Ordering::SeqCst) == ITEMS;
            until(all).expect("each item is taken");
            scene.changed.notify_all();
        });
        assert_eq!(scene.read(), 0);
    });
}
