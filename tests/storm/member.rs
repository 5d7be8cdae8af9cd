//! One who takes part: a thread at a desk. How it takes the locks, and keeps the books of it.
//!
//! It panics where it is not told the truth.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use fastrand::Rng;
use procsync::{AcquireError, LockGuard, RLockGuard};

use crate::books::{Books, Count, Desk, Mark, PLACES, Presence, Stage};
use crate::plan::Part;
use crate::storm::Storm;
use crate::world::{Account, World};

pub(crate) struct Member {
    pub(crate) storm: &'static Storm,
    pub(crate) number: usize,
    pub(crate) random: Rng,
}

/// One of the two locks of a world, in the books.
#[derive(Clone, Copy)]
pub(crate) struct Which {
    pub(crate) index: usize,
    pub(crate) mark: Mark,
}

pub(crate) const LOCK: Which = Which {
    index: 0,
    mark: Mark::Lock,
};
pub(crate) const NESTED: Which = Which {
    index: 1,
    mark: Mark::Nested,
};

impl Member {
    /// Sits down at a desk.
    pub(crate) fn arrive(storm: &'static Storm, number: usize, seed: u64) -> Self {
        let desk = &storm.books.desks[number];
        desk.process.store(std::process::id(), SeqCst);
        let thread = nix::unistd::gettid().as_raw().unsigned_abs();
        desk.thread.store(thread, SeqCst);
        desk.set_presence(Presence::Working);
        Self::aside(storm, number, seed)
    }

    /// One that nobody waits for.
    pub(crate) fn aside(storm: &'static Storm, number: usize, seed: u64) -> Self {
        Self {
            storm,
            number,
            random: Rng::with_seed(seed),
        }
    }

