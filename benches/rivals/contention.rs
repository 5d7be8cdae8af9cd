//! Threads and processes that fight for a lock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::{Duration, Instant};

use procsync::Shared;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::Rival;

procsync::shareable! {
    #[derive(Default)]
    struct Scene {
        arrived: AtomicU32,
        /// Under the lock.
        total: AtomicU64,
        /// Nanoseconds: when the first began, when the last ended.
        began: AtomicU64,
        ended: AtomicU64,
    }
}

/// Workers that start together and share a number of operations. Their start and their end are not
/// part of the time.
pub(super) struct Team {
    workers: u32,
    scene: Shared<Scene>,
    /// Children of a fork have the same clock.
    epoch: Instant,
}

impl Team {
    pub(super) fn new(workers: u32) -> Self {
        Self {
            workers,
            scene: Shared::anonymous(Scene::default()).expect("shared memory"),
            epoch: Instant::now(),
        }
    }

    pub(super) fn of_threads(&self, lock: &(impl Rival + Sync), operations: u64) -> Duration {
        let share = self.prepare(operations);
        std::thread::scope(|scope| {
            for worker in 0..self.workers {
                scope.spawn(move || self.work(worker, lock, share));
            }
        });
        self.result(share)
    }

    pub(super) fn of_processes(&self, lock: &impl Rival, operations: u64) -> Duration {
        let share = self.prepare(operations);
        let children: Vec<_> = (0..self.workers)
            .map(|worker| fork(|| self.work(worker, lock, share)))
            .collect();
        children.into_iter().for_each(wait_for);
        self.result(share)
    }

    /// Answers with each worker's share.
    fn prepare(&self, operations: u64) -> u64 {
        self.scene.arrived.store(0, Relaxed);
        self.scene.total.store(0, Relaxed);
        self.scene.began.store(u64::MAX, Relaxed);
        self.scene.ended.store(0, Relaxed);
        operations.div_ceil(u64::from(self.workers))
    }

    fn work(&self, worker: u32, lock: &impl Rival, share: u64) {
        pin(worker);
        self.wait_for_all();
        self.scene.began.fetch_min(self.now(), Relaxed);
        let total = &self.scene.total;
        for _ in 0..share {
            // Not an atomic increment: what it would cost is not the lock's.
            lock.locked(|| total.store(total.load(Relaxed) + 1, Relaxed));
        }
        self.scene.ended.fetch_max(self.now(), Relaxed);
    }

    /// Awake: those who had to be woken would begin when the first have finished.
    fn wait_for_all(&self) {
        self.scene.arrived.fetch_add(1, AcqRel);
        while self.scene.arrived.load(Acquire) < self.workers {
            std::thread::yield_now();
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).expect("a benchmark of less than centuries")
    }

    fn result(&self, share: u64) -> Duration {
        let done = self.scene.total.load(Relaxed);
        assert_eq!(done, share * u64::from(self.workers), "the lock excludes");
        Duration::from_nanos(self.scene.ended.load(Relaxed) - self.scene.began.load(Relaxed))
    }
}

/// Spreads the workers over the processors. Left to itself, the scheduler often puts all of them on
/// one, where they run one after the other and never meet.
fn pin(worker: u32) {
    let allowed = sched_getaffinity(None).expect("a set of processors");
    let turn = worker as usize % allowed.count() as usize;
    let processor = (0..CpuSet::MAX_CPU)
        .filter(|&processor| allowed.is_set(processor))
        .nth(turn)
        .expect("that many are in the set");
    let mut one = CpuSet::new();
    one.set(processor);
    sched_setaffinity(None, &one).expect("it was allowed before");
}

/// Does `work` in a child.
fn fork(work: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the child goes on with this one thread. No other runs at that time, so none has left
    // a lock of the allocator's or of the standard library's behind.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork failed");
    if child == 0 {
        let result = catch_unwind(AssertUnwindSafe(work));
        // SAFETY: it ends the child at once; what its parent has to clean up stays the parent's.
        unsafe { libc::_exit(i32::from(result.is_err())) };
    }
    child
}

fn wait_for(child: libc::pid_t) {
    let mut status = 0;
    // SAFETY: `status` is a local for the answer.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!((waited, status), (child, 0), "a child failed");
}
