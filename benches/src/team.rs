//! Participants of a workload: processes, or threads, that start together.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::{Duration, Instant};

use procsync::Shared;
use rustix::thread::ClockId;
use rustix::time::clock_gettime;

use crate::measure::{Sample, nanoseconds, ratio};
use crate::processes::{Children, Cores, until};

/// As many as there may be, and a notifier.
const MEMBERS: usize = 65;

/// What one has done. Nanoseconds of a clock that all have in common, and of processor time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) began: u64,
    pub(crate) ended: u64,
    pub(crate) cpu: u64,
    /// What its work has answered.
    pub(crate) result: u64,
}

procsync::shareable! {
    #[derive(Default)]
    struct Report {
        began: AtomicU64,
        ended: AtomicU64,
        cpu: AtomicU64,
        result: AtomicU64,
        /// A cache line each.
        space: [u64; 4],
    }
}

procsync::shareable! {
    struct Scene {
        arrived: AtomicU32,
        stop: AtomicU32,
        reports: [Report; MEMBERS],
    }
}

pub(crate) struct Team {
    members: u32,
    cores: Cores,
    scene: Shared<Scene>,
    /// Children of a fork have the same clock.
    epoch: Instant,
}

impl Team {
    pub(crate) fn new(members: u32, cores: Cores) -> Self {
        let scene = Scene {
            arrived: AtomicU32::new(0),
            stop: AtomicU32::new(0),
            reports: std::array::from_fn(|_| Report::default()),
        };
        Self {
            members,
            cores,
            scene: Shared::anonymous(scene).expect("shared memory"),
            epoch: Instant::now(),
        }
    }

    /// Each does its work, which is told who it is, in a process of its own.
    pub(crate) fn processes(&self, work: impl Fn(u32) -> u64) -> Shares {
        self.watch(None, |children| self.start_processes(children, &work))
    }

    /// The same, until `time` is over. Then `is_over` is true.
    pub(crate) fn processes_for(&self, time: Duration, work: impl Fn(u32) -> u64) -> Shares {
        self.watch(Some(time), |children| self.start_processes(children, &work))
    }

    /// As threads of one process, which is bounded in time, as every child is.
    pub(crate) fn threads(&self, work: impl Fn(u32) -> u64 + Sync) -> Shares {
        self.watch(None, |children| self.start_threads(children, &work))
    }

    pub(crate) fn threads_for(&self, time: Duration, work: impl Fn(u32) -> u64 + Sync) -> Shares {
        self.watch(Some(time), |children| self.start_threads(children, &work))
    }

    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.scene.stop.load(Relaxed) != 0
    }

    pub(crate) fn now(&self) -> u64 {
        nanoseconds(self.epoch.elapsed())
    }

    fn start_processes(&self, children: &mut Children, work: &impl Fn(u32) -> u64) {
        for member in 0..self.members {
            children.fork(|| self.work(member, work));
        }
    }

    fn start_threads(&self, children: &mut Children, work: &(impl Fn(u32) -> u64 + Sync)) {
        children.fork(|| {
            std::thread::scope(|scope| {
                for member in 0..self.members {
                    scope.spawn(move || self.work(member, work));
                }
            });
        });
    }

    fn watch(&self, time: Option<Duration>, start: impl FnOnce(&mut Children)) -> Shares {
        self.scene.arrived.store(0, Relaxed);
        self.scene.stop.store(0, Relaxed);
        let mut children = Children::default();
        start(&mut children);
        if let Some(time) = time {
            until("the start", || {
                self.scene.arrived.load(Relaxed) == self.members
            });
            std::thread::sleep(time);
            self.scene.stop.store(1, Relaxed);
        }
        children.join();
        let reports = &self.scene.reports[..self.members as usize];
        Shares(reports.iter().map(Report::share).collect())
    }

    fn work(&self, member: u32, work: &impl Fn(u32) -> u64) {
        self.cores.pin(member);
        let report = &self.scene.reports[member as usize];
        self.wait_for_all();
        let began = (self.now(), processor_time());
        let result = work(member);
        let ended = (self.now(), processor_time());
        report.began.store(began.0, Relaxed);
        report.ended.store(ended.0, Relaxed);
        report.cpu.store(ended.1 - began.1, Relaxed);
        report.result.store(result, Relaxed);
    }

    /// Awake: those who had to be woken would begin when the first have finished.
    fn wait_for_all(&self) {
        self.scene.arrived.fetch_add(1, AcqRel);
        while self.scene.arrived.load(Acquire) < self.members {
            std::thread::yield_now();
        }
    }
}

impl Report {
    fn share(&self) -> Share {
        Share {
            began: self.began.load(Relaxed),
            ended: self.ended.load(Relaxed),
            cpu: self.cpu.load(Relaxed),
            result: self.result.load(Relaxed),
        }
    }
}

/// Of the calling thread, in user and in kernel mode.
fn processor_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let time = Duration::try_from(time).expect("a time since the thread began");
    nanoseconds(time)
}

/// What all have done.
pub(crate) struct Shares(pub(crate) Vec<Share>);

impl Shares {
    /// Of so many operations, from when the first began to when the last ended.
    pub(crate) fn sample(&self, operations: u64) -> Sample {
        let began = self.0.iter().map(|share| share.began).min();
        let ended = self.0.iter().map(|share| share.ended).max();
        let span = ended.expect("members") - began.expect("members");
        let cpu = self.0.iter().map(|share| share.cpu).sum();
        Sample::of(span, operations).with_cpu(cpu, operations)
    }

    /// The results are counts of operations.
    pub(crate) fn counted(&self) -> Sample {
        let counts = || self.0.iter().map(|share| share.result);
        let (slowest, fastest) = (counts().min(), counts().max());
        let fairness = ratio(slowest.expect("members"), fastest.expect("members"));
        Sample {
            fairness: Some(fairness),
            ..self.sample(counts().sum())
        }
    }
}
