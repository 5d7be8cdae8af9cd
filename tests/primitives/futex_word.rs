//! A bare word: waited on, woken, and what becomes of its sleepers when a thread dies.

use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use procsync::{FutexWait, FutexWord, shareable};

use crate::common::{fork, sleepers};
use crate::scene::{LONG, SHORT, lasting, shared, the_past, until_asleep, wherever};

#[test]
fn a_wait_compares() {
    wherever(FutexWord::default, |word| {
        assert_eq!(word.wait(1), FutexWait::Changed);
        assert_eq!(word.wait_timeout(1, LONG), FutexWait::Changed);
        assert_eq!(word.wait_timeout(1, Duration::ZERO), FutexWait::Changed);
        assert_eq!(word.wait_until(1, the_past()), FutexWait::Changed);
        assert_eq!(format!("{word:?}"), "FutexWord(0)");
    });
}

#[test]
fn timeouts_are_kept() {
    wherever(FutexWord::default, |word| {
        assert_eq!(word.wait_timeout(0, Duration::ZERO), FutexWait::TimedOut);
        assert_eq!(word.wait_until(0, the_past()), FutexWait::TimedOut);
        let waited = lasting(SHORT, || word.wait_timeout(0, SHORT));
        assert_eq!(waited, FutexWait::TimedOut);
        let deadline = Instant::now() + SHORT;
        assert_eq!(word.wait_until(0, deadline), FutexWait::TimedOut);
        assert!(Instant::now() >= deadline);
    });
}

#[test]
fn as_many_are_woken() {
    wherever(FutexWord::default, |word| {
        assert_eq!((word.wake(1), word.wake_all(), word.sleepers()), (0, 0, 0));
        thread::scope(|scope| {
            let sleepers: Vec<_> = (0..5).map(|_| scope.spawn(|| word.wait(0))).collect();
            until_asleep(word, 5);
            assert_eq!(word.sleepers(), 5);
            assert_eq!(word.wake(0), 0);
            assert_eq!(word.wake(2), 2);
            assert_eq!(word.wake_all(), 3);
            for sleeper in sleepers {
                assert_eq!(sleeper.join().expect("no panic"), FutexWait::Woken);
            }
        });
    });
}

#[test]
fn a_change_wakes_all() {
    wherever(FutexWord::default, |word| {
        type Change = fn(&FutexWord);
        let changes: [(Change, u32); 4] = [
            (|word| word.set_bit_and_wake_all(3), 8),
            (|word| assert_eq!(word.add_one_and_wake_all(), 3), 9),
            (|word| word.set_bit_and_wake_all(31), 1 << 31 | 9),
            (|word| word.set_bit_and_wake_all(32 + 1), 1 << 31 | 11),
        ];
        for (change, after) in changes {
            thread::scope(|scope| {
                let before = word.load(Relaxed);
                for _ in 0..3 {
                    scope.spawn(move || assert_eq!(word.wait(before), FutexWait::Woken));
                }
                until_asleep(word, 3);
                change(word);
                assert_eq!(word.load(Acquire), after);
            });
        }
        word.store(u32::MAX, Relaxed);
        assert_eq!(word.add_one_and_wake_all(), 0);
        assert_eq!(word.load(Relaxed), 0, "wraps around");
    });
}

shareable! {
    struct Scene { word: FutexWord, ready: FutexWord }
}

/// One dies in `armed`, with this value in the word; how many of two sleepers are woken, and the value.
fn death_of_one_armed(before: impl Fn(u32) -> u32) -> (usize, u32) {
    let scene = shared(Scene {
        word: FutexWord::new(0),
        ready: FutexWord::new(0),
    });
    let victim = fork(|| {
        scene.word.armed(|| {
            scene.word.store(before(std::process::id()), Relaxed);
            scene.ready.add_one_and_wake_all();
            loop {
                scene.ready.wait(1);
            }
        });
    });
    while scene.ready.load(Acquire) == 0 {
        scene.ready.wait(0);
    }
    let value = scene.word.load(Relaxed);
    let others = [0, 1].map(|_| fork(|| assert_eq!(scene.word.wait(value), FutexWait::Woken)));
    until_asleep(&scene.word, 2);
    victim.kill();
    // Its list was walked when it can be waited for.
    let woken = 2 - sleepers(&scene.word);
    let after = scene.word.load(Relaxed);
    scene.word.wake_all();
    for other in others {
        other.succeed();
    }
    (woken, after)
}

#[test]
fn the_death_of_one_armed_wakes_one() {
    assert_eq!(death_of_one_armed(|_| 0), (1, 0));
    assert_eq!(death_of_one_armed(|_| 1 << 31), (1, 1 << 31));
    assert_eq!(
        death_of_one_armed(|_| 1),
        (0, 1),
        "somebody else's, as it seems"
    );
    assert_eq!(
        death_of_one_armed(|me| me),
        (0, 1 << 30),
        "its own, without waiters"
    );
    assert_eq!(
        death_of_one_armed(|me| me | 1 << 31),
        (1, 3 << 30),
        "its own"
    );
}

/// Before, and after, and when a panic went through it.
#[test]
fn who_is_not_armed_dies_in_silence() {
    let word = shared(FutexWord::default());
    let sleeper = fork(|| assert_eq!(word.wait(0), FutexWait::Woken));
    until_asleep(&*word, 1);
    let others = [
        fork(|| assert_eq!(word.armed(|| 5), 5)),
        fork(|| {
            let panicked = crate::scene::panics(|| word.armed(crate::scene::panic_quietly));
            assert!(panicked);
        }),
    ];
    for other in others {
        other.succeed();
    }
    assert_eq!(word.sleepers(), 1);
    word.wake_all();
    sleeper.succeed();
}

/// The inner one is armed, then the outer one again.
#[test]
fn arming_nests() {
    let words = shared(Scene {
        word: FutexWord::new(0),
        ready: FutexWord::new(0),
    });
    let outer = fork(|| assert_eq!(words.word.wait(0), FutexWait::Woken));
    until_asleep(&words.word, 1);
    fork(|| {
        words
            .word
            .armed(|| words.ready.armed(|| std::process::abort()));
    })
    .join_within(LONG)
    .expect("it dies");
    assert_eq!(words.word.sleepers(), 1);
    fork(|| {
        words.word.armed(|| {
            words.ready.armed(|| ());
            std::process::abort()
        });
    })
    .join_within(LONG)
    .expect("it dies");
    outer.succeed();
}
