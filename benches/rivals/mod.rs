//! The locks that are compared, and the workloads, for both `lock` (criterion) and `ratios`.

mod contention;
mod pthread;

use std::hint::black_box;
use std::ops::Deref;
use std::time::{Duration, Instant};

use procsync::{Lock, RLock, Shared};

use contention::Team;
use pthread::Pthread;

/// A lock, reduced to what all of them can.
trait Rival {
    /// Acquires, does `section`, releases.
    fn locked(&self, section: impl FnOnce());
}

impl Rival for Lock {
    #[inline]
    fn locked(&self, section: impl FnOnce()) {
        let _guard = self.acquire().expect("nobody dies here");
        section();
    }
}

impl Rival for RLock {
    #[inline]
    fn locked(&self, section: impl FnOnce()) {
        let _guard = self.acquire().expect("nobody dies here");
        section();
    }
}

impl Rival for std::sync::Mutex<()> {
    #[inline]
    fn locked(&self, section: impl FnOnce()) {
        let _guard = self.lock().expect("nobody panics here");
        section();
    }
}

impl Rival for parking_lot::Mutex<()> {
    #[inline]
    fn locked(&self, section: impl FnOnce()) {
        let _guard = self.lock();
        section();
    }
}

impl Rival for parking_lot::ReentrantMutex<()> {
    #[inline]
    fn locked(&self, section: impl FnOnce()) {
        let _guard = self.lock();
        section();
    }
}

/// What is compared within a group: a rival at the group's workload.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    time: Box<dyn Fn(u64) -> Duration>,
}

impl Entry {
    fn new(name: &'static str, time: impl Fn(u64) -> Duration + 'static) -> Self {
        let time = Box::new(time);
        Self { name, time }
    }

    /// How long so many operations took.
    pub(crate) fn time(&self, operations: u64) -> Duration {
        (self.time)(operations)
    }
}

/// Acquire and release by one thread, of a lock that nobody else uses.
pub(crate) fn uncontended() -> Vec<Entry> {
    vec![
        alone("procsync Lock, private", Box::new(Lock::new(()))),
        alone("procsync Lock, shared", shared_lock()),
        alone("procsync RLock, private", Box::new(RLock::new(()))),
        alone("procsync RLock, shared", shared_rlock()),
        alone("std Mutex", Box::new(std::sync::Mutex::new(()))),
        alone("parking_lot Mutex", Box::new(parking_lot::Mutex::new(()))),
        alone("parking_lot ReentrantMutex", reentrant()),
        alone("pthread", Pthread::plain()),
        alone("pthread robust", Pthread::robust()),
        alone("pthread recursive robust", Pthread::recursive_robust()),
    ]
}

fn alone<R: Rival>(name: &'static str, lock: impl Deref<Target = R> + 'static) -> Entry {
    Entry::new(name, move |operations| {
        let lock = black_box(&*lock);
        repeat(operations, || lock.locked(|| ()))
    })
}

/// Two acquisitions one inside the other, and their releases: one operation.
pub(crate) fn depth_2() -> Vec<Entry> {
    vec![
        twice("procsync RLock, private", Box::new(RLock::new(()))),
        twice("procsync RLock, shared", shared_rlock()),
        twice("parking_lot ReentrantMutex", reentrant()),
        twice("pthread recursive robust", Pthread::recursive_robust()),
    ]
}

fn twice<R: Rival>(name: &'static str, lock: impl Deref<Target = R> + 'static) -> Entry {
    Entry::new(name, move |operations| {
        let lock = black_box(&*lock);
        repeat(operations, || lock.locked(|| lock.locked(|| ())))
    })
}

/// Three acquisitions one inside the other, and their releases: one operation.
pub(crate) fn depth_3() -> Vec<Entry> {
    vec![
        thrice("procsync RLock, private", Box::new(RLock::new(()))),
        thrice("procsync RLock, shared", shared_rlock()),
        thrice("parking_lot ReentrantMutex", reentrant()),
        thrice("pthread recursive robust", Pthread::recursive_robust()),
    ]
}

fn thrice<R: Rival>(name: &'static str, lock: impl Deref<Target = R> + 'static) -> Entry {
    Entry::new(name, move |operations| {
        let lock = black_box(&*lock);
        repeat(operations, || {
            lock.locked(|| lock.locked(|| lock.locked(|| ())));
        })
    })
}

/// Threads that do nothing but take one lock, for an increment.
pub(crate) fn contended_threads(threads: u32) -> Vec<Entry> {
    fn entry<R: Rival + Sync>(
        name: &'static str,
        threads: u32,
        lock: impl Deref<Target = R> + 'static,
    ) -> Entry {
        let team = Team::new(threads);
        Entry::new(name, move |operations| team.of_threads(&*lock, operations))
    }
    vec![
        entry("procsync Lock, private", threads, Box::new(Lock::new(()))),
        entry("procsync Lock, shared", threads, shared_lock()),
        entry("std Mutex", threads, Box::new(std::sync::Mutex::new(()))),
        entry(
            "parking_lot Mutex",
            threads,
            Box::new(parking_lot::Mutex::new(())),
        ),
        entry("pthread", threads, Pthread::plain()),
        entry("pthread robust", threads, Pthread::robust()),
    ]
}

/// The same with processes, for which few locks are made.
pub(crate) fn contended_processes(processes: u32) -> Vec<Entry> {
    fn entry<R: Rival>(
        name: &'static str,
        processes: u32,
        lock: impl Deref<Target = R> + 'static,
    ) -> Entry {
        let team = Team::new(processes);
        Entry::new(name, move |operations| {
            team.of_processes(&*lock, operations)
        })
    }
    vec![
        entry("procsync Lock", processes, shared_lock()),
        entry("pthread", processes, Pthread::plain()),
        entry("pthread robust", processes, Pthread::robust()),
    ]
}

fn repeat(operations: u64, operation: impl Fn()) -> Duration {
    let start = Instant::now();
    for _ in 0..operations {
        operation();
    }
    start.elapsed()
}

fn shared_lock() -> Shared<Lock> {
    Shared::anonymous(Lock::new(())).expect("shared memory")
}

fn shared_rlock() -> Shared<RLock> {
    Shared::anonymous(RLock::new(())).expect("shared memory")
}

fn reentrant() -> Box<parking_lot::ReentrantMutex<()>> {
    Box::new(parking_lot::ReentrantMutex::new(()))
}
