//! Many asleep, one to be woken: the time until one of them goes on.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use procsync::Shared;

use crate::measure::{Entry, Sample, Workload};
use crate::processes::{Cores, settle, until};
use crate::rivals::lists::{shared_locks, shared_monitors};
use crate::rivals::{kernel::Pipe, ours};
use crate::team::Team;
use crate::traits::{Baton, Condition, Lock, Monitor};

const ROUND: [u64; 2] = [1, 5];
const COUNTS: [u32; 4] = [1, 4, 16, 64];

pub(in crate::workloads) fn all() -> Vec<Workload> {
    let lock = |sleepers: u32| {
        let name = format!("release, {sleepers} asleep");
        let entries = move || locks(sleepers);
        Workload::new(name, "ns to the next owner", "pthread", ROUND, entries)
    };
    let condition = |sleepers: u32| {
        let name = format!("notify one of {sleepers}");
        let entries = move || conditions(sleepers);
        Workload::new(name, "ns to the one notified", "pthread", ROUND, entries)
    };
    let locks = COUNTS.into_iter().map(lock);
    locks.chain(COUNTS.into_iter().map(condition)).collect()
}

procsync::shareable! {
    #[derive(Default)]
    struct Scene {
        /// How often somebody was about to wait, and has gone on.
        came: AtomicU64,
        gone: AtomicU64,
        /// When the first one had.
        at: AtomicU64,
        /// What is waited for.
        turn: AtomicU64,
        permits: AtomicU64,
    }
}

/// The waker, and its sleepers.
struct Room {
    sleepers: u64,
    team: Team,
    scene: Shared<Scene>,
    somebody_is_gone: Pipe,
}

impl Room {
    fn new(sleepers: u32) -> Rc<Self> {
        Rc::new(Self {
            sleepers: u64::from(sleepers),
            team: Team::new(sleepers + 1, Cores::Apart),
            scene: ours::shared(Scene::default()),
            somebody_is_gone: Pipe::new(),
        })
    }

    fn round(&self, times: u64, wake: impl Fn(u64) -> u64, sleep: impl Fn(u64)) -> Sample {
        for word in [&self.scene.came, &self.scene.gone, &self.scene.turn] {
            word.store(0, Relaxed);
        }
        let shares = self.team.processes(|member| {
            if member == 0 {
                (1..=times).map(&wake).sum()
            } else {
                sleep(times);
                0
            }
        });
        Sample::of(shares.0[0].result, times)
    }

    fn until_asleep(&self, came: u64) {
        until("the sleepers", || self.scene.came.load(Acquire) == came);
        settle();
    }

    /// Who is awake first says when.
    fn go_on(&self) {
        self.scene.at.store(self.team.now(), Relaxed);
    }

    fn since(&self, start: u64) -> u64 {
        self.somebody_is_gone.take();
        self.scene.at.load(Acquire) - start
    }

    /// All sleep on the lock that the waker holds, and hand it on from one to the next.
    fn release(&self, lock: &impl Lock, turn: u64) -> u64 {
        let guard = lock.lock();
        self.scene.turn.store(turn, Relaxed);
        self.until_asleep(turn * self.sleepers);
        let start = self.team.now();
        drop(guard);
        let time = self.since(start);
        until("the last", || {
            self.scene.gone.load(Acquire) == turn * self.sleepers
        });
        time
    }

    fn acquire(&self, lock: &impl Lock, turn: u64) {
        until("the turn", || self.scene.turn.load(Acquire) == turn);
        self.scene.came.fetch_add(1, AcqRel);
        let guard = lock.lock();
        let is_first = self.scene.gone.load(Relaxed) == (turn - 1) * self.sleepers;
        if is_first {
            self.go_on();
        }
        self.scene.gone.fetch_add(1, AcqRel);
        drop(guard);
        if is_first {
            self.somebody_is_gone.pass();
        }
    }

    /// All sleep on the condition, and one goes on at a time, for good.
    fn notify(&self, monitor: &impl Monitor, turn: u64) -> u64 {
        self.until_asleep(self.sleepers + turn - 1);
        let start = self.team.now();
        let guard = monitor.lock();
        self.scene.permits.store(1, Relaxed);
        monitor.condition(0).notify_one();
        drop(guard);
        self.since(start)
    }

    fn wait(&self, monitor: &impl Monitor, times: u64) {
        loop {
            self.scene.came.fetch_add(1, AcqRel);
            let mut guard = monitor.lock();
            while self.scene.permits.load(Relaxed) == 0 {
                guard = monitor.condition(0).wait(guard);
            }
            let gone = self.scene.gone.fetch_add(1, AcqRel) + 1;
            if gone > times {
                // The rest may go home.
                drop(guard);
                return;
            }
            self.scene.permits.store(0, Relaxed);
            self.go_on();
            drop(guard);
            self.somebody_is_gone.pass();
        }
    }

    fn dismiss(&self, monitor: &impl Monitor, times: u64) {
        self.until_asleep(self.sleepers + times);
        let guard = monitor.lock();
        self.scene.permits.store(1, Relaxed);
        monitor.condition(0).notify_all();
        drop(guard);
    }
}

fn locks(sleepers: u32) -> Vec<Entry> {
    fn entry<H>(room: &Rc<Room>, rival: &str, make: impl Fn() -> H) -> Entry
    where
        H: Deref<Target: Lock> + 'static,
    {
        let (room, handle) = (Rc::clone(room), make());
        Entry::new(rival, move |times| {
            let wake = |turn| room.release(&*handle, turn);
            let sleep = |times| (1..=times).for_each(|turn| room.acquire(&*handle, turn));
            room.round(times, wake, sleep)
        })
    }
    let room = Room::new(sleepers);
    shared_locks!(entry(&room))
}

fn conditions(sleepers: u32) -> Vec<Entry> {
    fn entry<M>(room: &Rc<Room>, rival: &str, make: impl Fn() -> M) -> Entry
    where
        M: Monitor + 'static,
    {
        let (room, monitor) = (Rc::clone(room), make());
        Entry::new(rival, move |times| {
            room.scene.permits.store(0, Relaxed);
            let wake = |turn| {
                let time = room.notify(&monitor, turn);
                if turn == times {
                    room.dismiss(&monitor, times);
                }
                time
            };
            room.round(times, wake, |times| room.wait(&monitor, times))
        })
    }
    let room = Room::new(sleepers);
    shared_monitors!(entry(&room))
}
