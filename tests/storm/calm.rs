//! The calm between two storms. Nobody begins anything; whoever is asleep must have a reason. The books are
//! looked into, everybody is called home, and what is in doubt after deaths is settled.

use std::ops::RangeInclusive;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use procsync::{Shared, TimerOutcome, TimerState};

use crate::books::{Books, Count, Mark, Total, WORKERS};
use crate::common::sleepers;
use crate::memory::Usage;
use crate::supervisor::Supervisor;
use crate::world::{PARTIES, PERMITS, WORLDS, World};

impl Supervisor {
    pub(crate) fn calm_down(&mut self) {
        self.books().over.store(1, SeqCst);
        self.wait_until("all sleep or are at home", |this| {
            this.attend(false);
            this.is_calm()
        });
        for world in self.worlds() {
            Audit::of(self.books(), world).while_all_sleep();
        }
        self.wait_until("all are at home", |this| {
            this.attend(false);
            this.worlds()
                .for_each(|(number, world)| this.call_home(number, world));
            this.all_are_at_home()
        });
        self.inspect();
    }

    fn worlds(&self) -> impl Iterator<Item = (usize, &'static World)> + use<> {
        let all = &self.storm.worlds.all;
        all.iter().map(|world| &**world).enumerate()
    }

    /// Everybody who works sleeps where it may sleep for long, for a good reason, and no signal is under way.
    fn is_calm(&self) -> bool {
        let asleep: usize = self.worlds().map(|(_, world)| world.asleep()).sum();
        asleep == self.books().working().count()
            && self
                .worlds()
                .all(|(_, world)| nobody_sleeps_for_nothing(world))
            && (0..self.processes.len()).all(|place| self.has_handled(place))
    }

    /// Ends all waits.
    fn call_home(&self, number: usize, world: &World) {
        let books = self.books();
        if sleepers(&world.semaphore) > 0 {
            world.semaphore.release(1).expect("there is room");
        }
        if sleepers(&world.bounded) > 0 {
            // Who gets one gives it back.
            let _ = world.bounded.release(1);
        }
        if sleepers(&world.day) > 0 {
            books.add(number, Count::DaysBegun);
            world.day.set();
        }
        if sleepers(&world.changed) > 0 {
            world.changed.notify_all();
        }
        if sleepers(&world.barrier) > 0 {
            world.barrier.abort();
        }
    }

    fn all_are_at_home(&self) -> bool {
        let rounds = self.report.rounds + 1;
        let (workers, elders) = self.processes.split_at(WORKERS);
        let elders = WORKERS..WORKERS + elders.len();
        let desks = &self.books().desks[elders];
        workers.iter().all(Option::is_none)
            && desks.iter().all(|desk| desk.memory.notes() == rounds)
    }

    /// Nobody is left but the supervisor; all is as it was, or can be made so.
    fn inspect(&mut self) {
        for world in 0..WORLDS {
            // Whatever deaths there were in them, they are seen now.
            let account = self.member.take_lock(world, None).expect("it is free");
            self.member.leave_lock(world, account);
            let account = self.member.take_nested(world, None).expect("it is free");
            self.member.leave_nested(world, account);
        }
        for world in self.worlds() {
            Audit::of(self.books(), world).when_all_are_gone();
        }
        self.check_poison();
        self.open_often();
        self.report.close_round(self.books());
        self.books().settle();
        self.worlds().for_each(|(_, world)| restore(world));
    }

    /// What is opened and closed again leaves nothing.
    fn open_often(&self) {
        let open_all = || {
            for name in &self.storm.worlds.names {
                drop(Shared::<World>::open(name).expect("it is there"));
            }
        };
        open_all();
        let before = Usage::now();
        (0..50).for_each(|_| open_all());
        let now = Usage::now();
        assert!(now.is_the_same_as(before), "{before:?}, then {now:?}");
    }

    /// Every death with a lock was seen once, but for those that died while they looked.
    fn check_poison(&self) {
        let books = self.books();
        let both = |deaths: fn(&Books, usize, Mark) -> u64| -> u64 {
            let of = |world| deaths(books, world, Mark::Lock) + deaths(books, world, Mark::Nested);
            (0..WORLDS).map(of).sum()
        };
        let inside = both(|books, world, mark| books.inside(world, mark).load(SeqCst));
        let near = both(|books, world, mark| books.near(world, mark).load(SeqCst));
        let lost = books.total(Total::LostObservations).load(SeqCst);
        let seen = books.recent(Count::Poisonings);
        let blanks = books.recent(Count::Blanks);
        assert!(
            seen + lost >= inside,
            "{inside} died with locks, {seen} seen"
        );
        assert!(
            seen <= inside + near,
            "{seen} seen, {inside} died, {near} near"
        );
        assert!(blanks <= near, "{blanks} poisonings without a death");
    }
}

fn nobody_sleeps_for_nothing(world: &World) -> bool {
    (world.semaphore.available_permits() == 0 || sleepers(&world.semaphore) == 0)
        && (world.bounded.available_permits() == 0 || sleepers(&world.bounded) == 0)
        && (!world.day.is_set() || sleepers(&world.day) == 0)
        && (!world.barrier.is_broken() || sleepers(&world.barrier) == 0)
        && world.lock.waiters() == 0
        && world.nested.waiters() == 0
}

