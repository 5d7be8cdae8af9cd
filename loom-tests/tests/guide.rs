//! What pages of the guide show without a lock. `tests/guide.rs` of the crate sees to it that the page has this code.
#![cfg(loom)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "pages are for 64 bits, and short"
)]

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use loom::thread::spawn;
use loom_tests::{CALM, DEATHS, explore};
use procsync::model::{AtomicU64, spawn_mortal};
use procsync::{AcquireError, Lock};

procsync::shareable! {
    struct Settings { writer: Lock, version: AtomicU64, copies: [Words; 2] }
    struct Words { words: [AtomicU64; 4] }
}

impl Settings {
    fn publish(&self, values: [u64; 4]) -> Result<(), AcquireError<()>> {
        // Killed before the last line: nothing has happened, and the next overwrites the same copy.
        let _one_writer = self.writer.acquire_or_repair(|_| ())?;
        let next = self.version.load(Relaxed) + 1;
        let unused = &self.copies[next as usize % 2].words;
        for (word, value) in unused.iter().zip(values) {
            word.store(value, Release);
        }
        self.version.store(next, Release);
        Ok(())
    }

    fn read(&self) -> [u64; 4] {
        loop {
            let version = self.version.load(Acquire);
            let words = &self.copies[version as usize % 2].words;
            let values = words.each_ref().map(|word| word.load(Acquire));
            // The copy is overwritten by the version after the next. Who has seen a word of that one,
            // released after the next version was, sees here that there is a next.
            if self.version.load(Relaxed) == version {
                return values;
            }
        }
    }
}

fn settings() -> Arc<Settings> {
    let words = || Words {
        words: [(); 4].map(|()| AtomicU64::new(0)),
    };
    Arc::new(Settings {
        writer: Lock::new(()),
        version: AtomicU64::new(0),
        copies: [words(), words()],
    })
}

fn assert_whole(read: [u64; 4]) {
    assert_eq!(read, [read[0]; 4]);
}

#[test]
fn a_reader_sees_one_version_whole() {
    explore(CALM.within(4), || {
        let settings = settings();
        let theirs = settings.clone();
        let writer = spawn(move || (1..=2).for_each(|n| theirs.publish([n; 4]).unwrap()));
        assert_whole(settings.read());
        writer.join().unwrap();
        assert_eq!(settings.read(), [2; 4]);
    });
}

#[test]
fn a_dead_writer_has_published_or_not() {
    explore(DEATHS.within(2), || {
        let settings = settings();
        let theirs = settings.clone();
        let writer = spawn_mortal(move || (1..=2).for_each(|n| theirs.publish([n; 4]).unwrap()));
        assert_whole(settings.read());
        writer.join();
        assert_whole(settings.read());
        settings.publish([3; 4]).unwrap();
        assert_eq!(settings.read(), [3; 4]);
    });
}
