//! What happens to workers, by no will of their own.

use std::sync::atomic::Ordering::SeqCst;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procsync::AcquireError;

use crate::books::{Count, Mark, PLACES, WORKERS};
use crate::common::{Child, sleepers};
use crate::deeds::turn_day;
use crate::handlers::SIGNALS;
use crate::plan::{Part, Plan};
use crate::starvation::Starvation;
use crate::supervisor::Supervisor;
use crate::watch::{self, State};
use crate::world::WORLDS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Kill,
    KillHalf,
    Stop,
    Signal,
    Starve,
}

const EVENTS: [(Event, Part); 5] = [
    (Event::Kill, Part::Kills),
    (Event::KillHalf, Part::Kills),
    (Event::Stop, Part::Stops),
    (Event::Signal, Part::Signals),
    (Event::Starve, Part::Starvation),
];

impl Event {
    /// Those that a plan has.
    pub(crate) fn all_of(plan: &Plan) -> Vec<Self> {
        let all = EVENTS.iter().filter(|(_, part)| plan.has(*part));
        all.map(|&(event, _)| event).collect()
    }
}

impl Supervisor {
    /// All may wait for one another; then nobody goes on without this.
    pub(crate) fn nudge(&mut self) {
        if self.random.u32(..10) != 0 {
            return;
        }
        let number = self.random.usize(..WORLDS);
        let world = &self.storm.worlds.all[number];
        match self.random.u32(..5) {
            0 => turn_day(&mut self.member, number),
            1 => world.changed.notify_all(),
            2 if sleepers(&world.barrier) > 0 => world.barrier.abort(),
            3 => self.refill(number, Mark::Semaphore),
            _ => self.refill(number, Mark::Bounded),
        }
    }

    /// A permit in the place of one that a dead one has kept, or may have kept.
    fn refill(&self, number: usize, mark: Mark) {
        let (books, world) = (self.books(), &self.storm.worlds.all[number]);
        let (lost, refilled) = match mark {
            Mark::Bounded => (Count::LostBounded, Count::RefilledBounded),
            _ => (Count::Lost, Count::Refilled),
        };
        let dead = books.near(number, mark).load(SeqCst) + books.inside(number, mark).load(SeqCst);
        if books.get(number, refilled) >= books.get(number, lost) + dead {
            return;
        }
        let is_given = match mark {
            Mark::Bounded => world.bounded.release(1).is_ok(),
            _ => world.semaphore.release(1).is_ok(),
        };
        if is_given {
            books.add(number, refilled);
        }
    }

    /// `false`: there is nobody now that it may happen to.
    pub(crate) fn happens(&mut self, event: Event) -> bool {
        match event {
            Event::Kill => self.kill_some(1),
            Event::KillHalf if self.random.u32(..8) == 0 || self.report.storms == 0 => {
                self.report.storms += 1;
                self.kill_some(WORKERS / 2)
            }
            Event::KillHalf => self.kill_some(1),
            Event::Stop => self.stop_some(),
            Event::Signal => self.signal(),
            Event::Starve => self.starve(),
        }
    }

    fn kill_some(&mut self, number: usize) -> bool {
        let victims = self.pick(number, Self::may_die);
        self.kill(&victims);
        !victims.is_empty()
    }

    /// Elders live. Others may not die before their first deed, nor while they pose.
    fn may_die(&self, place: usize) -> bool {
        place < WORKERS && self.has_opened(place) && !self.is_posing(place)
    }

    fn pick(&mut self, number: usize, may: impl Fn(&Self, usize) -> bool) -> Vec<usize> {
        let mut places: Vec<_> = (0..PLACES).filter(|&place| may(self, place)).collect();
        self.random.shuffle(&mut places);
        places.truncate(number);
        places
    }

    /// All at once.
    fn kill(&mut self, victims: &[usize]) {
        for &place in victims {
            self.books().doom(place);
        }
        for &place in victims {
            self.processes[place].iter().for_each(Child::send_kill);
        }
        for &place in victims {
            self.bury(place);
            self.send_out(place);
        }
    }

    /// While some stand still, the others go on, or wait for them.
    fn stop_some(&mut self) -> bool {
        let number = self.random.usize(1..4);
        let may = |this: &Self, place| this.is_at_work(place) && !this.is_posing(place);
        let places = self.pick(number, may);
        let pids: Vec<_> = places.iter().filter_map(|&place| self.pid(place)).collect();
        for &pid in &pids {
            send(pid, Signal::SIGSTOP);
        }
        self.wait_until("they stop", |_| {
            pids.iter()
                .all(|&pid| matches!(watch::state_of(pid), State::Stopped | State::Gone))
        });
        sleep(Duration::from_micros(self.random.u64(100..5_000)));
        self.report.stops += pids.len() as u64;
        for &pid in &pids {
            send(pid, Signal::SIGCONT);
        }
        !pids.is_empty()
    }

    /// It has stopped itself, with a lock: nobody gets it, and nothing is broken. Some are killed then.
    pub(crate) fn look_at_poser(&mut self, place: usize) {
        let Some(pid) = self.pid(place) else { return };
        if watch::state_of(pid) != State::Stopped {
            return;
        }
        let desk = &self.books().desks[place];
        let world = desk.posing.load(SeqCst) as usize - 1;
        let lock = &self.storm.worlds.all[world].lock;
        assert_eq!(lock.owner(), Some(pid.as_raw().unsigned_abs()));
        let tried = lock.acquire_timeout(Duration::from_millis(2));
        let tried = tried.map(drop).map_err(AcquireError::without_guard);
        assert!(matches!(tried, Err(AcquireError::TimedOut)), "{tried:?}");
        self.report.stopped_owners += 1;
        let may_die = place < WORKERS && self.plan.has(Part::Kills) && !self.books().is_over();
        if may_die && self.random.bool() {
            self.report.killed_stopped += 1;
            return self.kill(&[place]);
        }
        desk.posing.store(0, SeqCst);
        send(pid, Signal::SIGCONT);
    }

    /// One signal, or two, of which one may interrupt the other's handler.
    fn signal(&mut self) -> bool {
        let is_calm = |this: &Self, place| this.is_at_work(place) && this.has_handled(place);
        let Some(&place) = self.pick(1, is_calm).first() else {
            return false;
        };
        let Some(pid) = self.pid(place) else {
            return false;
        };
        let number = self.random.usize(1..=SIGNALS.len());
        for signal in &SIGNALS[..number] {
            self.books().desks[place].sent.fetch_add(1, SeqCst);
            send(pid, *signal);
        }
        self.report.signals += number as u64;
        true
    }

    fn starve(&mut self) -> bool {
        if self.starvation.is_some() {
            return true;
        }
        let may = |this: &Self, place| place < WORKERS && this.is_at_work(place);
        let places = self.pick(WORKERS / 2, may);
        if places.is_empty() {
            return false;
        }
        self.report.starved += places.len() as u64;
        self.starvation = Some(Starvation::begin(self.books(), places));
        true
    }
}

/// To a child that was not reaped, so the number is its own.
fn send(pid: Pid, signal: Signal) {
    kill(pid, signal).expect("a child can be signalled");
}