/// For the next storm.
fn restore(world: &World) {
    assert_eq!(world.asleep(), 0);
    drain(&world.semaphore);
    drain(&world.mail);
    world.semaphore.release(PERMITS).expect("there is room");
    let taken = PERMITS - world.bounded.available_permits();
    world.bounded.release(taken).expect("as many were taken");
    world.day.clear();
    world.alarm.clear();
    world.barrier.reset();
    world.timer.reset();
}

fn drain(semaphore: &procsync::Semaphore) {
    while let Some(permit) = semaphore.try_acquire() {
        permit.forget();
    }
}

/// The books of a world, and the world.
struct Audit<'world> {
    books: &'world Books,
    number: usize,
    world: &'world World,
}

impl<'world> Audit<'world> {
    fn of(books: &'world Books, (number, world): (usize, &'world World)) -> Self {
        Self {
            books,
            number,
            world,
        }
    }

    fn get(&self, count: Count) -> u64 {
        self.books.get(self.number, count)
    }

    /// Deaths after which it may be so or so; where nobody dies, none.
    fn doubts(&self, mark: Mark) -> u64 {
        self.books.near(self.number, mark).load(SeqCst)
    }

    fn while_all_sleep(&self) {
        let Self { world, number, .. } = *self;
        let owed = [0, 1].map(|semaphore| self.books.owed(number, semaphore));
        let permits = [
            &world.semaphore.available_permits(),
            &world.bounded.available_permits(),
        ]
        .map(|&permits| u64::from(permits));
        let expected = [
            self.permits_left(Mark::Semaphore, owed[0], Count::Lost, Count::Refilled),
            self.permits_left(
                Mark::Bounded,
                owed[1],
                Count::LostBounded,
                Count::RefilledBounded,
            ),
        ];
        for (permits, expected) in permits.into_iter().zip(expected) {
            assert!(
                expected.contains(&permits),
                "{permits} permits, not {expected:?}"
            );
        }
        let mail = u64::from(world.mail.available_permits());
        let doubts = self.doubts(Mark::Mail);
        let (posted, taken) = (self.get(Count::Posted), self.get(Count::Taken));
        let is_true = (posted..=posted + doubts).contains(&(taken + mail))
            || (posted.saturating_sub(doubts)..=posted).contains(&(taken + mail));
        assert!(is_true, "{posted} posted, {taken} taken, {mail} there");
        assert_eq!(self.get(Count::Refused), 0);
        let alarms = self.get(Count::Alarms);
        let is_true = world.alarm.is_set() == (alarms > 0) || (alarms > 0 && doubts > 0);
        assert!(is_true, "{alarms} alarms, set: {}", world.alarm.is_set());
        let days = (self.get(Count::DaysBegun), self.get(Count::DaysOver));
        if self.books.deadly.load(SeqCst) == 0 {
            assert_eq!(world.day.is_set(), days.0 > days.1, "{days:?}");
        }
    }

    /// What was there, less what is kept, by the living and the dead.
    fn permits_left(
        &self,
        mark: Mark,
        owed: u64,
        lost: Count,
        refilled: Count,
    ) -> RangeInclusive<u64> {
        let lost = self.get(lost) + self.books.inside(self.number, mark).load(SeqCst);
        let refilled = self.get(refilled);
        let all = u64::from(PERMITS);
        let most = (all + refilled).saturating_sub(owed + lost);
        // One too many, of those that somebody may have kept, may have been refused.
        let least = (all + refilled.min(lost)).saturating_sub(owed + lost + self.doubts(mark));
        least..=most
    }

    fn when_all_are_gone(&self) {
        let locks = [self.world.lock.is_locked(), self.world.nested.is_locked()];
        assert_eq!(locks, [false; 2]);
        self.barrier();
        self.timer();
    }

    fn barrier(&self) {
        let doubts = self.doubts(Mark::Meeting);
        let (came, failed) = (self.get(Count::Came), self.get(Count::Failed));
        let (met, meetings) = (self.get(Count::Met), self.get(Count::Meetings));
        let parties = u64::from(PARTIES);
        let ended = (came.saturating_sub(doubts)..=came).contains(&(met + failed));
        assert!(ended, "{came} came, {met} met, {failed} failed, {doubts}");
        let is_true = met.abs_diff(parties * meetings) <= parties * doubts;
        assert!(is_true, "{met} met in {meetings} meetings, {doubts}");
    }

    fn timer(&self) {
        let timer = &self.world.timer;
        let (cancels, cancelled) = (self.get(Count::Cancels), self.get(Count::Cancelled));
        let doubts = self.doubts(Mark::Timer) + self.get(Count::Abandoned);
        assert!(cancelled <= cancels + doubts, "{cancelled} of {cancels}");
        let state = timer.state();
        assert!(
            state.is_finished() || state == TimerState::Idle,
            "{state:?}"
        );
        if state == TimerState::Abandoned {
            self.books.add(self.number, Count::Abandoned);
        }
        if doubts > 0 {
            // Nobody may be left who would.
            timer.reset();
        }
        let outcome = timer.run(Duration::ZERO, || ()).ok();
        assert!(outcome.is_some(), "it can be run");
        if doubts == 0 {
            let is_pending = u64::from(outcome == Some(TimerOutcome::Cancelled));
            assert_eq!(
                cancels,
                cancelled + is_pending,
                "cancels, and runs that were"
            );
        }
    }
}
