//! `Semaphore` and `BoundedSemaphore`.

use procsync::ReleaseError;

use super::{DONE, Id, Impossible, Model, Status, Wait, differ};
use crate::operations::input::{MOST, Patience, SemaphoreName, Sequence, SourceName};
use crate::operations::outcome::Outcome;
use crate::operations::world::World;

#[derive(Debug)]
pub struct Semaphore {
    permits: u32,
    limit: u32,
    past_limit: ReleaseError,
    /// How many of them each worker holds.
    held: Vec<usize>,
}

impl Semaphore {
    pub fn all(sequence: &Sequence) -> [Self; 2] {
        let held = vec![0; sequence.workers.count()];
        let bound = sequence.bound.count();
        let plain = Self {
            permits: sequence.permits.count().min(MOST),
            limit: MOST,
            past_limit: ReleaseError::Overflow,
            held: held.clone(),
        };
        let bounded = Self {
            permits: bound,
            limit: bound,
            past_limit: ReleaseError::BoundExceeded,
            held,
        };
        [plain, bounded]
    }

    fn add(&mut self, n: u32) -> Result<(), ReleaseError> {
        let sum = self.permits.checked_add(n).filter(|&sum| sum <= self.limit);
        self.permits = sum.ok_or(self.past_limit)?;
        Ok(())
    }

    fn taken_from(&mut self, me: Id) -> Result<(), Impossible> {
        self.held[me] = self.held[me].checked_sub(1).ok_or(Impossible)?;
        Ok(())
    }
}

impl Model {
    /// How many of those who wait are about to have one.
    pub(super) fn permits_about_to_be_taken(&self, name: SemaphoreName) -> usize {
        let waits = |status: &&Status| match **status {
            Status::Asleep(Wait::Permit(other)) => other == name,
            Status::Asleep(Wait::Any(sources)) => {
                sources.position(SourceName::Permit(name)).is_some()
            }
            _ => false,
        };
        let waiters = self.workers.iter().filter(waits).count();
        waiters.min(self.semaphores[name as usize].permits as usize)
    }

    pub(super) fn take_permit(
        &mut self,
        me: Id,
        name: SemaphoreName,
        patience: Patience,
    ) -> Result<Status, Impossible> {
        if self.has_permits(name) {
            return Ok(self.grant_permit(me, name));
        }
        if patience != Patience::Forever {
            return Ok(Status::Due(Outcome::Answer(false)));
        }
        if !self.can_have_permits(name) {
            return Err(Impossible);
        }
        self.fall_asleep(me, Wait::Permit(name))
    }

    pub(super) fn grant_permit(&mut self, me: Id, name: SemaphoreName) -> Status {
        self.hand_out_permit(me, name);
        Status::Due(Outcome::Answer(true))
    }

    pub(super) fn hand_out_permit(&mut self, me: Id, name: SemaphoreName) {
        let semaphore = &mut self.semaphores[name as usize];
        semaphore.permits -= 1;
        semaphore.held[me] += 1;
    }

    pub(super) fn has_permits(&self, name: SemaphoreName) -> bool {
        self.semaphores[name as usize].permits > 0
    }

    pub(super) fn can_have_permits(&self, name: SemaphoreName) -> bool {
        self.semaphores[name as usize].limit > 0
    }

    pub(super) fn return_permit(
        &mut self,
        me: Id,
        name: SemaphoreName,
    ) -> Result<Status, Impossible> {
        let semaphore = &mut self.semaphores[name as usize];
        semaphore.taken_from(me)?;
        // One too many is nobody's.
        let _ = semaphore.add(1);
        Ok(DONE)
    }

    pub(super) fn forget_permit(
        &mut self,
        me: Id,
        name: SemaphoreName,
    ) -> Result<Status, Impossible> {
        self.semaphores[name as usize].taken_from(me)?;
        Ok(DONE)
    }

    pub(super) fn add_permits(&mut self, name: SemaphoreName, n: u32) -> Status {
        Status::Due(Outcome::Added(self.semaphores[name as usize].add(n)))
    }

    pub(super) fn semaphores_differ(&self, world: &World) -> Option<String> {
        let seen = [
            world.semaphore.available_permits(),
            world.bounded.available_permits(),
        ];
        let expected = SemaphoreName::ALL.map(|name| self.semaphores[name as usize].permits);
        differ("the permits", &seen, &expected)
    }
}
