//! The atomics for users: they do what std's do, and each access is a place to die.
#![cfg(loom)]

use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use procsync::model::{AtomicU32, AtomicU64, Exploration, loom, spawn_mortal};

/// What both kinds of atomics answer, and what is in them afterwards.
macro_rules! answers {
    ($atomic:expr, $value:expr) => {{
        let atomic = $atomic;
        let odd_to_even = |value| (value % 2 == 1).then_some(value + 1);
        vec![
            ("load", Ok(atomic.load(Acquire))),
            ("swap", Ok(atomic.swap($value, AcqRel))),
            ("fetch_add", Ok(atomic.fetch_add($value, Relaxed))),
            ("fetch_sub", Ok(atomic.fetch_sub(3, Relaxed))),
            ("fetch_and", Ok(atomic.fetch_and(0xff0f, Relaxed))),
            ("fetch_nand", Ok(atomic.fetch_nand(0x0ff0, Relaxed))),
            ("fetch_or", Ok(atomic.fetch_or(0x10, Relaxed))),
            ("fetch_xor", Ok(atomic.fetch_xor(0x11, Relaxed))),
            ("fetch_min", Ok(atomic.fetch_min(76, Relaxed))),
            ("fetch_max", Ok(atomic.fetch_max(77, Relaxed))),
            ("exchange", atomic.compare_exchange(77, 79, AcqRel, Acquire)),
            ("refused", atomic.compare_exchange(77, 78, AcqRel, Acquire)),
            ("weak", atomic.compare_exchange_weak(1, 2, AcqRel, Acquire)),
            ("update", Ok(atomic.update(Release, Relaxed, |v| v + 2))),
            ("try", atomic.try_update(AcqRel, Acquire, odd_to_even)),
            (
                "fetch_update",
                atomic.fetch_update(AcqRel, Acquire, odd_to_even),
            ),
            ("end", Ok(atomic.into_inner())),
        ]
    }};
}

#[test]
fn they_answer_as_those_of_std() {
    use std::sync::atomic;
    Exploration::CALM.run(|| {
        let narrow = answers!(AtomicU32::new(5), u32::MAX - 8);
        assert_eq!(narrow, answers!(atomic::AtomicU32::new(5), u32::MAX - 8));
        let wide = answers!(AtomicU64::from(5), u64::MAX - 8);
        assert_eq!(wide, answers!(atomic::AtomicU64::new(5), u64::MAX - 8));
    });
}

/// How many places to die `f` has.
fn places<T>(f: impl Fn(&AtomicU64) -> T + Send + Sync + Copy + 'static) -> usize {
    let explored = Exploration::DEATHS.run(move || {
        let atomic = Arc::new(AtomicU64::default());
        let victims = atomic.clone();
        let victim = spawn_mortal(move || {
            f(&victims);
        });
        victim.join();
    });
    explored.deaths
}

#[test]
fn each_access_is_one_place_to_die() {
    assert_eq!(places(|atomic| atomic.load(Relaxed)), 1);
    assert_eq!(places(|atomic| atomic.store(1, Relaxed)), 1);
    assert_eq!(places(|atomic| atomic.swap(1, Relaxed)), 1);
    assert_eq!(places(|atomic| atomic.fetch_add(1, Relaxed)), 1);
    assert_eq!(places(|atomic| atomic.fetch_max(1, Relaxed)), 1);
    assert_eq!(
        places(|atomic| atomic.compare_exchange(0, 1, Relaxed, Relaxed)),
        1
    );
    assert_eq!(
        places(|atomic| atomic.update(Relaxed, Relaxed, |value| value + 1)),
        2
    );
}

#[test]
fn an_access_happens_before_the_next_death_or_not_at_all() {
    Exploration::DEATHS.run(|| {
        let pair = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let victims = pair.clone();
        let victim = spawn_mortal(move || {
            victims[0].store(1, Relaxed);
            victims[1].store(1, Relaxed);
        });
        let died = victim.join().is_none();
        let [first, second] = [&pair[0], &pair[1]].map(|atomic| atomic.load(Relaxed));
        assert!(first >= second);
        assert_eq!(died, second == 0);
    });
}

/// Relaxed, the second load could see what was before the first store.
#[test]
#[should_panic(expected = "the letter was not there")]
fn a_missing_release_shows() {
    Exploration::CALM.run(|| {
        let pair = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
        let theirs = pair.clone();
        let writer = loom::thread::spawn(move || {
            theirs[0].store(1, Relaxed);
            theirs[1].store(1, Relaxed);
        });
        if pair[1].load(Acquire) == 1 {
            assert_eq!(pair[0].load(Relaxed), 1, "the letter was not there");
        }
        writer.join().unwrap();
    });
}

/// A destructor that tells others.
struct Farewell(Arc<[AtomicU64; 2]>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0[0].store(1, Relaxed);
        self.0[1].fetch_add(1, Relaxed);
        while self.0[1].compare_exchange(1, 2, Relaxed, Relaxed).is_err() {}
    }
}

#[test]
fn the_destructors_of_the_dead_do_nothing() {
    Exploration::DEATHS.run(|| {
        let words = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let victims = words.clone();
        let victim = spawn_mortal(move || {
            let farewell = Farewell(victims);
            farewell.0[0].load(Relaxed);
            farewell.0[1].load(Relaxed);
            std::mem::forget(farewell);
        });
        victim.join();
        let said = [&words[0], &words[1]].map(|word| word.load(Relaxed));
        assert_eq!(said, [0, 0]);
    });
}
