//! Sleepers in processes of their own, all to be woken at once: the time until the last has gone on.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use procsync::Shared;

use crate::measure::{Entry, Sample, Workload};
use crate::processes::{Cores, settle, until};
use crate::rivals::lists::{shared_events, shared_monitors};
use crate::rivals::{kernel::Pipe, ours};
use crate::team::Team;
use crate::traits::{Baton, Condition, Event, Monitor};

const ROUND: [u64; 2] = [1, 5];
const UNIT: &str = "ns a broadcast";

pub(super) fn all() -> Vec<Workload> {
    let mut workloads = Vec::new();
    for (cores, place) in Cores::BOTH {
        for sleepers in [8, 64] {
            let name = format!("notify all of {sleepers}, {place}");
            let entries = move || conditions(sleepers, cores);
            let workload = Workload::new(name, UNIT, "pthread", ROUND, entries);
            workloads.push(match (sleepers, cores) {
                (64, Cores::Apart) => workload.target("procsync Condition", "pthread", 0.55),
                (64, Cores::One) => workload.target("procsync Condition", "pthread", 0.85),
                _ => workload,
            });
        }
    }
    for (cores, place) in Cores::BOTH {
        for sleepers in [8, 64] {
            let name = format!("event for {sleepers}, {place}");
            let entries = move || events(sleepers, cores);
            workloads.push(Workload::new(name, UNIT, "pthread flag", ROUND, entries));
        }
    }
    workloads
}

/// By what the sleepers are woken. Calls have numbers, beginning with 1.
trait Call {
    fn announce(&self, call: u64);

    /// Waits for the call, then counts itself: under a lock, if there is one.
    fn attend(&self, call: u64, count: impl FnOnce());

    /// Everybody has gone on.
    fn is_done(&self, call: u64);
}

struct ByCondition<M> {
    monitor: M,
    announced: Shared<AtomicU64>,
}

impl<M: Monitor> Call for ByCondition<M> {
    fn announce(&self, call: u64) {
        let guard = self.monitor.lock();
        self.announced.store(call, Relaxed);
        self.monitor.condition(0).notify_all();
        drop(guard);
    }

    fn attend(&self, call: u64, count: impl FnOnce()) {
        let mut guard = self.monitor.lock();
        while self.announced.load(Relaxed) < call {
            guard = self.monitor.condition(0).wait(guard);
        }
        count();
        drop(guard);
    }

    fn is_done(&self, _: u64) {}
}

/// They take turns: who is early for the next call must not find the last one's event set.
struct ByEvents<H>([H; 2]);

impl<H: Deref<Target: Event>> ByEvents<H> {
    fn event(&self, call: u64) -> &H::Target {
        &self.0[usize::from(call.is_multiple_of(2))]
    }
}

impl<H: Deref<Target: Event>> Call for ByEvents<H> {
    fn announce(&self, call: u64) {
        self.event(call).set();
    }

    fn attend(&self, call: u64, count: impl FnOnce()) {
        self.event(call).wait();
        count();
    }

    fn is_done(&self, call: u64) {
        self.event(call).clear();
    }
}

procsync::shareable! {
    #[derive(Default)]
    struct Attendance {
        /// How often somebody was about to wait, and has gone on.
        came: AtomicU64,
        gone: AtomicU64,
        /// When the last one had.
        at: AtomicU64,
    }
}

/// The notifier and its sleepers.
struct Hall {
    sleepers: u64,
    team: Team,
    attendance: Shared<Attendance>,
    /// The last one tells it.
    everybody_is_gone: Pipe,
}

impl Hall {
    fn new(sleepers: u32, cores: Cores) -> Rc<Self> {
        Rc::new(Self {
            sleepers: u64::from(sleepers),
            team: Team::new(sleepers + 1, cores),
            attendance: ours::shared(Attendance::default()),
            everybody_is_gone: Pipe::new(),
        })
    }

    /// Continues with the call after `before`. Not measured are the first, since processes that were forked
    /// just now are busy with page faults, and the last, after which they end, each as soon as it can.
    fn round(&self, way: &impl Call, before: u64, calls: u64) -> Sample {
        self.attendance.came.store(0, Relaxed);
        self.attendance.gone.store(0, Relaxed);
        let shares = self.team.processes(|member| {
            let numbers = (1..=calls + 2).map(|number| (number, before + number));
            if member == 0 {
                let times: Vec<u64> = numbers.map(|numbers| self.call(way, numbers)).collect();
                times[1..times.len() - 1].iter().sum()
            } else {
                numbers.for_each(|numbers| self.attend(way, numbers));
                0
            }
        });
        Sample::of(shares.0[0].result, calls)
    }

    /// The number in this round, and among all.
    fn call(&self, way: &impl Call, (number, call): (u64, u64)) -> u64 {
        until("the sleepers", || {
            self.attendance.came.load(Acquire) == number * self.sleepers
        });
        settle();
        let start = self.team.now();
        way.announce(call);
        self.everybody_is_gone.take();
        way.is_done(call);
        self.attendance.at.load(Acquire) - start
    }

    fn attend(&self, way: &impl Call, (number, call): (u64, u64)) {
        self.attendance.came.fetch_add(1, AcqRel);
        let mut is_last = false;
        way.attend(call, || {
            let gone = self.attendance.gone.fetch_add(1, AcqRel) + 1;
            is_last = gone == number * self.sleepers;
            if is_last {
                self.attendance.at.store(self.team.now(), Relaxed);
            }
        });
        if is_last {
            self.everybody_is_gone.pass();
        }
    }
}

fn entry(hall: &Rc<Hall>, rival: &str, way: impl Call + 'static) -> Entry {
    let hall = Rc::clone(hall);
    let before = std::cell::Cell::new(0);
    Entry::new(rival, move |calls| {
        let first = before.replace(before.get() + calls + 2);
        hall.round(&way, first, calls)
    })
}

fn conditions(sleepers: u32, cores: Cores) -> Vec<Entry> {
    fn condition<M>(hall: &Rc<Hall>, rival: &str, make: impl Fn() -> M) -> Entry
    where
        M: Monitor + 'static,
    {
        let (monitor, announced) = (make(), ours::shared(AtomicU64::new(0)));
        entry(hall, rival, ByCondition { monitor, announced })
    }
    let hall = Hall::new(sleepers, cores);
    shared_monitors!(condition(&hall))
}

fn events(sleepers: u32, cores: Cores) -> Vec<Entry> {
    fn event<H>(hall: &Rc<Hall>, rival: &str, make: impl Fn() -> H) -> Entry
    where
        H: Deref<Target: Event> + 'static,
    {
        entry(hall, rival, ByEvents([make(), make()]))
    }
    let hall = Hall::new(sleepers, cores);
    shared_events!(event(&hall))
}
