//! What each process says about itself, and nobody else: without a lock, by single atomic steps.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

/// More sellers than this find no desk.
pub(crate) const SELLERS: usize = 64;

/// And as many other processes.
pub(crate) const OTHERS: usize = 3;

procsync::shareable! {
    pub(crate) struct Desk {
        doing: AtomicU32,
        progress: AtomicU64,
        longest_wait: AtomicU64,
    }
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Task {
    Starting,
    WaitingForCounter,
    WaitingForBooks,
    Selling,
    WaitingForTickets,
    Meeting,
    WaitingForOrder,
    Delivering,
    WaitingForOpening,
    RunningTheDay,
    WatchingTheDay,
}

impl Task {
    pub(crate) const ALL: [(Self, &str); 11] = [
        (Self::Starting, "starting"),
        (Self::WaitingForCounter, "waiting for a counter"),
        (Self::WaitingForBooks, "waiting for the books"),
        (Self::Selling, "selling"),
        (Self::WaitingForTickets, "waiting for tickets"),
        (Self::Meeting, "meeting the others"),
        (Self::WaitingForOrder, "waiting for an order"),
        (Self::Delivering, "delivering"),
        (Self::WaitingForOpening, "waiting for the opening"),
        (Self::RunningTheDay, "running the timer"),
        (Self::WatchingTheDay, "waiting for the timer"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl Desk {
    pub(crate) const fn new() -> Self {
        Self {
            doing: AtomicU32::new(Task::Starting as u32),
            progress: AtomicU64::new(0),
            longest_wait: AtomicU64::new(0),
        }
    }

    pub(crate) fn begin(&self, task: Task) {
        self.doing.store(task as u32, Relaxed);
    }

    pub(crate) fn doing(&self) -> Task {
        let doing = self.doing.load(Relaxed) as usize;
        Task::ALL
            .get(doing)
            .map_or(Task::Starting, |(task, _)| *task)
    }

    /// Its process is dead; what it was doing.
    pub(crate) fn retire(&self) -> Task {
        let task = self.doing();
        self.begin(Task::Starting);
        task
    }

    /// One more round of whatever this process does.
    pub(crate) fn note_progress(&self) {
        self.progress.fetch_add(1, Relaxed);
    }

    pub(crate) fn progress(&self) -> u64 {
        self.progress.load(Relaxed)
    }

    /// It got the books, after `wait`.
    pub(crate) fn note_wait(&self, wait: Duration) {
        let nanoseconds = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        self.longest_wait.fetch_max(nanoseconds, Relaxed);
    }

    pub(crate) fn longest_wait(&self) -> Duration {
        Duration::from_nanos(self.longest_wait.load(Relaxed))
    }
}
