//! Whatever is in the file, and whatever becomes of it meanwhile: an answer or an error, soon.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use procsync::inspect::{self, Structure, Value};
use procsync::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore, ShareError, Shared, Timer,
};

use crate::common::until;
use crate::{Name, refused};

procsync::shareable! {
    struct All {
        lock: Lock<[u32; 3]>,
        again: RLock<u8>,
        semaphore: Semaphore,
        bounded: BoundedSemaphore,
        event: Event,
        condition: Condition,
        barrier: Barrier,
        timer: Timer,
        events: [Event; 30],
    }
}

fn all() -> All {
    All {
        lock: Lock::new([0; 3]),
        again: RLock::new(0),
        semaphore: Semaphore::new(0),
        bounded: BoundedSemaphore::new(1),
        event: Event::new(),
        condition: Condition::new(),
        barrier: Barrier::new(1),
        timer: Timer::new(),
        events: [const { Event::new() }; 30],
    }
}

/// The file of a value, for those who do not care what belongs there.
fn file(name: &Name) -> File {
    let mut options = OpenOptions::new();
    options.read(true).write(true).open(name.path()).unwrap()
}

#[test]
fn what_is_no_value_is_refused_at_once_and_not_even_opened() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = |file: &str| format!("{}/{file}", directory.path().display());
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), mode).unwrap();
    symlink(path("fifo"), path("link")).unwrap();
    symlink(path("nowhere"), path("dangling")).unwrap();
    std::fs::write(path("empty"), "").unwrap();
    std::fs::write(path("text"), "a text, which is long enough").unwrap();
    for (name, error) in [
        (path("fifo"), "not a regular file"),
        (path("link"), "not a regular file"),
        ("/dev/null".to_owned(), "not a regular file"),
        (format!("{}/.", path("")), "no file can have that name"),
        (path("dangling"), "nothing has that name"),
        (path("none"), "nothing has that name"),
        (path("empty"), "0 bytes"),
        (path("text"), "not made by this crate"),
        ("none".to_owned(), "no file can have that name"),
    ] {
        let said = refused(&["inspect", &name]);
        assert!(said.contains(error), "{name}: {said}");
    }
}

#[test]
fn a_description_that_was_changed_anywhere_is_not_believed() {
    let name = Name::new("description");
    let _value = Shared::create(&name.0, all()).unwrap();
    let file = file(&name);
    let whole = inspect::open(&name.0).unwrap();
    assert_eq!(whole.structure, Structure::Described);
    let start = (128 + whole.size).next_multiple_of(8);
    let end = file.metadata().unwrap().len();
    for offset in (start..end).chain(64..88) {
        let mut byte = [0];
        file.read_exact_at(&mut byte, offset).unwrap();
        for bit in 0..8 {
            file.write_all_at(&[byte[0] ^ 1 << bit], offset).unwrap();
            match inspect::open(&name.0) {
                Ok(report) => {
                    let value_moved = (64..72).contains(&offset);
                    assert!(
                        value_moved || report.structure == Structure::Damaged,
                        "byte {offset}, bit {bit}: {report}"
                    );
                }
                Err(error) => assert!(
                    matches!(error, ShareError::TooSmall { .. } | ShareError::Os(_)),
                    "byte {offset}, bit {bit}: {error:?}"
                ),
            }
        }
        file.write_all_at(&byte, offset).unwrap();
    }
    let again = inspect::open(&name.0).unwrap();
    assert_eq!(again.structure, Structure::Described);
}

#[test]
fn without_its_description_a_value_is_bytes() {
    let name = Name::new("bytes");
    let _value = Shared::create(&name.0, [0x41_u8; 100]).unwrap();
    let file = file(&name);
    file.set_len(128 + 100).unwrap();
    let report = inspect::open(&name.0).unwrap();
    assert_eq!(report.structure, Structure::Damaged);
    let bytes = Value::Bytes {
        first: vec![0x41; 32],
        len: 100,
    };
    assert_eq!(report.parts[0].value, bytes);
    assert!(report.to_string().contains("damaged"), "{report}");
    file.set_len(128 + 99).unwrap();
    let cut = inspect::open(&name.0);
    assert!(
        matches!(
            cut,
            Err(ShareError::TooSmall {
                found: 227,
                expected: 228
            })
        ),
        "{cut:?}"
    );
}

#[test]
fn scribbled_values_are_shown() {
    let name = Name::new("scribbled");
    let value = Shared::create(&name.0, all()).unwrap();
    let file = file(&name);
    let mut seed = 1_u64;
    let mut bytes = vec![0; size_of::<All>()];
    for _ in 0..300 {
        bytes.iter_mut().for_each(|byte| *byte = next(&mut seed));
        file.write_all_at(&bytes, 128).unwrap();
        let report = inspect::open(&name.0).unwrap();
        assert_eq!(report.structure, Structure::Described);
        assert!(report.to_string().lines().count() < 100, "{report}");
        let mut now = vec![0; bytes.len()];
        file.read_exact_at(&mut now, 128).unwrap();
        assert!(now == bytes, "it has changed what it looked at");
    }
    drop(value);
}

/// Some byte (xorshift).
fn next(seed: &mut u64) -> u8 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    seed.to_le_bytes()[3]
}

#[test]
fn a_holder_that_never_was_is_gone() {
    let name = Name::new("nobody");
    let _value = Shared::create(&name.0, Lock::new(0_u32)).unwrap();
    let file = file(&name);
    // More than there can be, and a free word with every other bit set.
    for (word, expected) in [
        (0x3fff_ffff_u32, "held by 1073741823, which is gone"),
        (0xc000_0000, "free; poisoned: its holder died"),
    ] {
        file.write_all_at(&word.to_ne_bytes(), 128).unwrap();
        let report = inspect::open(&name.0).unwrap().to_string();
        assert!(report.contains(expected), "{report}");
    }
}

#[test]
fn a_file_that_is_cut_short_meanwhile_gives_an_error_and_no_signal() {
    let name = Name::new("cut");
    let _value = Shared::create(&name.0, [const { Event::new() }; 3000]).unwrap();
    let file = file(&name);
    let whole = std::fs::read(name.path()).unwrap();
    let (done, end) = (AtomicBool::new(false), 128 + 8 * 3000);
    let cut_under_its_eyes = || {
        let look = inspect::open(&name.0);
        matches!(look, Err(ShareError::TooSmall { expected, .. }) if (129..end).contains(&expected))
    };
    let seen = thread::scope(|threads| {
        threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                file.set_len(4096).unwrap();
                // With its description again.
                file.write_all_at(&whole, 0).unwrap();
            }
        });
        let seen = until(cut_under_its_eyes);
        done.store(true, Ordering::Relaxed);
        seen
    });
    seen.expect("sooner or later it is cut after its length was asked for");
}

#[test]
fn of_very_many_only_some_are_looked_at() {
    let name = Name::new("many");
    let make = || Shared::create(&name.0, [const { Event::new() }; 1 << 15]);
    let _value = make().unwrap();
    let report = inspect::open(&name.0).unwrap();
    let last = report.parts.last().unwrap();
    assert!(matches!(last.value, Value::More(1..)), "{last:?}");
    assert_eq!(report.parts.len(), 2);
}
