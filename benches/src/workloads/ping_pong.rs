//! Two processes that pass a turn to and fro.

use std::ops::Deref;
use std::rc::Rc;

use crate::measure::{Entry, Workload, joined};
use crate::processes::Cores;
use crate::rivals::kernel::{EventFd, Futex, Pipe};
use crate::rivals::lists::{shared_events, shared_monitors, shared_semaphores};
use crate::rivals::relay::{ByCondition, ByEvent, BySemaphore};
use crate::team::Team;
use crate::traits::{Baton, Event, Monitor, Semaphore};

const ROUND: [u64; 2] = [5, 500];
const FUTEX: &str = "bare futex";

pub(super) fn all() -> Vec<Workload> {
    let workload = |what: &str, (cores, place): (Cores, &str), entries: fn(Cores) -> Vec<Entry>| {
        let name = format!("ping-pong, {what}, {place}");
        Workload::new(name, "ns a round trip", FUTEX, ROUND, move || {
            entries(cores)
        })
    };
    let [apart, one] = Cores::BOTH;
    vec![
        workload("semaphore", apart, semaphores).target("procsync Semaphore", FUTEX, 0.05),
        workload("semaphore", one, semaphores).target("procsync Semaphore", FUTEX, 1.10),
        workload("event", apart, events).target("procsync Event", FUTEX, 0.05),
        workload("event", one, events).target("procsync Event", FUTEX, 1.10),
        workload("condition", apart, conditions).target("procsync Condition", FUTEX, 0.05),
        workload("condition", one, conditions).target("procsync Condition", "pthread", 0.6),
    ]
}

/// One baton there, one back.
fn entry<B: Baton + 'static>(team: &Rc<Team>, rival: &str, baton: impl Fn() -> B) -> Entry {
    let (team, there, back) = (Rc::clone(team), baton(), baton());
    Entry::new(rival, move |round_trips| {
        let shares = team.processes(|member| {
            for _ in 0..round_trips {
                if member == 0 {
                    there.pass();
                    back.take();
                } else {
                    there.take();
                    back.pass();
                }
            }
            0
        });
        shares.sample(round_trips)
    })
}

fn kernels(team: &Rc<Team>) -> [Entry; 3] {
    [
        entry(team, FUTEX, Futex::new),
        entry(team, "eventfd", EventFd::new),
        entry(team, "pipe", Pipe::new),
    ]
}

fn semaphores(cores: Cores) -> Vec<Entry> {
    fn by<H>(team: &Rc<Team>, rival: &str, make: impl Fn() -> H) -> Entry
    where
        H: Deref<Target: Semaphore> + 'static,
    {
        entry(team, rival, || BySemaphore(make()))
    }
    let team = Rc::new(Team::new(2, cores));
    joined(shared_semaphores!(0, by(&team)), kernels(&team))
}

fn events(cores: Cores) -> Vec<Entry> {
    fn by<H>(team: &Rc<Team>, rival: &str, make: impl Fn() -> H) -> Entry
    where
        H: Deref<Target: Event> + 'static,
    {
        entry(team, rival, || ByEvent(make()))
    }
    let team = Rc::new(Team::new(2, cores));
    joined(shared_events!(by(&team)), kernels(&team))
}

fn conditions(cores: Cores) -> Vec<Entry> {
    fn by<M>(team: &Rc<Team>, rival: &str, make: impl Fn() -> M) -> Entry
    where
        M: Monitor + 'static,
    {
        entry(team, rival, || ByCondition::new(make()))
    }
    let team = Rc::new(Team::new(2, cores));
    joined(shared_monitors!(by(&team)), kernels(&team))
}
