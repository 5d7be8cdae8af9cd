//! Parties that meet again and again.

use std::ops::Deref;
use std::rc::Rc;

use crate::measure::{Entry, Workload};
use crate::processes::Cores;
use crate::rivals::{lists::shared_barriers, pthread};
use crate::team::Team;
use crate::traits::Barrier;

const ROUND: [u64; 2] = [5, 300];
const UNIT: &str = "ns a meeting";

pub(super) fn all() -> Vec<Workload> {
    let mut workloads = Vec::new();
    for (cores, place) in Cores::BOTH {
        for parties in [2, 4, 8] {
            let name = format!("barrier, {parties} processes, {place}");
            let entries = move || of_processes(parties, cores);
            let workload = Workload::new(name, UNIT, "pthread", ROUND, entries);
            workloads.push(match (cores, parties) {
                (Cores::Apart, 2) => workload.target("procsync Barrier", "pthread", 0.05),
                (Cores::Apart, 8) => workload.target("procsync Barrier", "pthread", 0.9),
                (Cores::One, 8) => workload.target("procsync Barrier", "pthread", 1.0),
                _ => workload,
            });
        }
    }
    for parties in [2, 4, 8] {
        let name = format!("barrier, {parties} threads");
        let entries = move || of_threads(parties);
        workloads.push(Workload::new(name, UNIT, "std Barrier", ROUND, entries));
    }
    workloads
}

fn meet(barrier: &impl Barrier, meetings: u64) -> u64 {
    for _ in 0..meetings {
        barrier.wait();
    }
    meetings
}

fn of_processes(parties: u32, cores: Cores) -> Vec<Entry> {
    fn entry<H>(team: &Rc<Team>, rival: &str, make: impl Fn() -> H) -> Entry
    where
        H: Deref<Target: Barrier> + 'static,
    {
        let (team, handle) = (Rc::clone(team), make());
        Entry::new(rival, move |meetings| {
            let shares = team.processes(|_| meet(&*handle, meetings));
            shares.sample(meetings)
        })
    }
    let team = Rc::new(Team::new(parties, cores));
    shared_barriers!(parties, entry(&team))
}

fn of_threads(parties: u32) -> Vec<Entry> {
    fn entry<H>(team: &Rc<Team>, rival: &str, handle: H) -> Entry
    where
        H: Deref<Target: Barrier + Sync> + 'static,
    {
        let team = Rc::clone(team);
        Entry::new(rival, move |meetings| {
            let barrier = &*handle;
            let shares = team.threads(|_| meet(barrier, meetings));
            shares.sample(meetings)
        })
    }
    let team = Rc::new(Team::new(parties, Cores::Apart));
    let ours = Box::new(procsync::Barrier::new(parties));
    let std = Box::new(std::sync::Barrier::new(parties as usize));
    vec![
        entry(&team, "procsync Barrier", ours),
        entry(&team, "std Barrier", std),
        entry(&team, "pthread", pthread::Barrier::new(parties)),
    ]
}
