//! Whoever sends out the workers, and lets happen to them what there is in a storm.

use std::sync::atomic::Ordering::SeqCst;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::acts::Act;
use crate::books::{Books, PLACES, Presence, SUPERVISOR, WORKERS, desks_of};
use crate::common::{Child, End, fork};
use crate::events::Event;
use crate::member::Member;
use crate::plan::{Part, Plan};
use crate::report::Report;
use crate::starvation::Starvation;
use crate::storm::Storm;
use crate::watch::{self, BOUNDS, Task, Verdict};
use crate::worker::{work, work_for_ever};

/// How long it storms before it is calm for a moment.
const ROUND: Duration = Duration::from_millis(800);

pub(crate) struct Supervisor {
    pub(crate) storm: &'static Storm,
    /// Of this round.
    pub(crate) plan: Plan,
    pub(crate) random: fastrand::Rng,
    /// By place, the elders last. `None`: gone home.
    pub(crate) processes: Vec<Option<Child>>,
    /// What workers have still to do as their first deed.
    openings: Vec<Act>,
    pub(crate) starvation: Option<Starvation>,
    /// Itself, when it takes part.
    pub(crate) member: Member,
    pub(crate) report: Report,
}

impl Supervisor {
    pub(crate) fn begin(storm: &'static Storm) -> Self {
        let mut random = fastrand::Rng::with_seed(storm.plan.seed);
        let workers = (0..WORKERS).map(|_| None);
        let elder = |place| {
            let seed = random.u64(..);
            Some(fork(|| work_for_ever(storm, place, seed)))
        };
        let elders: Vec<_> = (WORKERS..PLACES).map(elder).collect();
        let seed = random.u64(..);
        Self {
            storm,
            plan: storm.plan,
            processes: workers.chain(elders).collect(),
            random,
            openings: Vec::new(),
            starvation: None,
            member: Member::aside(storm, SUPERVISOR, seed),
            report: Report::new(&storm.books),
        }
    }

