//! Participants that do nothing but take one lock, for an increment; or a little besides.

use std::hint::black_box;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use procsync::Shared;

#[cfg(feature = "rivals")]
use crate::measure::joined;
use crate::measure::{Entry, Sample, Workload};
use crate::processes::Cores;
#[cfg(feature = "rivals")]
use crate::rivals::{iceoryx2, parking_lot, rufutex, rustix_futex_sync};
use crate::rivals::{lists::shared_locks, ours, pthread, pthread::Kind, standard};
use crate::team::{Shares, Team};
use crate::traits::Lock;

/// Milliseconds. The participants run at the same time for nearly all of it.
const ROUND: [u64; 2] = [1, 20];
/// What is done outside the lock, where anything is.
const OUTSIDE: Duration = Duration::from_nanos(200);

pub(super) fn all() -> Vec<Workload> {
    let mut workloads = Vec::new();
    for (what, outside) in [("", Duration::ZERO), (", work outside", OUTSIDE)] {
        for members in [2, 4, 8] {
            let name = format!("contended lock, {members} threads{what}");
            workloads.push(workload(name, outside, move |outside| {
                threads(members, outside)
            }));
        }
        for members in [2, 4] {
            let name = format!("contended lock, {members} processes{what}");
            workloads.push(workload(name, outside, move |outside| {
                processes(members, outside)
            }));
        }
    }
    workloads
}

fn workload(
    name: String,
    outside: Duration,
    entries: impl Fn(u64) -> Vec<Entry> + 'static,
) -> Workload {
    let entries = move || entries(turns(outside));
    let workload = Workload::new(name, "ns an operation", "pthread", ROUND, entries);
    if outside.is_zero() {
        workload.target("procsync Lock", "pthread", 0.5)
    } else {
        workload
    }
}

/// What one lock is fought for with.
struct Fight {
    team: Team,
    /// Under the lock.
    total: Shared<AtomicU64>,
    /// How long the way outside is.
    turns: u64,
}

impl Fight {
    fn new(members: u32, turns: u64) -> Rc<Self> {
        Rc::new(Self {
            team: Team::new(members, Cores::Apart),
            total: ours::shared(AtomicU64::new(0)),
            turns,
        })
    }

    fn work(&self, lock: &impl Lock) -> u64 {
        let mut operations = 0;
        while !self.team.is_over() {
            let guard = lock.lock();
            // Not an atomic increment: what it would cost is not the lock's.
            self.total.store(self.total.load(Relaxed) + 1, Relaxed);
            drop(guard);
            operations += 1;
            walk(self.turns);
        }
        operations
    }

    fn round(&self, fight: impl FnOnce() -> Shares) -> Sample {
        self.total.store(0, Relaxed);
        let shares = fight();
        let done: u64 = shares.0.iter().map(|share| share.result).sum();
        assert_eq!(done, self.total.load(Relaxed), "the lock excludes");
        shares.counted()
    }
}

fn threads(members: u32, turns: u64) -> Vec<Entry> {
    fn entry<H>(fight: &Rc<Fight>, rival: &str, handle: H) -> Entry
    where
        H: Deref<Target: Lock + Sync> + 'static,
    {
        let fight = Rc::clone(fight);
        Entry::new(rival, move |milliseconds| {
            let (fight, lock) = (&*fight, &*handle);
            let time = Duration::from_millis(milliseconds);
            fight.round(|| fight.team.threads_for(time, |_| fight.work(lock)))
        })
    }
    let fight = Fight::new(members, turns);
    let entries = vec![
        entry(
            &fight,
            "procsync Lock, private",
            Box::new(procsync::Lock::new(())),
        ),
        entry(&fight, "procsync Lock", ours::lock()),
        entry(&fight, "std Mutex", standard::mutex()),
        entry(
            &fight,
            "pthread, private",
            pthread::Mutex::new(Kind::PRIVATE),
        ),
        entry(&fight, "pthread", pthread::Mutex::new(Kind::PLAIN)),
        entry(&fight, "pthread robust", pthread::Mutex::new(Kind::ROBUST)),
    ];
    #[cfg(feature = "rivals")]
    let entries = joined(
        entries,
        [
            entry(&fight, "parking_lot Mutex", parking_lot::mutex()),
            entry(&fight, "iceoryx2 Mutex", iceoryx2::mutex()),
            entry(&fight, "rufutex SharedFutex", rufutex::mutex()),
            entry(
                &fight,
                "rustix-futex-sync Mutex",
                rustix_futex_sync::mutex(),
            ),
        ],
    );
    entries
}

fn processes(members: u32, turns: u64) -> Vec<Entry> {
    fn entry<H>(fight: &Rc<Fight>, rival: &str, make: impl Fn() -> H) -> Entry
    where
        H: Deref<Target: Lock> + 'static,
    {
        let (fight, handle) = (Rc::clone(fight), make());
        Entry::new(rival, move |milliseconds| {
            let time = Duration::from_millis(milliseconds);
            fight.round(|| fight.team.processes_for(time, |_| fight.work(&*handle)))
        })
    }
    let fight = Fight::new(members, turns);
    shared_locks!(entry(&fight))
}

/// Work that needs no memory.
fn walk(turns: u64) {
    let mut position = turns;
    for _ in 0..turns {
        position = black_box(position.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
}

/// So many of `walk` last so long.
fn turns(time: Duration) -> u64 {
    const TRIAL: u64 = 100_000;
    let trial = || {
        let start = Instant::now();
        walk(TRIAL);
        start.elapsed()
    };
    let fastest = (0..10).map(|_| trial()).min().expect("ten");
    let turns = time.as_nanos() * u128::from(TRIAL) / fastest.as_nanos().max(1);
    u64::try_from(turns).expect("few")
}
