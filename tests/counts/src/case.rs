//! One operation, counted.

use std::sync::OnceLock;

use procsync::{Condition, Event, Lock, RLock, Semaphore};

use crate::common::stepper::{self, Astray, Stepper};
use crate::common::{Child, End, Gate, Mapped, Plain, fork, until};
use crate::meter::{Count, Meter};
use crate::table::Row;

/// What processes share.
#[repr(C)]
pub(crate) struct Stage {
    pub(crate) lock: Lock<u32>,
    pub(crate) others: [Lock<u32>; 2],
    pub(crate) rlock: RLock<u32>,
    pub(crate) semaphore: Semaphore,
    pub(crate) event: Event,
    pub(crate) condition: Condition,
    /// Never opened.
    pub(crate) gate: Gate,
}

// SAFETY: all of them are free, empty, not set, or closed if they are zeros.
unsafe impl Plain for Stage {}

/// Somebody else. Waited for until asleep.
#[derive(Clone, Copy)]
pub(crate) enum Peer {
    None,
    /// There before the operation's process; killed at the end.
    First(fn(&Stage)),
    /// Comes when that stands at its cue, and is to end well.
    Then(fn(&Stage)),
    /// The same, killed before it goes on.
    ThenKilled(fn(&Stage)),
}

/// An operation, in its surroundings, and what it may take.
pub(crate) struct Case {
    name: &'static str,
    body: fn(&Stage, &Meter),
    peer: Peer,
    most: Most,
}

/// What is allowed.
#[derive(Clone, Copy)]
pub(crate) struct Most {
    pub(crate) instructions: Option<usize>,
    /// One figure a count; the last one is for all that follow.
    pub(crate) system_calls: &'static [usize],
}

impl Case {
    /// Alone, without system calls.
    pub(crate) const fn new(name: &'static str, body: fn(&Stage, &Meter)) -> Self {
        Self {
            name,
            body,
            peer: Peer::None,
            most: Most {
                instructions: None,
                system_calls: &[0],
            },
        }
    }

    pub(crate) const fn with(self, peer: Peer) -> Self {
        Self { peer, ..self }
    }

    pub(crate) const fn instructions(mut self, most: usize) -> Self {
        self.most.instructions = Some(most);
        self
    }

    pub(crate) const fn system_calls(mut self, most: &'static [usize]) -> Self {
        self.most.system_calls = most;
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn row(&self) -> Result<Row, Astray> {
        let counts = counts(self.body, self.peer)
            .map_err(|Astray(trouble)| Astray(format!("{}: {trouble}", self.name)))?;
        Ok(Row::new(self.name, counts, self.most))
    }
}

/// Without what counting itself takes.
fn counts(body: fn(&Stage, &Meter), peer: Peer) -> Result<Vec<Count>, Astray> {
    let own = instructions_of_counting();
    let mut counts = raw_counts(body, peer)?;
    for count in &mut counts {
        count.instructions -= own;
    }
    Ok(counts)
}

fn instructions_of_counting() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let counts = raw_counts(|_, meter| meter.laps(|| ()), Peer::None);
        let counts = counts.expect("nothing is not hard to count");
        counts[0].instructions
    })
}

fn raw_counts(body: fn(&Stage, &Meter), peer: Peer) -> Result<Vec<Count>, Astray> {
    let stage: Mapped<Stage> = Mapped::zeroed();
    let meter: Mapped<Meter> = Mapped::zeroed();
    let _first = match peer {
        Peer::First(role) => Some(start_asleep(&stage, role)?),
        _ => None,
    };
    let stepper = Stepper::start(meter.cue(), || body(&stage, &meter))?;
    let then = match peer {
        Peer::Then(role) => Some(start_asleep(&stage, role)?),
        Peer::ThenKilled(role) => {
            start_asleep(&stage, role)?.kill();
            None
        }
        Peer::None | Peer::First(_) => None,
    };
    let counts = meter.read(&stepper)?;
    let ended = stepper.run_to_the_end()?;
    ended.map_err(|_| Astray("it does not end".into()))?;
    match then.map(Child::join) {
        None | Some(Ok(End::Exited(0))) => Ok(counts),
        Some(other) => Err(Astray(format!("the other one: {other:?}"))),
    }
}

fn start_asleep(stage: &Mapped<Stage>, role: fn(&Stage)) -> Result<Child, Astray> {
    let peer = fork(|| role(stage));
    let came = until(|| stepper::sleeps(peer.pid(), peer.pid()));
    came.map_err(|_| Astray("the other one does not sleep".into()))?;
    Ok(peer)
}