    pub(crate) fn books(&self) -> &'static Books {
        &self.storm.books
    }

    /// A storm, until it is to be calm. Everything that is in the plan happens once at least.
    pub(crate) fn storm(&mut self, is_deadly: bool) {
        self.plan = if is_deadly {
            self.storm.plan
        } else {
            self.storm.plan.without_deaths()
        };
        self.books().deadly.store(u32::from(is_deadly), SeqCst);
        self.openings = Act::all_of(&self.plan);
        self.random.shuffle(&mut self.openings);
        self.send_all_out();
        self.let_things_happen();
        self.starvation = None;
    }

    pub(crate) fn send_all_out(&mut self) {
        self.storm.open_round();
        for place in 0..WORKERS {
            self.send_out(place);
        }
    }

    /// There are no more rounds.
    pub(crate) fn dismiss_elders(&mut self) {
        self.storm.close();
        self.wait_until("the elders have gone", |this| {
            this.processes.iter().flatten().all(Child::has_ended)
        });
        for elder in self.processes.drain(WORKERS..).flatten() {
            elder.succeed();
        }
    }

    fn let_things_happen(&mut self) {
        let all = Event::all_of(&self.plan);
        let mut to_happen = all.clone();
        self.random.shuffle(&mut to_happen);
        let started = Instant::now();
        while started.elapsed() < ROUND || !to_happen.is_empty() {
            sleep(Duration::from_micros(self.random.u64(300..3_000)));
            self.attend(true);
            self.nudge();
            match to_happen.last() {
                Some(&event) if self.happens(event) => drop(to_happen.pop()),
                None if !all.is_empty() => {
                    let event = all[self.random.usize(..all.len())];
                    self.happens(event);
                }
                _ => {}
            }
        }
        self.wait_until("the first deeds are done", |this| {
            this.attend(true);
            this.nudge();
            this.openings.is_empty() && (0..WORKERS).all(|place| this.has_opened(place))
        });
    }

    pub(crate) fn send_out(&mut self, place: usize) {
        let (storm, plan, seed) = (self.storm, self.plan, self.random.u64(..));
        let opening = self.openings.pop();
        self.processes[place] = Some(fork(|| work(storm, place, plan, seed, opening)));
    }

    pub(crate) fn has_opened(&self, place: usize) -> bool {
        self.books().desks[place].has_opened.load(SeqCst) != 0
    }

    pub(crate) fn is_posing(&self, place: usize) -> bool {
        self.books().desks[place].posing.load(SeqCst) != 0
    }

    /// Waits, and fails if all hang.
    pub(crate) fn wait_until(&mut self, what: &str, is_done: impl Fn(&mut Self) -> bool) {
        let storm = self.storm;
        let children: Vec<Pid> = self.processes.iter().flatten().map(Child::pid).collect();
        let waited = watch::until(
            BOUNDS,
            || {
                // Or it might be long until they do anything.
                self.relieve();
                is_done(self)
            },
            || storm.books.progress(),
            || concerned(&storm.books, &children),
        );
        if let Err(verdict) = waited {
            self.report_stuck(what, verdict);
        }
    }

    /// Looks after those who have ended by themselves, and those who pose.
    pub(crate) fn attend(&mut self, may_replace: bool) {
        self.report.note_progress(&self.storm.books);
        self.relieve();
        for place in 0..PLACES {
            let ended = self.processes[place].as_ref().is_some_and(Child::has_ended);
            if ended {
                self.bury(place);
                if may_replace {
                    self.send_out(place);
                }
            } else if self.is_posing(place) {
                self.look_at_poser(place);
            }
        }
    }

    /// Those that starve, in time.
    fn relieve(&mut self) {
        self.starvation.take_if(|starvation| starvation.is_enough());
    }

    /// Takes away one that has ended, or is about to, and whoever has died with it.
    pub(crate) fn bury(&mut self, place: usize) {
        self.wait_until("it is dead", |this| {
            this.processes[place].as_ref().is_none_or(Child::has_ended)
        });
        let Some(process) = self.processes[place].take() else {
            return;
        };
        let group = process.pid();
        let desk = &self.books().desks[place];
        let farewell = desk.farewell.load(SeqCst);
        let is_at_home = desk.presence() == Presence::Home;
        let deed = desk.doing.load(SeqCst) as usize;
        let end = process.join();
        self.wait_until("its children are dead", |_| is_reaped(group));
        self.report.note_end(end.ok(), farewell);
        match end {
            Ok(End::Exited(0)) if farewell == 0 && is_at_home => {
                return desk.set_presence(Presence::Absent);
            }
            Ok(End::Exited(0)) if farewell != 0 => {}
            Ok(End::Killed(Signal::SIGKILL)) if self.plan.has(Part::Kills) => {}
            _ => panic!("while it did {}: {end:?}", crate::deeds::DEEDS[deed].0),
        }
        for desk in desks_of(place) {
            self.books().close_desk(desk);
        }
    }

    pub(crate) fn pid(&self, place: usize) -> Option<Pid> {
        self.processes[place].as_ref().map(Child::pid)
    }

    pub(crate) fn is_at_work(&self, place: usize) -> bool {
        self.books().desks[place].presence() == Presence::Working
    }

    pub(crate) fn has_handled(&self, place: usize) -> bool {
        let desk = &self.books().desks[place];
        desk.sent.load(SeqCst) == desk.handled.load(SeqCst)
    }

    fn report_stuck(&self, what: &str, verdict: Verdict) -> ! {
        for (place, process) in self.processes.iter().enumerate() {
            let desk = &self.books().desks[place];
            let deed = crate::deeds::DEEDS[desk.doing.load(SeqCst) as usize].0;
            let seen = process.as_ref().map(Child::describe);
            println!("{place}: {:?}, {deed}, {seen:?}", desk.presence());
        }
        panic!("stuck until {what}: {verdict:?}");
    }
}

/// Those at their desks, and those who are not there yet.
fn concerned(books: &Books, children: &[Pid]) -> Vec<Task> {
    let at_desks = books
        .working()
        .map(|desk| (desk.process.load(SeqCst), desk.thread.load(SeqCst)));
    let children = children.iter().map(|pid| pid.as_raw().unsigned_abs());
    let mut all: Vec<Task> = at_desks.chain(children.map(|pid| (pid, pid))).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The exit code of a child that finds its parent dead when it begins.
const TOO_LATE: i32 = 1;

/// The children of one that is dead, who die with it: whether none is left.
fn is_reaped(leader: Pid) -> bool {
    let group = Pid::from_raw(-leader.as_raw());
    loop {
        match waitpid(group, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return false,
            Ok(
                WaitStatus::Exited(_, 0 | TOO_LATE) | WaitStatus::Signaled(_, Signal::SIGKILL, _),
            )
            | Err(Errno::EINTR) => {}
            Ok(other) => panic!("a worker's child: {other:?}"),
            Err(_) => return true,
        }
    }
}
