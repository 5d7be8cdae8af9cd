//! `Barrier`.

use procsync::BarrierError;

use super::{DONE, Id, Impossible, Model, Status, Wait, differ};
use crate::operations::input::{Action, Patience};
use crate::operations::outcome::Outcome;

#[derive(Debug)]
pub struct Barrier {
    parties: u32,
    /// Who waits, in the order in which they came, and whether with an action.
    arrived: Vec<(Id, bool)>,
    broken: bool,
}

type Meeting = Result<(u32, bool), BarrierError>;

impl Barrier {
    pub fn new(parties: u32) -> Self {
        Self {
            parties,
            arrived: Vec::new(),
            broken: false,
        }
    }

    fn waiting(&self) -> u32 {
        u32::try_from(self.arrived.len()).expect("a handful")
    }

    pub fn differs(&self, barrier: &procsync::Barrier) -> Option<String> {
        let seen = (barrier.waiting(), barrier.is_broken(), barrier.parties());
        let expected = (self.waiting(), self.broken, self.parties);
        differ("the barrier", &seen, &expected)
    }
}

fn outcome(meeting: Meeting, with_action: bool, ran: bool) -> Outcome {
    if with_action {
        Outcome::Acted(meeting, ran)
    } else {
        Outcome::Met(meeting)
    }
}

impl Model {
    pub(super) fn meet(
        &mut self,
        me: Id,
        patience: Patience,
        action: Option<Action>,
    ) -> Result<Status, Impossible> {
        let with_action = action.is_some();
        if self.barrier.broken {
            return Ok(Status::Due(outcome(
                Err(BarrierError::Broken),
                with_action,
                false,
            )));
        }
        let index = self.barrier.waiting();
        if index + 1 == self.barrier.parties {
            return Ok(self.lead(index, action));
        }
        if patience == Patience::Forever {
            let asleep = self.fall_asleep(me, Wait::Meeting)?;
            self.barrier.arrived.push((me, with_action));
            return Ok(asleep);
        }
        self.break_barrier(true);
        Ok(Status::Due(outcome(
            Err(BarrierError::TimedOut),
            with_action,
            false,
        )))
    }

    fn lead(&mut self, index: u32, action: Option<Action>) -> Status {
        if action == Some(Action::Panics) {
            self.break_barrier(true);
            return Status::Due(Outcome::Panicked);
        }
        self.end_meeting(|index| Ok((index, false)));
        Status::Due(outcome(
            Ok((index, true)),
            action.is_some(),
            action.is_some(),
        ))
    }

    /// An abort, and what breaks it otherwise; or a reset.
    pub(super) fn break_barrier(&mut self, broken: bool) -> Status {
        self.end_meeting(|_| Err(BarrierError::Broken));
        self.barrier.broken = broken;
        DONE
    }

    fn end_meeting(&mut self, meeting: impl Fn(u32) -> Meeting) {
        for (index, (worker, with_action)) in (0..).zip(self.barrier.arrived.drain(..)) {
            self.workers[worker] = Status::Due(outcome(meeting(index), with_action, false));
        }
    }
}
