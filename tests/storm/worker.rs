//! A process at a place, its second thread, and its child.

use std::sync::atomic::Ordering::SeqCst;
use std::thread::JoinHandle;

use nix::unistd::{Pid, setpgid};

use crate::acts::Act;
use crate::books::{PLACES, Presence, Total};
use crate::common::{Child, End};
use crate::handlers;
use crate::member::Member;
use crate::plan::Plan;
use crate::storm::Storm;

pub(crate) struct Worker {
    pub(crate) member: Member,
    pub(crate) thread: Option<JoinHandle<()>>,
    pub(crate) child: Option<Child>,
    /// What it may do.
    pub(crate) plan: Plan,
}

/// One deed in so many is an act.
const DEEDS_BETWEEN_ACTS: u32 = 300;

/// Until it is killed, ends otherwise, or may go home. First of all it does `opening`.
pub(crate) fn work(
    storm: &'static Storm,
    place: usize,
    plan: Plan,
    seed: u64,
    opening: Option<Act>,
) {
    lead_group();
    handlers::install(storm, place);
    let mut worker = Worker::arrive(storm, place, plan, seed);
    if let Some(act) = opening {
        worker.perform(act);
    }
    worker.member.desk().has_opened.store(1, SeqCst);
    worker.toil();
    worker.finish();
}

/// All rounds, until there are no more. It notes how much memory it has after each.
pub(crate) fn work_for_ever(storm: &'static Storm, place: usize, seed: u64) {
    lead_group();
    handlers::install(storm, place);
    let mut round = 0;
    let mut seeds = fastrand::Rng::with_seed(seed);
    while storm.next_round(&mut round) {
        let plan = storm.plan.without_deaths();
        let mut worker = Worker::arrive(storm, place, plan, seeds.u64(..));
        if round == 1 {
            // What they need for the first time is no leak.
            let acts = Act::all_of(&plan);
            acts.into_iter().for_each(|act| worker.perform(act));
        }
        worker.toil();
        worker.finish();
        worker.member.desk().memory.note();
    }
}

/// Whoever reaps this process finds its children, too.
fn lead_group() {
    setpgid(Pid::from_raw(0), Pid::from_raw(0)).expect("a child may lead a group");
}

impl Worker {
    fn arrive(storm: &'static Storm, place: usize, plan: Plan, seed: u64) -> Self {
        Self {
            member: Member::arrive(storm, place, seed),
            thread: None,
            child: None,
            plan,
        }
    }

    pub(crate) fn place(&self) -> usize {
        self.member.number
    }

    fn toil(&mut self) {
        let acts = Act::all_of(&self.plan);
        while !self.member.books().is_over() {
            if self.member.random.u32(..DEEDS_BETWEEN_ACTS) == 0 && !acts.is_empty() {
                let act = acts[self.member.random.usize(..acts.len())];
                self.perform(act);
            }
            self.member.do_something();
        }
    }

    /// Permits that it keeps are given back by signals only, and no more come.
    fn finish(&mut self) {
        self.member.desk().set_presence(Presence::Home);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it has not panicked");
        }
        if let Some(child) = self.child.take() {
            self.see_off(child);
        }
    }

    pub(crate) fn see_off(&mut self, child: Child) {
        // Whether it takes too long, the supervisor judges.
        while !child.ends() {}
        assert_eq!(child.join(), Ok(End::Exited(0)), "the child's deeds");
    }

    /// A second thread that works until all go home.
    pub(crate) fn start_thread(&mut self) {
        if self.thread.is_some() {
            return;
        }
        let (storm, desk) = (self.member.storm, self.place() + PLACES);
        let seed = self.member.random.u64(..);
        self.thread = Some(std::thread::spawn(move || {
            handlers::block();
            let worked = std::panic::catch_unwind(|| work_beside(storm, desk, seed));
            if worked.is_err() {
                std::process::abort();
            }
        }));
    }
}

fn work_beside(storm: &'static Storm, desk: usize, seed: u64) {
    let mut member = Member::arrive(storm, desk, seed);
    while !storm.books.is_over() {
        member.do_something();
    }
    member.desk().set_presence(Presence::Absent);
    storm.books.total(Total::ThreadsEnded).fetch_add(1, SeqCst);
}
