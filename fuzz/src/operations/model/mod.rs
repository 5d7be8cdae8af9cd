//! What must come of everything, if one acts at a time.
//!
//! A worker is *free*, *due* to return with what the model says, or *asleep*. An operation makes those who
//! must return due. Where the crate does not promise who of several goes on, they stay asleep in the
//! model, and it only knows [how many](Model::owed) must come; as they do, [`Model::accept`] sees to it
//! that they may.

mod any;
mod barrier;
mod condition;
mod lock;
mod semaphore;
mod timer;
mod word;

use super::input::{
    Count, LockName, Operation, Patience, SemaphoreName, Sequence, SourceName, Sources,
};
use super::outcome::Outcome;
use super::world::World;
use crate::sleepers::sleepers;

use barrier::Barrier;
use lock::Lock;
use semaphore::Semaphore;
use timer::Timer;
use word::Word;

pub type Id = usize;

/// What a worker is doing, between operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Free,
    /// It must return with this.
    Due(Outcome),
    Asleep(Wait),
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Lock(LockName, lock::Then),
    Permit(SemaphoreName),
    Event,
    /// With a lock that it has given up, so many levels of it.
    Notify(LockName, u32),
    Meeting,
    TimersEnd,
    /// It runs the timer.
    Deadline,
    WordsChange,
    Any(Sources),
}

#[derive(Debug)]
pub struct Model {
    pub workers: Vec<Status>,
    locks: [Lock; LockName::ALL.len()],
    semaphores: [Semaphore; SemaphoreName::ALL.len()],
    event: bool,
    /// Who waits for a notify, in the order in which they fell asleep.
    queue: Vec<Id>,
    barrier: Barrier,
    timer: Timer,
    word: Word,
}

/// The operation cannot be done now: the worker lacks what it needs, or nobody could end its wait.
#[derive(Debug)]
pub struct Impossible;

impl Model {
    pub fn new(sequence: &Sequence) -> Self {
        Self {
            workers: vec![Status::Free; sequence.workers.count()],
            locks: LockName::ALL.map(|_| Lock::default()),
            semaphores: Semaphore::all(sequence),
            event: false,
            queue: Vec::new(),
            barrier: Barrier::new(sequence.parties.count()),
            timer: Timer::default(),
            word: Word::default(),
        }
    }

    /// `worker`, or the next that is free: there always is one.
    pub fn free_one(&self, worker: usize) -> Id {
        let count = self.workers.len();
        (worker..worker + count)
            .map(|worker| worker % count)
            .find(|&worker| self.workers[worker] == Status::Free)
            .expect("the last free one does not fall asleep")
    }

    /// The worker begins an operation.
    pub fn perform(&mut self, me: Id, operation: Operation) -> Result<(), Impossible> {
        let status = match operation {
            Operation::Acquire(name, patience) => self.acquire(me, name, patience)?,
            Operation::AcquireOrRepair(name) => self.acquire_or_repair(me, name)?,
            Operation::Release(name) | Operation::ForceRelease(name) => self.release(me, name)?,
            Operation::Panic(name) => self.panic(me, name)?,
            Operation::RemakeGuard(name) => self.if_held(me, name)?,
            Operation::ClearPoison(name) => self.clear_poison(name),
            Operation::TakePermit(name, patience) => self.take_permit(me, name, patience)?,
            Operation::ReturnPermit(name) => self.return_permit(me, name)?,
            Operation::ForgetPermit(name) => self.forget_permit(me, name)?,
            Operation::AddPermits(name, n) => self.add_permits(name, n.count()),
            Operation::Set => self.set(),
            Operation::Clear => {
                self.event = false;
                DONE
            }
            Operation::AwaitEvent(patience) => self.await_event(me, patience)?,
            Operation::AwaitNotify(name, patience) => self.await_notify(me, name, patience)?,
            Operation::AwaitPredicate(name, predicate, patience) => {
                self.await_predicate(me, name, predicate, patience)?
            }
            Operation::Notify(n) => self.notify(n.count()),
            Operation::Meet(patience) => self.meet(me, patience, None)?,
            Operation::MeetWithAction(patience, action) => self.meet(me, patience, Some(action))?,
            Operation::Abort => self.break_barrier(true),
            Operation::ResetBarrier => self.break_barrier(false),
            Operation::RunTimer(interval, action) => self.run_timer(me, interval, action)?,
            Operation::Cancel => self.cancel(),
            Operation::ResetTimer => Status::Due(Outcome::Answer(self.timer.reset())),
            Operation::AwaitTimer(patience) => self.await_timer(me, patience)?,
            Operation::StoreInWord(value, n) => self.store_in_word(value.value(), n.count())?,
            Operation::AddToWord => self.add_to_word(),
            Operation::SetBit(bit) => self.set_bit(bit),
            Operation::AwaitWord(expected, patience) => self.await_word(me, expected, patience)?,
            Operation::AwaitAny(sources, patience) => self.await_any(me, sources, patience)?,
        };
        self.workers[me] = status;
        Ok(())
    }

    /// How many have to return before the next may act.
    pub fn owed(&self) -> usize {
        let due = self
            .workers
            .iter()
            .filter(|status| matches!(status, Status::Due(_)));
        let locks = LockName::ALL
            .into_iter()
            .filter(|&name| self.is_about_to_be_taken(name));
        let permits = SemaphoreName::ALL.map(|name| self.permits_about_to_be_taken(name));
        due.count() + locks.count() + permits.into_iter().sum::<usize>()
    }

