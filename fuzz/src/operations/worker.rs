//! A thread that does what it is told, and says what came of it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::{Duration, Instant};

use procsync::{
    AcquireError, Lock, LockGuard, Permit, RLock, RLockGuard, Reason, Source, TimerError,
};

use super::input::{
    Action, Count, Interval, LockName, Operation, Patience, SemaphoreName, SourceName, Sources,
};
use super::outcome::{Got, Outcome, met, refused};
use super::patience::{
    BRIEF, await_any, await_notify, await_predicate, await_word, patiently, the_past,
};
use super::world::World;

const LONG: Duration = Duration::from_secs(3600);

enum Guard<'world> {
    Plain(LockGuard<'world, u32>),
    Nested(RLockGuard<'world, Cell<u32>>),
}

pub struct Worker<'world> {
    world: &'world World,
    /// The newest level last.
    guards: [Vec<Guard<'world>>; LockName::ALL.len()],
    permits: [Vec<Permit<'world>>; SemaphoreName::ALL.len()],
}

/// Panics, and prints nothing: a message would come from the hook, which ends the process.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("on purpose"))
}

fn panics<R>(body: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(body)).ok()
}

impl<'world> Worker<'world> {
    pub fn new(world: &'world World) -> Self {
        Self {
            world,
            guards: Default::default(),
            permits: Default::default(),
        }
    }

    pub fn perform(&mut self, operation: Operation) -> Outcome {
        let world = self.world;
        match operation {
            Operation::Acquire(name, patience) => match self.lock(name) {
                Either::Plain(lock) => self.plain(
                    name,
                    patiently(
                        patience,
                        || lock.acquire(),
                        || lock.try_acquire(),
                        |timeout| lock.acquire_timeout(timeout),
                        |deadline| lock.acquire_until(deadline),
                    ),
                ),
                Either::Nested(lock) => self.nested(
                    name,
                    patiently(
                        patience,
                        || lock.acquire(),
                        || lock.try_acquire(),
                        |timeout| lock.acquire_timeout(timeout),
                        |deadline| lock.acquire_until(deadline),
                    ),
                ),
            },
            Operation::AcquireOrRepair(name) => match self.lock(name) {
                Either::Plain(lock) => self.plain(name, lock.acquire_or_repair(|_| ())),
                Either::Nested(lock) => self.nested(name, lock.acquire_or_repair(|_| ())),
            },
            Operation::Release(name) => {
                drop(self.newest(name));
                Outcome::Done
            }
            Operation::Panic(name) => {
                let guard = self.newest(name);
                let caught = panics(|| {
                    let _guard = guard;
                    panic_quietly()
                });
                caught.map_or(
                    Outcome::Panicked,
                    |never: std::convert::Infallible| match never {},
                )
            }
            Operation::RemakeGuard(name) => {
                let guard = self.remade(name);
                self.guards[name as usize].push(guard);
                Outcome::Done
            }
            Operation::ForceRelease(name) => {
                self.force_release(name);
                Outcome::Done
            }
            Operation::ClearPoison(name) => {
                match self.lock(name) {
                    Either::Plain(lock) => lock.clear_poison(),
                    Either::Nested(lock) => lock.clear_poison(),
                }
                Outcome::Done
            }
            Operation::TakePermit(name, patience) => self.take_permit(name, patience),
            Operation::ReturnPermit(name) => {
                drop(
                    self.permits[name as usize]
                        .pop()
                        .expect("the model counts them"),
                );
                Outcome::Done
            }
            Operation::ForgetPermit(name) => {
                self.permits[name as usize]
                    .pop()
                    .expect("the model counts them")
                    .forget();
                Outcome::Done
            }
            Operation::AddPermits(SemaphoreName::Plain, n) => {
                Outcome::Added(world.semaphore.release(n.count()))
            }
            Operation::AddPermits(SemaphoreName::Bounded, n) => {
                Outcome::Added(world.bounded.release(n.count()))
            }
            Operation::Set => done(|| world.event.set()),
            Operation::Clear => done(|| world.event.clear()),
            Operation::AwaitEvent(patience) => Outcome::Answer(patiently(
                patience,
                || {
                    world.event.wait();
                    true
                },
                || world.event.is_set(),
                |timeout| world.event.wait_timeout(timeout),
                |deadline| world.event.wait_until(deadline),
            )),
            Operation::AwaitNotify(name, patience) => match self.guard(name) {
                Guard::Plain(guard) => await_notify(&world.condition, guard, patience),
                Guard::Nested(guard) => await_notify(&world.condition, guard, patience),
            },
            Operation::AwaitPredicate(name, predicate, patience) => match self.guard(name) {
                Guard::Plain(guard) => {
                    await_predicate(&world.condition, guard, predicate, patience)
                }
                Guard::Nested(guard) => {
                    await_predicate(&world.condition, guard, predicate, patience)
                }
            },
            Operation::Notify(n) => done(|| match n.count() {
                1 => world.condition.notify_one(),
                u32::MAX => world.condition.notify_all(),
                n => world.condition.notify(n),
            }),
            Operation::Meet(patience) => Outcome::Met(met(patiently(
                patience,
                || world.barrier.wait(),
                || world.barrier.wait_timeout(Duration::ZERO),
                |timeout| world.barrier.wait_timeout(timeout),
                |deadline| world.barrier.wait_until(deadline),
            ))),
            Operation::MeetWithAction(patience, action) => self.meet(patience, action),
            Operation::Abort => done(|| world.barrier.abort()),
            Operation::ResetBarrier => done(|| world.barrier.reset()),
            Operation::RunTimer(interval, action) => self.run_timer(interval, action),
            Operation::Cancel => Outcome::Answer(world.timer.cancel()),
            Operation::ResetTimer => Outcome::Answer(world.timer.reset()),
            Operation::AwaitTimer(patience) => Outcome::Timer(patiently(
                patience,
                || world.timer.wait(),
                || world.timer.state(),
                |timeout| world.timer.wait_timeout(timeout),
                |deadline| world.timer.wait_until(deadline),
            )),
            Operation::StoreInWord(value, n) => self.store_in_word(value.value(), n),
            Operation::AddToWord => Outcome::Woke(world.word.add_one_and_wake_all()),
            Operation::SetBit(bit) => done(|| world.word.set_bit_and_wake_all(bit)),
            Operation::AwaitWord(expected, patience) => {
                let value = expected.value(world.word.load(Acquire));
                Outcome::Word(await_word(&world.word, value, patience))
            }
            Operation::AwaitAny(sources, patience) => self.await_any(sources, patience),
        }
    }

