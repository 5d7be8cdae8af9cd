//! A bounded queue, a lock and two conditions around it, between processes.

use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use procsync::Shared;

use crate::measure::{Entry, Workload};
use crate::processes::Cores;
use crate::rivals::{lists::shared_monitors, ours};
use crate::team::Team;
use crate::traits::{Condition, Monitor};

const ROUND: [u64; 2] = [100, 20_000];
const SLOTS: usize = 64;

pub(super) fn all() -> Vec<Workload> {
    let workload = |pairs: u32| {
        let name = format!("bounded queue, {pairs} to {pairs}");
        let entries = move || entries(pairs);
        Workload::new(name, "ns an item", "pthread", ROUND, entries).target(
            "procsync Condition",
            "pthread",
            1.0 / 1.3,
        )
    };
    vec![workload(1), workload(2)]
}

procsync::shareable! {
    struct Ring {
        /// Items that were put in and taken out, so far.
        first: AtomicU64,
        last: AtomicU64,
        slots: [AtomicU64; SLOTS],
    }
}

/// All of it under the monitor's lock.
struct Queue<M> {
    monitor: M,
    ring: Shared<Ring>,
}

const FILLED: usize = 0;
const EMPTIED: usize = 1;

impl<M: Monitor> Queue<M> {
    fn new(monitor: M) -> Self {
        let ring = ours::shared(Ring {
            first: AtomicU64::new(0),
            last: AtomicU64::new(0),
            slots: [const { AtomicU64::new(0) }; SLOTS],
        });
        Self { monitor, ring }
    }

    fn len(&self) -> u64 {
        self.ring.last.load(Relaxed) - self.ring.first.load(Relaxed)
    }

    /// The place of an item that was counted by `counter`, and the next one after it.
    fn next(&self, counter: &AtomicU64) -> &AtomicU64 {
        let number = counter.load(Relaxed);
        counter.store(number + 1, Relaxed);
        &self.ring.slots[usize::try_from(number).expect("64 bits") % SLOTS]
    }

    fn push(&self, item: u64) {
        let mut guard = self.monitor.lock();
        while self.len() == SLOTS as u64 {
            guard = self.monitor.condition(EMPTIED).wait(guard);
        }
        self.next(&self.ring.last).store(item, Relaxed);
        self.monitor.condition(FILLED).notify_one();
        drop(guard);
    }

    fn pop(&self) -> u64 {
        let mut guard = self.monitor.lock();
        while self.len() == 0 {
            guard = self.monitor.condition(FILLED).wait(guard);
        }
        let item = self.next(&self.ring.first).load(Relaxed);
        self.monitor.condition(EMPTIED).notify_one();
        drop(guard);
        item
    }
}

/// Members with even numbers produce, the others consume.
fn entries(pairs: u32) -> Vec<Entry> {
    fn entry<M>(team: &Rc<Team>, pairs: u64, rival: &str, make: impl Fn() -> M) -> Entry
    where
        M: Monitor + 'static,
    {
        let (team, queue) = (Rc::clone(team), Queue::new(make()));
        Entry::new(rival, move |items| {
            let share = items / pairs;
            let shares = team.processes(|member| {
                if member % 2 == 0 {
                    (0..share).for_each(|item| queue.push(item));
                    0
                } else {
                    (0..share).map(|_| queue.pop()).sum()
                }
            });
            let got: u64 = shares.0.iter().map(|share| share.result).sum();
            let sent = pairs * (0..share).sum::<u64>();
            assert_eq!(got, sent, "every item arrives, once");
            shares.sample(share * pairs)
        })
    }
    let team = Rc::new(Team::new(2 * pairs, Cores::Apart));
    shared_monitors!(entry(&team, u64::from(pairs)))
}