    /// A worker has returned with that. `Err`: what it should have done.
    pub fn accept(&mut self, who: Id, outcome: &Outcome) -> Result<(), Status> {
        let expected = match self.workers[who] {
            Status::Asleep(Wait::Lock(name, then)) if self.is_about_to_be_taken(name) => {
                self.grant(who, name, then)
            }
            Status::Asleep(Wait::Permit(name)) if self.permits_about_to_be_taken(name) > 0 => {
                self.grant_permit(who, name)
            }
            Status::Asleep(Wait::Any(sources)) => self.grant_any(who, sources),
            ref status => status.clone(),
        };
        if expected != Status::Due(outcome.clone()) {
            return Err(expected);
        }
        self.workers[who] = Status::Free;
        Ok(())
    }

    /// An operation that ends a wait, or lets go of something, by a free worker; in the end, none.
    pub fn next_to_end(&self) -> Option<(Id, Operation)> {
        let free = self.free_one(0);
        let held = LockName::ALL.into_iter().find_map(|name| {
            let owner = self.locks[name as usize].owner()?;
            (self.workers[owner] == Status::Free).then_some((owner, Operation::Release(name)))
        });
        held.or_else(|| {
            let ends = self.workers.iter().find_map(|status| match status {
                Status::Asleep(wait) => self.end_of(*wait),
                _ => None,
            });
            ends.map(|operation| (free, operation))
        })
    }

    /// What anybody can see of the world that is not as it should be, once everybody who should has fallen
    /// asleep.
    pub fn differs_from(&self, world: &World, tids: &[u32]) -> Option<String> {
        [
            self.locks_differ(world, tids),
            self.semaphores_differ(world),
            differ("Event::is_set", &world.event.is_set(), &self.event),
            self.barrier.differs(&world.barrier),
            self.timer.differs(&world.timer),
            self.word_differs(world),
        ]
        .into_iter()
        .flatten()
        .next()
    }

    /// Whether as many are asleep, in each primitive, as should be.
    ///
    /// They are counted twice. Who waits for any of several and is woken through one, for nothing, is still in
    /// the queues of the others until it runs. Once it is back in the one, it has left the others, and the
    /// second count finds it in each anew.
    pub fn is_asleep_in(&self, world: &World) -> bool {
        (0..2).all(|_| self.is_counted_in(world))
    }

    fn is_counted_in(&self, world: &World) -> bool {
        let count = |wanted: &dyn Fn(&Wait) -> bool| {
            let asleep = self.workers.iter().filter(|status| match status {
                Status::Asleep(wait) => wanted(wait),
                _ => false,
            });
            asleep.count()
        };
        let locks = LockName::ALL
            .map(|name| count(&|wait| matches!(wait, Wait::Lock(lock, _) if *lock == name)));
        let permits = SemaphoreName::ALL.map(|name| {
            count(&|wait| *wait == Wait::Permit(name)) + self.watchers(SourceName::Permit(name))
        });
        sleepers(&world.locks[0]) == locks[0]
            && sleepers(&world.locks[1]) == locks[1]
            && sleepers(&world.nested[0]) == locks[2]
            && sleepers(&world.nested[1]) == locks[3]
            && sleepers(&world.semaphore) == permits[0]
            && sleepers(&world.bounded) == permits[1]
            && sleepers(&world.event)
                == count(&|wait| *wait == Wait::Event) + self.watchers(SourceName::Event)
            && sleepers(&world.condition) == self.queue.len()
            && sleepers(&world.barrier) == count(&|wait| *wait == Wait::Meeting)
            && sleepers(&world.timer)
                == count(&|wait| matches!(wait, Wait::TimersEnd | Wait::Deadline))
                    + self.watchers(SourceName::Timer)
            && sleepers(&world.word) == self.sleepers_on_word()
    }

    /// A worker may fall asleep for as long as it takes if another one is awake.
    fn fall_asleep(&self, me: Id, wait: Wait) -> Result<Status, Impossible> {
        let mut others = self
            .workers
            .iter()
            .enumerate()
            .filter(|&(worker, _)| worker != me);
        if others.any(|(_, status)| *status == Status::Free) {
            Ok(Status::Asleep(wait))
        } else {
            Err(Impossible)
        }
    }

    /// Those who wait for that return with this.
    fn wake(&mut self, wait: Wait, outcome: &Outcome) {
        for status in &mut self.workers {
            if *status == Status::Asleep(wait) {
                *status = Status::Due(outcome.clone());
            }
        }
    }

    fn set(&mut self) -> Status {
        self.event = true;
        self.wake(Wait::Event, &Outcome::Answer(true));
        self.wake_watchers(SourceName::Event);
        DONE
    }

    fn await_event(&self, me: Id, patience: Patience) -> Result<Status, Impossible> {
        if !self.event && patience == Patience::Forever {
            self.fall_asleep(me, Wait::Event)
        } else {
            Ok(Status::Due(Outcome::Answer(self.event)))
        }
    }

    fn end_of(&self, wait: Wait) -> Option<Operation> {
        match wait {
            // By its holder.
            Wait::Lock(..) => None,
            Wait::Permit(name) => self.end_of_source(SourceName::Permit(name)),
            Wait::Event => self.end_of_source(SourceName::Event),
            Wait::Notify(..) => Some(Operation::Notify(Count::All)),
            Wait::Meeting => Some(Operation::Abort),
            Wait::TimersEnd | Wait::Deadline => self.end_of_source(SourceName::Timer),
            Wait::WordsChange => self.end_of_source(SourceName::WORD),
            Wait::Any(sources) => self.end_of_any(sources),
        }
    }
}

const DONE: Status = Status::Due(Outcome::Done);

fn differ<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Option<String> {
    (found != expected).then(|| format!("{what} is {found:?}, expected was {expected:?}"))
}