    fn lock(&self, name: LockName) -> Either<'world> {
        match name {
            LockName::First => Either::Plain(&self.world.locks[0]),
            LockName::Second => Either::Plain(&self.world.locks[1]),
            LockName::Nested => Either::Nested(&self.world.nested[0]),
            LockName::OtherNested => Either::Nested(&self.world.nested[1]),
        }
    }

    fn newest(&mut self, name: LockName) -> Guard<'world> {
        self.guards[name as usize]
            .pop()
            .expect("the model knows who holds what")
    }

    fn guard(&mut self, name: LockName) -> &mut Guard<'world> {
        self.guards[name as usize]
            .last_mut()
            .expect("the model knows who holds what")
    }

    fn plain(
        &mut self,
        name: LockName,
        result: Result<LockGuard<'world, u32>, AcquireError<LockGuard<'world, u32>>>,
    ) -> Outcome {
        let (mut guard, poisoned) = match result {
            Ok(guard) => (guard, false),
            Err(AcquireError::Poisoned(guard)) => (guard, true),
            Err(error) => return refused(error.without_guard()),
        };
        *guard += 1;
        let value = *guard;
        self.guards[name as usize].push(Guard::Plain(guard));
        Outcome::Acquired {
            value,
            depth: 1,
            poisoned,
        }
    }

    fn nested(
        &mut self,
        name: LockName,
        result: Result<RLockGuard<'world, Cell<u32>>, AcquireError<RLockGuard<'world, Cell<u32>>>>,
    ) -> Outcome {
        let (guard, poisoned) = match result {
            Ok(guard) => (guard, false),
            Err(AcquireError::Poisoned(guard)) => (guard, true),
            Err(error) => return refused(error.without_guard()),
        };
        guard.set(guard.get() + 1);
        let (value, depth) = (guard.get(), guard.depth());
        self.guards[name as usize].push(Guard::Nested(guard));
        Outcome::Acquired {
            value,
            depth,
            poisoned,
        }
    }

    fn remade(&mut self, name: LockName) -> Guard<'world> {
        std::mem::forget(self.newest(name));
        match self.lock(name) {
            // SAFETY: this thread holds it, through the guard that was just forgotten.
            Either::Plain(lock) => Guard::Plain(unsafe { lock.make_guard_unchecked() }),
            // SAFETY: likewise.
            Either::Nested(lock) => Guard::Nested(unsafe { lock.make_guard_unchecked() }),
        }
    }

    fn force_release(&mut self, name: LockName) {
        std::mem::forget(self.newest(name));
        match self.lock(name) {
            // SAFETY: this thread holds it, through the guard that was just forgotten.
            Either::Plain(lock) => unsafe { lock.force_release() },
            // SAFETY: likewise.
            Either::Nested(lock) => unsafe { lock.force_release() },
        }
    }

    fn take_permit(&mut self, name: SemaphoreName, patience: Patience) -> Outcome {
        let World {
            semaphore, bounded, ..
        } = self.world;
        let permit = match name {
            SemaphoreName::Plain => patiently(
                patience,
                || Some(semaphore.acquire()),
                || semaphore.try_acquire(),
                |timeout| semaphore.acquire_timeout(timeout),
                |deadline| semaphore.acquire_until(deadline),
            ),
            SemaphoreName::Bounded => patiently(
                patience,
                || Some(bounded.acquire()),
                || bounded.try_acquire(),
                |timeout| bounded.acquire_timeout(timeout),
                |deadline| bounded.acquire_until(deadline),
            ),
        };
        let taken = permit.is_some();
        self.permits[name as usize].extend(permit);
        Outcome::Answer(taken)
    }

    fn meet(&self, patience: Patience, action: Action) -> Outcome {
        let ran = Cell::new(false);
        let action = || {
            ran.set(true);
            if action == Action::Panics {
                panic_quietly();
            }
        };
        let deadline = match patience {
            Patience::Forever => None,
            Patience::Try | Patience::Zero | Patience::Past => Some(the_past()),
            Patience::Brief => Some(Instant::now() + BRIEF),
        };
        let result = panics(|| match deadline {
            None => self.world.barrier.wait_with_action(action),
            Some(deadline) => self.world.barrier.wait_with_action_until(deadline, action),
        });
        result.map_or(Outcome::Panicked, |result| {
            Outcome::Acted(met(result), ran.get())
        })
    }

    fn run_timer(&self, interval: Interval, action: Action) -> Outcome {
        let interval = match interval {
            Interval::Zero => Duration::ZERO,
            Interval::Brief => BRIEF,
            Interval::Long => LONG,
        };
        let body = || {
            if action == Action::Panics {
                panic_quietly();
            }
        };
        match panics(|| self.world.timer.run(interval, body)) {
            None => Outcome::Panicked,
            Some(Ok(outcome)) => Outcome::Ran(Some(outcome)),
            Some(Err(TimerError::AlreadyStarted)) => Outcome::Ran(None),
            Some(Err(error)) => panic!("the timer cannot be run: {error}"),
        }
    }

    fn store_in_word(&self, value: u32, n: Count) -> Outcome {
        let word = &self.world.word;
        word.store(value, Release);
        Outcome::Woke(match n.count() {
            u32::MAX => word.wake_all(),
            n => word.wake(n),
        })
    }

    fn await_any(&mut self, names: Sources, patience: Patience) -> Outcome {
        let sources = names.names().map(|name| self.source(name));
        let result = await_any(&sources.collect::<Vec<_>>(), patience);
        Outcome::Any(result.map(|ready| {
            let got = Got::of(&ready.reason);
            // A permit of what is none was not to come: the model says so.
            let taken_from = names.names().nth(ready.index);
            if let (Reason::Permit(permit), Some(SourceName::Permit(name))) =
                (ready.reason, taken_from)
            {
                self.permits[name as usize].push(permit);
            }
            (ready.index, got)
        }))
    }

    fn source(&self, name: SourceName) -> Source<'world> {
        let world = self.world;
        match name {
            SourceName::Event => (&world.event).into(),
            SourceName::Permit(SemaphoreName::Plain) => (&world.semaphore).into(),
            SourceName::Permit(SemaphoreName::Bounded) => (&world.bounded).into(),
            SourceName::Timer => (&world.timer).into(),
            SourceName::Word(expected) => {
                (&world.word, expected.value(world.word.load(Acquire))).into()
            }
        }
    }
}

enum Either<'world> {
    Plain(&'world Lock<u32>),
    Nested(&'world RLock<Cell<u32>>),
}

fn done(body: impl FnOnce()) -> Outcome {
    body();
    Outcome::Done
}
