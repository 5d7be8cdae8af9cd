//! The race that mutexes with one waiters bit lose, with real kills at full speed.
//!
//! Two sleep. The owner releases, which wakes the first, and takes the lock again before that one
//! runs; the first is killed; the owner releases. If the release that woke the first has cleared
//! the bit, this release wakes nobody, and the second sleeps on a free lock.
//!
//! glibc's robust mutexes do that. Driving them in the same way shows that the test can fail.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use nix::unistd::Pid;
use procsync::Lock;

use crate::common::{Child, Mapped, Plain, Pthread, fork, until};
use crate::stepper::sleeps;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("race: lock", || {
            let rounds = if crate::harness::is_long() {
                20_000
            } else {
                2_000
            };
            let tally = race::<Lock>(rounds, Duration::from_secs(5))?;
            if tally.stranded == 0 {
                Ok(())
            } else {
                Err("a waiter sleeps on a free lock".into())
            }
        }),
        Trial::test("race: pthread_mutex, for contrast", || {
            race::<Pthread>(300, Duration::from_millis(200)).map(drop)
        }),
    ]
}

/// So many stranded waiters prove the point; each costs the whole bound.
const STRANDED_MAX: u32 = 10;

struct Tally {
    stranded: u32,
}

#[repr(C)]
struct Track<M> {
    mutex: M,
    rounds: AtomicU32,
    passed: AtomicU32,
    /// Rounds in which the owner was faster than the one it woke.
    overtaken: AtomicU32,
    stranded: AtomicU32,
}

// SAFETY: `M` is, and the others are atomics.
unsafe impl<M: Plain> Plain for Track<M> {}

/// What is driven.
trait Mutex: Plain {
    const NAME: &'static str;
    fn initialize(&self) {}
    fn lock(&self);
    fn try_lock(&self) -> bool;
    fn unlock(&self);
}

fn race<M: Mutex>(rounds: u32, bound: Duration) -> Result<Tally, Failed> {
    let track: Mapped<Track<M>> = Mapped::zeroed();
    // A child drives, so that this process does not become a user of locks.
    let driver = fork(|| drive(&track, rounds, bound));
    let end = driver.join_within(Duration::from_secs(600));
    let count = |word: &AtomicU32| word.load(Ordering::SeqCst);
    let stranded = count(&track.stranded);
    print!(
        "({}: {} rounds, overtaken in {}, stranded in {stranded}) ",
        M::NAME,
        count(&track.rounds),
        count(&track.overtaken),
    );
    if end == Ok(crate::common::End::Exited(0)) {
        Ok(Tally { stranded })
    } else {
        Err(format!("the driver ended with {end:?}").into())
    }
}

fn drive<M: Mutex>(track: &Track<M>, rounds: u32, bound: Duration) {
    track.mutex.initialize();
    for round in 0..rounds {
        if track.stranded.load(Ordering::SeqCst) == STRANDED_MAX {
            return;
        }
        track.rounds.fetch_add(1, Ordering::SeqCst);
        // With one processor the owner is always faster; with several, the kill comes at all times.
        play(track, round % 2 == 0, bound);
    }
}

fn play<M: Mutex>(track: &Track<M>, on_one_processor: bool, bound: Duration) {
    track.mutex.lock();
    let first = wait_asleep(track, on_one_processor);
    let second = wait_asleep(track, on_one_processor);
    let passed = track.passed.load(Ordering::SeqCst);
    track.mutex.unlock();
    let taken = track.mutex.try_lock();
    let overtaken = taken && track.passed.load(Ordering::SeqCst) == passed;
    first.kill();
    track
        .overtaken
        .fetch_add(u32::from(overtaken), Ordering::SeqCst);
    if taken {
        track.mutex.unlock();
    }
    if second.join_within(bound).is_err() {
        track.stranded.fetch_add(1, Ordering::SeqCst);
    }
}

fn wait_asleep<M: Mutex>(track: &Track<M>, on_one_processor: bool) -> Child {
    let waiter = fork(|| {
        if on_one_processor {
            crate::processors::yield_to_others();
        } else {
            crate::processors::use_all();
        }
        track.mutex.lock();
        track.passed.fetch_add(1, Ordering::SeqCst);
        track.mutex.unlock();
    });
    let pid: Pid = waiter.pid();
    until(|| sleeps(pid, pid)).expect("a waiter falls asleep");
    waiter
}

impl Mutex for Lock {
    const NAME: &'static str = "Lock";

    fn lock(&self) {
        std::mem::forget(self.acquire().or_else(|error| error.into_guard().ok_or("")));
    }

    fn try_lock(&self) -> bool {
        let taken = self
            .try_acquire()
            .or_else(|error| error.into_guard().ok_or(""));
        let is_taken = taken.is_ok();
        std::mem::forget(taken);
        is_taken
    }

    fn unlock(&self) {
        // SAFETY: held by this thread, whose guard was forgotten.
        unsafe { self.force_release() };
    }
}

impl Mutex for Pthread {
    const NAME: &'static str = "pthread_mutex";

    fn initialize(&self) {
        Self::initialize(self);
    }

    fn lock(&self) {
        Self::lock(self);
    }

    fn try_lock(&self) -> bool {
        Self::try_lock(self).is_some()
    }

    fn unlock(&self) {
        Self::unlock(self);
    }
}
