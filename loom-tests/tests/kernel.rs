//! The modelled kernel does what the real one was seen to do.
#![cfg(loom)]

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};

use loom::thread::spawn;
use procsync::model::{Exploration, futex_waitv, spawn_mortal};
use procsync::{FutexWait, FutexWord};

const CALM: Exploration = Exploration::CALM.unbounded();
const DEATHS: Exploration = Exploration::DEATHS.unbounded();

#[test]
fn a_wait_compares_and_a_wake_is_not_lost() {
    CALM.run(|| {
        let word = Arc::new(FutexWord::new(0));
        let theirs = word.clone();
        let sleeper = spawn(move || {
            while theirs.load(Acquire) == 0 {
                theirs.wait(0);
            }
        });
        word.store(1, Release);
        word.wake(1);
        sleeper.join().unwrap();
        assert_eq!(word.wait(0), FutexWait::Changed, "slept on another value");
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_store_without_a_wake_strands_the_sleeper() {
    CALM.run(|| {
        let word = Arc::new(FutexWord::new(0));
        let theirs = word.clone();
        let sleeper = spawn(move || theirs.wait(0));
        word.store(1, Release);
        sleeper.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_death_between_store_and_wake_strands_the_sleeper() {
    DEATHS.run(|| {
        let word = Arc::new(FutexWord::new(0));
        let (theirs, victims) = (word.clone(), word.clone());
        let sleeper = spawn(move || theirs.wait(0));
        spawn_mortal(move || {
            victims.store(0x8000_0000, Release);
            victims.wake(1);
        })
        .join();
        if word.load(Acquire) != 0 {
            sleeper.join().unwrap();
        } else {
            word.store(1, Release);
            word.wake(1);
            sleeper.join().unwrap();
        }
    });
}

#[test]
fn the_dead_mans_wake_comes_between_them() {
    DEATHS.run(|| {
        let word = Arc::new(FutexWord::new(0));
        let (theirs, victims) = (word.clone(), word.clone());
        let sleeper = spawn(move || theirs.wait(0));
        let victim = spawn_mortal(move || {
            victims.armed(|| {
                victims.store(0x8000_0000, Release);
                victims.wake(1);
            });
        });
        if victim.join().is_none() && word.load(Acquire) == 0 {
            word.store(1, Release);
            word.wake(1);
        }
        sleeper.join().unwrap();
    });
}

#[test]
fn no_death_comes_between_set_and_wake() {
    DEATHS.run(|| {
        let word = Arc::new(FutexWord::new(0));
        let (theirs, victims) = (word.clone(), word.clone());
        let sleeper = spawn(move || theirs.wait(0));
        let victim = spawn_mortal(move || victims.set_bit_and_wake_all(0));
        if victim.join().is_none() && word.load(Acquire) == 0 {
            word.set_bit_and_wake_all(0);
        }
        sleeper.join().unwrap();
    });
}

#[test]
fn a_sleeper_on_two_words_is_woken_through_either() {
    CALM.run(|| {
        let words = Arc::new([FutexWord::new(0), FutexWord::new(0)]);
        let theirs = words.clone();
        let sleeper = spawn(move || futex_waitv([(&theirs[0], 0), (&theirs[1], 0)]));
        words[1].store(1, Release);
        let woken = words[1].wake(1);
        let by = sleeper.join().unwrap();
        assert_eq!(
            by,
            (woken == 1).then_some(1),
            "woken through the second word, or not asleep"
        );
    });
}

/// A sleeper that was woken stays queued on its other words until it runs: it may swallow a wake.
#[test]
#[should_panic(expected = "deadlock")]
fn a_wake_may_land_on_a_sleeper_that_was_woken_already() {
    CALM.run(|| {
        let words = Arc::new([FutexWord::new(0), FutexWord::new(0)]);
        let theirs = words.clone();
        let both = spawn(move || futex_waitv([(&theirs[0], 0), (&theirs[1], 0)]));
        let theirs = words.clone();
        let one = spawn(move || theirs[1].wait(0));
        while words[1].sleepers() < 2 {
            loom::thread::yield_now();
        }
        words[0].wake(1);
        words[1].wake(1);
        both.join().unwrap();
        one.join().unwrap();
    });
}

#[test]
fn the_dead_do_not_count_as_sleepers() {
    DEATHS.run(|| {
        let word = Arc::new(FutexWord::new(0));
        let victims = word.clone();
        let victim = spawn_mortal(move || victims.wait(0));
        loom::thread::yield_now();
        word.store(1, Release);
        word.wake(1);
        victim.join();
        assert_eq!(word.sleepers(), 0);
    });
}