    pub(crate) fn books(&self) -> &'static Books {
        &self.storm.books
    }

    pub(crate) fn desk(&self) -> &'static Desk {
        &self.books().desks[self.number]
    }

    pub(crate) fn world(&self, index: usize) -> &'static World {
        &self.storm.worlds.all[index]
    }

    /// In what a lock protects. Never 0.
    pub(crate) fn name(&self) -> u64 {
        let desk = self.number as u64 + 1;
        desk << 32 | self.desk().generation.load(SeqCst)
    }

    /// A process, and nobody's child but the supervisor's.
    pub(crate) fn receives_signals(&self) -> bool {
        self.number < PLACES && self.storm.plan.has(Part::Signals)
    }

    pub(crate) fn patience(&mut self) -> Duration {
        Duration::from_micros(self.random.u64(..3_000))
    }

    /// Seldom, and long enough to be killed meanwhile.
    pub(crate) fn linger(&mut self) {
        if self.random.u32(..10) == 0 {
            std::thread::sleep(Duration::from_micros(300));
        }
    }

    /// `None` for as long as it takes. `None`: it took too long.
    pub(crate) fn take_lock(
        &mut self,
        world: usize,
        patience: Option<Duration>,
    ) -> Option<LockGuard<'static, Account>> {
        let lock = &self.world(world).lock;
        self.approach(world, LOCK);
        let taken = match patience {
            None => lock.acquire(),
            Some(patience) => lock.acquire_timeout(patience),
        };
        match taken {
            Ok(account) => {
                self.enter(world, LOCK, &account);
                Some(account)
            }
            Err(AcquireError::Poisoned(account)) => {
                self.enter_after_death(world, LOCK, &account);
                lock.clear_poison();
                Some(account)
            }
            Err(error) => self.give_up(world, LOCK, error.without_guard()),
        }
    }

    pub(crate) fn take_nested(
        &mut self,
        world: usize,
        patience: Option<Duration>,
    ) -> Option<RLockGuard<'static, Account>> {
        let lock = &self.world(world).nested;
        self.approach(world, NESTED);
        let taken = match patience {
            None => lock.acquire(),
            Some(patience) => lock.acquire_timeout(patience),
        };
        match taken {
            Ok(account) => {
                assert_eq!(account.depth(), 1, "nobody has it");
                self.enter(world, NESTED, &account);
                Some(account)
            }
            Err(AcquireError::Poisoned(account)) => {
                self.enter_after_death(world, NESTED, &account);
                lock.clear_poison();
                Some(account)
            }
            Err(error) => self.give_up(world, NESTED, error.without_guard()),
        }
    }

    fn give_up<G>(&self, world: usize, which: Which, error: AcquireError<()>) -> Option<G> {
        assert!(matches!(error, AcquireError::TimedOut), "{error}");
        self.desk().set(world, which.mark, Stage::Away);
        None
    }

    fn approach(&self, world: usize, which: Which) {
        self.desk().set(world, which.mark, Stage::Near);
    }

    /// It has the lock, which is not poisoned.
    pub(crate) fn enter(&self, world: usize, which: Which, account: &Account) {
        let before = account.holder.swap(self.name(), SeqCst);
        self.desk().set(world, which.mark, Stage::Inside);
        assert_eq!(before, 0, "its holder is gone, or has it still; no poison");
        let logged = self.books().logged(world, which.index);
        let sums = (account.begun.load(SeqCst), account.done.load(SeqCst));
        assert_eq!(sums, (logged, logged), "half a change, and no poison");
    }

    /// It has the lock, which is poisoned.
    pub(crate) fn enter_after_death(&self, world: usize, which: Which, account: &Account) {
        self.desk().observing.store(1, SeqCst);
        let before = account.holder.swap(self.name(), SeqCst);
        self.desk().set(world, which.mark, Stage::Inside);
        self.note_poison(world, which, before);
        self.desk().observing.store(0, SeqCst);
        let logged = self.books().logged(world, which.index);
        let (begun, done) = (account.begun.load(SeqCst), account.done.load(SeqCst));
        let is_plausible = begun - done <= 1 && (logged == begun || logged == done);
        assert!(is_plausible, "{begun} begun, {done} done, {logged} logged");
        account.begun.store(logged, SeqCst);
        account.done.store(logged, SeqCst);
    }

    /// Once for every death, and never for the living.
    fn note_poison(&self, world: usize, which: Which, holder: u64) {
        if holder == 0 {
            return self.books().add(world, Count::Blanks);
        }
        let number = usize::try_from(holder >> 32).expect("a desk") - 1;
        let generation = holder & u64::from(u32::MAX);
        let dead = &self.books().desks[number];
        let doomed = dead.doomed.load(SeqCst);
        assert!(generation <= doomed, "poison, and its holder lives");
        let last = dead.buried[world][which.index].fetch_max(generation, SeqCst);
        assert!(last < generation, "poison seen twice for one death");
        self.books().add(world, Count::Poisonings);
    }

    /// It is about to give the lock back, or to wait.
    pub(crate) fn step_out(&self, world: usize, which: Which, account: &Account) {
        self.desk().set(world, which.mark, Stage::Near);
        account.holder.store(0, SeqCst);
    }

    pub(crate) fn leave_lock(&self, world: usize, account: LockGuard<'_, Account>) {
        self.step_out(world, LOCK, &account);
        drop(account);
        self.desk().set(world, Mark::Lock, Stage::Away);
    }

    pub(crate) fn leave_nested(&self, world: usize, account: RLockGuard<'_, Account>) {
        self.step_out(world, NESTED, &account);
        drop(account);
        self.desk().set(world, Mark::Nested, Stage::Away);
    }

    /// One more, in two steps, with the log between them.
    pub(crate) fn change(&mut self, world: usize, which: Which, account: &Account) {
        account.begun.fetch_add(1, SeqCst);
        self.linger();
        self.desk().logged[world][which.index].fetch_add(1, SeqCst);
        self.linger();
        account.done.fetch_add(1, SeqCst);
    }
}
