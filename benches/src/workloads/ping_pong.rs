//! Two processes that pass a turn to and fro.

use std::rc::Rc;

use procsync::{Event, Semaphore};

use crate::measure::{Entry, Workload, joined};
use crate::processes::Cores;
use crate::rivals::{
    flag::Flag,
    kernel::{EventFd, Futex, Pipe},
    ours, pthread,
    pthread::Kind,
    relay::{ByCondition, ByEvent, BySemaphore},
    sem_t::SemT,
};
#[cfg(feature = "rivals")]
use crate::rivals::{iceoryx2, posix_sync, process_sync, raw_sync, rustix_futex_sync};
use crate::team::Team;
use crate::traits::Baton;

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
    let team = Rc::new(Team::new(2, cores));
    let entries = vec![
        entry(&team, "procsync Semaphore", || {
            BySemaphore(ours::shared(Semaphore::new(0)))
        }),
        entry(&team, "sem_t", || BySemaphore(SemT::new(0))),
    ];
    #[cfg(feature = "rivals")]
    let iceoryx2 = || BySemaphore(iceoryx2::semaphore(0));
    #[cfg(feature = "rivals")]
    let entries = joined(entries, [entry(&team, "iceoryx2 Semaphore", iceoryx2)]);
    joined(entries, kernels(&team))
}

fn events(cores: Cores) -> Vec<Entry> {
    let team = Rc::new(Team::new(2, cores));
    let entries = vec![
        entry(&team, "procsync Event", || {
            ByEvent(ours::shared(Event::new()))
        }),
        entry(&team, "pthread flag", || {
            ByEvent(Flag::new(pthread::monitor(Kind::PLAIN)))
        }),
    ];
    #[cfg(feature = "rivals")]
    let raw_sync = || ByEvent(raw_sync::event());
    #[cfg(feature = "rivals")]
    let entries = joined(entries, [entry(&team, "raw_sync Event", raw_sync)]);
    joined(entries, kernels(&team))
}

fn conditions(cores: Cores) -> Vec<Entry> {
    let team = Rc::new(Team::new(2, cores));
    let entries = vec![
        entry(&team, "procsync Condition", || {
            ByCondition::new(ours::monitor())
        }),
        entry(&team, "pthread", || {
            ByCondition::new(pthread::monitor(Kind::PLAIN))
        }),
        entry(&team, "pthread robust", || {
            ByCondition::new(pthread::monitor(Kind::ROBUST))
        }),
    ];
    #[cfg(feature = "rivals")]
    let entries = joined(
        entries,
        [
            entry(&team, "posix-sync Condvar", || {
                ByCondition::new(posix_sync::monitor())
            }),
            entry(&team, "process-sync SharedCondvar", || {
                ByCondition::new(process_sync::monitor())
            }),
            entry(&team, "rustix-futex-sync Condvar", || {
                ByCondition::new(rustix_futex_sync::monitor())
            }),
        ],
    );
    joined(entries, kernels(&team))
}
