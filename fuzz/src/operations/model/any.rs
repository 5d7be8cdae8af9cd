//! `wait_any`. Who waits for any of several is in the queue of each, as often as it names it. (On a timer's
//! other words, which tell deaths, it sleeps besides; it is looked for in that of the state.)

use procsync::WaitError;

use super::{Id, Impossible, Model, Status, Wait};
use crate::operations::input::{Count, Expected, Operation, Patience, SourceName, Sources};
use crate::operations::outcome::{Got, Outcome};

impl Model {
    pub(super) fn await_any(
        &mut self,
        me: Id,
        sources: Sources,
        patience: Patience,
    ) -> Result<Status, Impossible> {
        if sources.names().next().is_none() {
            return Ok(Status::Due(Outcome::Any(Err(WaitError::NoSources))));
        }
        if let Some(status) = self.take_first(me, sources) {
            return Ok(status);
        }
        if patience != Patience::Forever {
            return Ok(Status::Due(Outcome::Any(Err(WaitError::TimedOut))));
        }
        if self.end_of_any(sources).is_none() || is_restless_on_word(sources) {
            return Err(Impossible);
        }
        self.fall_asleep(me, Wait::Any(sources))
    }

    /// One that sleeps may have a permit, if there is one, and if others were not faster.
    pub(super) fn grant_any(&mut self, me: Id, sources: Sources) -> Status {
        self.take_first(me, sources)
            .unwrap_or(Status::Asleep(Wait::Any(sources)))
    }

    /// The event was set, the timer has ended, or the word has changed: nobody takes it from another.
    pub(super) fn wake_watchers(&mut self, name: SourceName) {
        for worker in 0..self.workers.len() {
            if let Status::Asleep(Wait::Any(sources)) = self.workers[worker]
                && let Some(index) = sources.position(name)
            {
                self.workers[worker] = self.take(worker, index, name);
            }
        }
    }

    /// How often those who wait for any of several are in the queue of this.
    pub(super) fn watchers(&self, name: SourceName) -> usize {
        let times = |status: &Status| match status {
            Status::Asleep(Wait::Any(sources)) => sources.count(name),
            _ => 0,
        };
        self.workers.iter().map(times).sum()
    }

    pub(super) fn end_of_any(&self, sources: Sources) -> Option<Operation> {
        sources.names().find_map(|name| self.end_of_source(name))
    }

    /// What makes it ready, if anything can.
    pub(super) fn end_of_source(&self, name: SourceName) -> Option<Operation> {
        match name {
            SourceName::Event => Some(Operation::Set),
            SourceName::Permit(name) => self
                .can_have_permits(name)
                .then_some(Operation::AddPermits(name, Count::One)),
            SourceName::Timer => Some(Operation::Cancel),
            SourceName::Word(_) => Some(Operation::AddToWord),
        }
    }

    fn take_first(&mut self, me: Id, sources: Sources) -> Option<Status> {
        let mut names = sources.names().enumerate();
        let (index, name) = names.find(|&(_, name)| self.is_ready(name))?;
        Some(self.take(me, index, name))
    }

    /// To one that comes, or that sleeps while nothing was set, ended or changed.
    fn is_ready(&self, name: SourceName) -> bool {
        match name {
            SourceName::Event => self.event,
            SourceName::Permit(name) => self.has_permits(name),
            SourceName::Timer => self.timer.end().is_some(),
            SourceName::Word(expected) => expected == Expected::Another,
        }
    }

    fn take(&mut self, me: Id, index: usize, name: SourceName) -> Status {
        let got = match name {
            SourceName::Event => Got::Set,
            SourceName::Permit(name) => {
                self.hand_out_permit(me, name);
                Got::Permit
            }
            SourceName::Timer => Got::Finished(self.timer.end().expect("it is ready")),
            SourceName::Word(_) => Got::Changed(self.word.value()),
        };
        Status::Due(Outcome::Any(Ok((index, got))))
    }
}

/// With a second timer one looks around once a second, and is in no queue meanwhile: of a word it is known
/// how many are woken.
fn is_restless_on_word(sources: Sources) -> bool {
    sources.count(SourceName::Timer) > 1 && sources.count(SourceName::WORD) > 0
}
