//! `Condition`. Who is notified, or gives up, waits for its lock.

use super::lock::Then;
use super::{DONE, Id, Impossible, Model, Status, Wait};
use crate::operations::input::{LockName, Patience, Predicate};
use crate::operations::outcome::Outcome;

impl Model {
    pub(super) fn await_notify(
        &mut self,
        me: Id,
        name: LockName,
        patience: Patience,
    ) -> Result<Status, Impossible> {
        self.may_wait_with(me, name)?;
        if patience != Patience::Forever {
            return Ok(self.give_up_and_take_back(name, false));
        }
        self.fall_asleep(me, Wait::Notify(name, 0))?;
        let depth = self.give_up(name);
        self.queue.push(me);
        Ok(Status::Asleep(Wait::Notify(name, depth)))
    }

    pub(super) fn await_predicate(
        &mut self,
        me: Id,
        name: LockName,
        predicate: Predicate,
        patience: Patience,
    ) -> Result<Status, Impossible> {
        self.may_wait_with(me, name)?;
        match (predicate, patience) {
            (Predicate::Holds, _) => Ok(Status::Due(Outcome::Notified(Ok(true)))),
            // A notify would have to come twice.
            (Predicate::NeverHolds, Patience::Forever) => Err(Impossible),
            (Predicate::HoldsLater, Patience::Forever) => self.await_notify(me, name, patience),
            (_, _) => Ok(self.give_up_and_take_back(name, predicate == Predicate::HoldsLater)),
        }
    }

    /// It holds that lock, and no other; and all who wait at one time use the same.
    fn may_wait_with(&self, me: Id, name: LockName) -> Result<(), Impossible> {
        self.if_held(me, name)?;
        let another_is_used = self
            .workers
            .iter()
            .any(|status| matches!(status, Status::Asleep(Wait::Notify(lock, _)) if *lock != name));
        if self.holds_another(me, name) || another_is_used {
            return Err(Impossible);
        }
        Ok(())
    }

    /// If others wait for the lock, one of them may have it first.
    fn give_up_and_take_back(&mut self, name: LockName, notified: bool) -> Status {
        let depth = self.give_up(name);
        Status::Asleep(Wait::Lock(name, Then::Return { notified, depth }))
    }

    pub(super) fn notify(&mut self, n: u32) -> Status {
        let count = self.queue.len().min(n as usize);
        for worker in self.queue.drain(..count) {
            if let Status::Asleep(Wait::Notify(name, depth)) = self.workers[worker] {
                let then = Then::Return {
                    notified: true,
                    depth,
                };
                self.workers[worker] = Status::Asleep(Wait::Lock(name, then));
            }
        }
        DONE
    }

    pub fn is_notify_awaited(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether it matters which of those who wait is notified.
    pub fn is_queue_divided_by(&self, n: u32) -> bool {
        (1..self.queue.len()).contains(&(n as usize))
    }
}
