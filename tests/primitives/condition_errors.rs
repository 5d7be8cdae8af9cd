//! Poison and deaths, as those who wait see them.

use std::thread;
use std::time::{Duration, Instant};

use procsync::{AcquireError, Poisoned};

use crate::common::{Child, End, fork, sleepers, until};
use crate::condition::Scene;
use crate::scene::{LONG, SHORT, lasting, panic_quietly, panics, shared, until_asleep, wherever};

#[test]
fn a_predicate_that_panics_poisons() {
    wherever(Scene::new, |scene| {
        let panicked = panics(|| {
            let mut guard = scene.number.acquire().expect("sound");
            scene.changed.wait_for(&mut guard, |_| panic_quietly())
        });
        assert!(panicked && scene.number.is_poisoned() && !scene.number.is_locked());
        scene.number.clear_poison();
        let mut asked = 0;
        let panicked = panics(|| {
            let mut guard = scene.number.acquire().expect("sound");
            scene.changed.wait_for_timeout(&mut guard, SHORT, |_| {
                asked += 1;
                if asked > 1 { panic_quietly() } else { false }
            })
        });
        assert!(panicked && scene.number.is_poisoned() && !scene.number.is_locked());
    });
}

#[test]
fn a_lock_that_was_poisoned_meanwhile_is_held_all_the_same() {
    wherever(Scene::new, |scene| {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let mut guard = scene.number.acquire().expect("sound");
                assert_eq!(scene.changed.wait(&mut guard), Err(Poisoned));
                assert!(scene.number.is_owned_by_current_thread());
                assert_eq!(*guard, 7);
                scene.number.clear_poison();
            });
            until_asleep(&scene.changed, 1);
            assert!(panics(|| {
                let mut guard = scene.number.acquire().expect("sound");
                *guard = 7;
                scene.changed.notify_one();
                panic_quietly()
            }));
            waiter.join().expect("no panic");
        });
        assert!(!scene.number.is_locked() && !scene.number.is_poisoned());
    });
}

#[test]
fn every_kind_of_wait_tells_of_poison() {
    wherever(Scene::new, |scene| {
        assert!(panics(|| {
            let _guard = scene.number.acquire().expect("sound");
            panic_quietly()
        }));
        let poisoned = scene
            .number
            .acquire()
            .err()
            .and_then(AcquireError::into_guard);
        let mut guard = poisoned.expect("held all the same");
        let changed = &scene.changed;
        let zero = changed.wait_timeout(&mut guard, Duration::ZERO);
        let short = changed.wait_until(&mut guard, Instant::now() + SHORT);
        assert_eq!((zero, short), (Err(Poisoned), Err(Poisoned)));
        let told = changed.wait_for_timeout(&mut guard, LONG / 20, |_| false);
        assert_eq!(told, Err(Poisoned));
        assert_eq!(changed.wait_for(&mut guard, |_| true), Ok(()));
        assert!(scene.number.is_owned_by_current_thread());
    });
}

#[test]
fn a_holder_that_dies_after_its_notify_poisons() {
    let scene = shared(Scene::new());
    let waiter = fork(|| {
        let mut guard = scene.number.acquire().expect("sound");
        assert_eq!(scene.changed.wait(&mut guard), Err(Poisoned));
        assert!(scene.number.is_owned_by_current_thread());
    });
    until_asleep(&scene.changed, 1);
    let notifier = fork(|| {
        let guard = scene.number.acquire().expect("sound");
        scene.changed.notify_one();
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        drop(guard);
    });
    let killed = End::Killed(nix::sys::signal::Signal::SIGKILL);
    assert_eq!(notifier.join(), Ok(killed));
    waiter.succeed();
}

#[test]
fn the_dead_are_not_notified() {
    let scene = shared(Scene::new());
    let waiters = [(); 4].map(|()| fork(|| scene.wait_once()));
    until_asleep(&scene.changed, 4);
    let [first, second, third, fourth] = waiters;
    // All may wake at a death; those who do are through, the third, too, if it was quick.
    first.kill();
    third.kill();
    until(|| sleepers(&scene.changed) <= 2).expect("the dead do not sleep");
    for _ in 0..2 {
        scene.changed.notify_one();
    }
    second.succeed();
    fourth.succeed();
    assert!((2..=3).contains(&scene.read()));
}

/// Waits until the lock is wanted by somebody who was notified.
fn until_it_wants_the_lock(scene: &Scene, waiter: &Child, wanted: usize) {
    let wants = || scene.number.waiters() == wanted;
    assert!(until(wants).is_ok(), "{}", waiter.describe());
}

/// Many, so that the dead have taken all places of those who return.
#[test]
pub(crate) fn who_dies_while_taking_the_lock_back_passes_the_notification_on() {
    const DOOMED: usize = 5;
    let scene = shared(Scene::new());
    let mut doomed = Vec::new();
    for asleep in 1..=DOOMED {
        doomed.push(fork(|| scene.wait_once()));
        until_asleep(&scene.changed, asleep);
    }
    let heir = fork(|| scene.wait_once());
    until_asleep(&scene.changed, DOOMED + 1);
    let guard = scene.number.acquire().expect("sound");
    for (wanted, waiter) in doomed.iter().enumerate() {
        scene.changed.notify_one();
        until_it_wants_the_lock(&scene, waiter, wanted + 1);
    }
    doomed.drain(..).for_each(Child::kill);
    drop(guard);
    lasting(Duration::ZERO, || heir.succeed());
}
