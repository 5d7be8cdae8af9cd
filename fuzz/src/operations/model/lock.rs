//! `Lock` and `RLock`.

use procsync::Poisoned;

use super::{DONE, Id, Impossible, Model, Status, Wait, differ};
use crate::operations::input::{LockName, Operation, Patience};
use crate::operations::outcome::{Outcome, Refusal};
use crate::operations::world::World;

#[derive(Debug, Default)]
pub struct Lock {
    owner: Option<Id>,
    depth: u32,
    poisoned: bool,
    /// How often it was acquired.
    value: u32,
}

/// What one does that gets the lock it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Acquire,
    Repair,
    /// From a wait for a notify, with so many levels.
    Return {
        notified: bool,
        depth: u32,
    },
}

impl Lock {
    pub fn owner(&self) -> Option<Id> {
        self.owner
    }

    fn acquired(&mut self, by: Id, depth: u32) -> Outcome {
        self.owner = Some(by);
        self.depth = depth;
        self.value += 1;
        Outcome::Acquired {
            value: self.value,
            depth,
            poisoned: self.poisoned,
        }
    }
}

impl Model {
    pub(super) fn owns(&self, me: Id, name: LockName) -> bool {
        self.locks[name as usize].owner == Some(me)
    }

    /// The same with a lock that the worker holds, if it is one that needs that, and holds any.
    pub fn with_held_lock(&self, me: Id, operation: Operation) -> Operation {
        let held = |name| {
            let mut own = LockName::ALL
                .into_iter()
                .filter(|&lock| self.owns(me, lock));
            if self.owns(me, name) {
                name
            } else {
                own.next().unwrap_or(name)
            }
        };
        match operation {
            Operation::Release(name) => Operation::Release(held(name)),
            Operation::Panic(name) => Operation::Panic(held(name)),
            Operation::RemakeGuard(name) => Operation::RemakeGuard(held(name)),
            Operation::ForceRelease(name) => Operation::ForceRelease(held(name)),
            Operation::AwaitNotify(name, patience) => Operation::AwaitNotify(held(name), patience),
            Operation::AwaitPredicate(name, predicate, patience) => {
                Operation::AwaitPredicate(held(name), predicate, patience)
            }
            other => other,
        }
    }

    /// Whether somebody waits for a free lock: then one of those is about to have it.
    pub(super) fn is_about_to_be_taken(&self, name: LockName) -> bool {
        self.locks[name as usize].owner.is_none() && self.waiters_of(name) > 0
    }

    pub(super) fn waiters_of(&self, name: LockName) -> usize {
        let waits = |status: &&Status| matches!(status, Status::Asleep(Wait::Lock(lock, _)) if *lock == name);
        self.workers.iter().filter(waits).count()
    }

    /// Who waits for a lock holds no other: so nobody waits in a circle.
    pub(super) fn holds_another(&self, me: Id, name: LockName) -> bool {
        LockName::ALL
            .into_iter()
            .any(|other| other != name && self.owns(me, other))
    }

    pub(super) fn acquire(
        &mut self,
        me: Id,
        name: LockName,
        patience: Patience,
    ) -> Result<Status, Impossible> {
        let lock = &mut self.locks[name as usize];
        match lock.owner {
            Some(owner) if owner == me && name.is_nested() => {
                Ok(Status::Due(lock.acquired(me, lock.depth + 1)))
            }
            Some(owner) if owner == me => Ok(refused(Refusal::Deadlock)),
            Some(_) => match patience {
                Patience::Try => Ok(refused(Refusal::WouldBlock)),
                Patience::Forever => self.wait_for(me, name, Then::Acquire),
                _ => Ok(refused(Refusal::TimedOut)),
            },
            None => Ok(Status::Due(lock.acquired(me, 1))),
        }
    }

    pub(super) fn acquire_or_repair(
        &mut self,
        me: Id,
        name: LockName,
    ) -> Result<Status, Impossible> {
        if self.locks[name as usize]
            .owner
            .is_some_and(|owner| owner != me)
        {
            return self.wait_for(me, name, Then::Repair);
        }
        if name.is_nested() || !self.owns(me, name) {
            self.locks[name as usize].poisoned = false;
        }
        self.acquire(me, name, Patience::Forever)
    }

    fn wait_for(&self, me: Id, name: LockName, then: Then) -> Result<Status, Impossible> {
        if self.holds_another(me, name) {
            return Err(Impossible);
        }
        self.fall_asleep(me, Wait::Lock(name, then))
    }

    /// The worker gets the lock that it waited for.
    pub(super) fn grant(&mut self, me: Id, name: LockName, then: Then) -> Status {
        let lock = &mut self.locks[name as usize];
        Status::Due(match then {
            Then::Acquire => lock.acquired(me, 1),
            Then::Repair => {
                lock.poisoned = false;
                lock.acquired(me, 1)
            }
            Then::Return { notified, depth } => {
                (lock.owner, lock.depth) = (Some(me), depth);
                Outcome::Notified(if lock.poisoned {
                    Err(Poisoned)
                } else {
                    Ok(notified)
                })
            }
        })
    }

    pub(super) fn if_held(&self, me: Id, name: LockName) -> Result<Status, Impossible> {
        if self.owns(me, name) {
            Ok(DONE)
        } else {
            Err(Impossible)
        }
    }

    pub(super) fn release(&mut self, me: Id, name: LockName) -> Result<Status, Impossible> {
        let done = self.if_held(me, name)?;
        let lock = &mut self.locks[name as usize];
        lock.depth -= 1;
        if lock.depth == 0 {
            lock.owner = None;
        }
        Ok(done)
    }

    pub(super) fn panic(&mut self, me: Id, name: LockName) -> Result<Status, Impossible> {
        self.release(me, name)?;
        self.locks[name as usize].poisoned = true;
        Ok(Status::Due(Outcome::Panicked))
    }

    /// All levels of a lock that is held; how many.
    pub(super) fn give_up(&mut self, name: LockName) -> u32 {
        let lock = &mut self.locks[name as usize];
        lock.owner = None;
        std::mem::take(&mut lock.depth)
    }

    pub(super) fn clear_poison(&mut self, name: LockName) -> Status {
        self.locks[name as usize].poisoned = false;
        DONE
    }

    pub(super) fn locks_differ(&self, world: &World, tids: &[u32]) -> Option<String> {
        let seen = [
            (
                world.locks[0].owner(),
                world.locks[0].is_poisoned(),
                world.locks[0].waiters(),
            ),
            (
                world.locks[1].owner(),
                world.locks[1].is_poisoned(),
                world.locks[1].waiters(),
            ),
            (
                world.nested[0].owner(),
                world.nested[0].is_poisoned(),
                world.nested[0].waiters(),
            ),
            (
                world.nested[1].owner(),
                world.nested[1].is_poisoned(),
                world.nested[1].waiters(),
            ),
        ];
        let expected = LockName::ALL.map(|name| {
            let lock = &self.locks[name as usize];
            (
                lock.owner.map(|owner| tids[owner]),
                lock.poisoned,
                self.waiters_of(name),
            )
        });
        differ("owner, poison and waiters of the locks", &seen, &expected)
    }
}

fn refused(refusal: Refusal) -> Status {
    Status::Due(Outcome::Refused(refusal))
}
