//! What a worker does seldom: it ends, with whatever it has; it stops, forks, and has threads.

use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use nix::sys::signal::{Signal, raise};
use procsync::TimerState;

use crate::books::{Count, Mark, PLACES, Presence, Stage, Total};
use crate::forking;
use crate::handlers;
use crate::member::{LOCK, Member};
use crate::memory::Usage;
use crate::plan::{Part, Plan};
use crate::worker::Worker;
use crate::world::WORLDS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Exit,
    ExitAmongThreads,
    ExitInTimer,
    Leak,
    Exec,
    Panic,
    StartThread,
    EndThreads,
    Fork,
    ForkHolding,
    ForkWaiting,
    Pose,
}

/// How a process ends that was not killed and was not called home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    Exit = 1,
    Exec,
}

impl Act {
    pub(crate) const ALL: [(Self, Part); 12] = [
        (Self::Exit, Part::Exits),
        (Self::ExitAmongThreads, Part::Exits),
        (Self::ExitInTimer, Part::Exits),
        (Self::Leak, Part::Exits),
        (Self::Exec, Part::Execs),
        (Self::Panic, Part::Panics),
        (Self::StartThread, Part::Threads),
        (Self::EndThreads, Part::Threads),
        (Self::Fork, Part::Forks),
        (Self::ForkHolding, Part::Forks),
        (Self::ForkWaiting, Part::Forks),
        (Self::Pose, Part::Stops),
    ];

    /// Those that a plan has.
    pub(crate) fn all_of(plan: &Plan) -> Vec<Self> {
        let all = Self::ALL.iter().filter(|(_, part)| plan.has(*part));
        all.map(|&(act, _)| act).collect()
    }
}

impl Worker {
    pub(crate) fn perform(&mut self, act: Act) {
        let world = self.member.random.usize(..WORLDS);
        match act {
            Act::Exit => self.exit_holding(world),
            Act::ExitAmongThreads => {
                self.start_thread();
                self.await_thread();
                self.exit_holding(world);
            }
            Act::ExitInTimer => self.exit_in_timer(world),
            Act::Leak => self.leak(world),
            Act::Exec => self.exec_holding(world),
            Act::Panic => self.panic(world),
            Act::StartThread => self.start_thread(),
            Act::EndThreads => self.end_threads(world),
            Act::Fork => forking::fork_with_lock_and_permit(self, world),
            Act::ForkHolding => forking::fork_with_nested_and_bounded(self, world),
            Act::ForkWaiting => forking::fork_in_predicate(self, world),
            Act::Pose => pose(&mut self.member, world),
        }
    }

    fn say_farewell(&self, farewell: Farewell) {
        self.member.books().doom(self.place());
        let word = &self.member.desk().farewell;
        word.store(farewell as u32, SeqCst);
    }

    /// Takes what it can, and begins a change.
    fn take_much(&mut self, world: usize) {
        let other = (world + 1) % WORLDS;
        let member = &mut self.member;
        let account = member.take_lock(world, None).expect("it waits");
        account.begun.fetch_add(1, SeqCst);
        std::mem::forget(account);
        let patience = member.patience();
        if let Some(account) = member.take_nested(other, Some(patience)) {
            std::mem::forget(account);
        }
        member.desk().set(other, Mark::Semaphore, Stage::Near);
        if let Some(permit) = member.world(other).semaphore.try_acquire() {
            member.desk().set(other, Mark::Semaphore, Stage::Inside);
            permit.forget();
        } else {
            member.desk().set(other, Mark::Semaphore, Stage::Away);
        }
    }

    fn exit_holding(&mut self, world: usize) {
        self.take_much(world);
        self.leave_for_good();
    }

    fn leave_for_good(&self) {
        self.say_farewell(Farewell::Exit);
        // SAFETY: ends the process.
        unsafe { libc::_exit(0) }
    }

    /// In the function that the timer calls.
    fn exit_in_timer(&mut self, world: usize) {
        let (books, timer) = (self.member.books(), &self.member.world(world).timer);
        self.member.desk().set(world, Mark::Timer, Stage::Near);
        loop {
            match timer.run(Duration::ZERO, || self.leave_for_good()) {
                Ok(_) => {
                    books.add(world, Count::Cancelled);
                    timer.reset();
                }
                Err(_) => self.await_timer(world),
            }
        }
    }

    fn await_timer(&self, world: usize) {
        let timer = &self.member.world(world).timer;
        let state = timer.wait_timeout(Duration::from_millis(1));
        if state == TimerState::Abandoned && timer.reset() {
            self.member.books().add(world, Count::Abandoned);
        }
    }

    /// Until it has got somewhere: then it is often in the middle of a wait.
    fn await_thread(&self) {
        let beside = &self.member.books().desks[self.place() + PLACES];
        let before = beside.operations.load(SeqCst);
        while beside.operations.load(SeqCst) < before + 10 && !self.member.books().is_over() {
            std::thread::yield_now();
        }
    }

    fn exec_holding(&mut self, world: usize) {
        self.take_much(world);
        handlers::block();
        self.say_farewell(Farewell::Exec);
        let failed = Command::new("/bin/true").exec();
        panic!("{failed}");
    }

    /// In the middle of a change; it is another afterwards.
    fn panic(&mut self, world: usize) {
        let member = &mut self.member;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let account = member.take_lock(world, None).expect("it waits");
            account.begun.fetch_add(1, SeqCst);
            member.desk().doom();
            // Without the message.
            resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        self.member.books().pass_away(self.place());
        let panics = self.member.books().total(Total::Panics);
        panics.fetch_add(1, SeqCst);
    }

    /// A thread ends with a lock, which stays locked as long as the process lives.
    fn leak(&mut self, world: usize) {
        if self.thread.is_some() {
            return;
        }
        let (storm, desk) = (self.member.storm, self.place() + PLACES);
        let seed = self.member.random.u64(..);
        let thread = std::thread::spawn(move || {
            handlers::block();
            let mut member = Member::arrive(storm, desk, seed);
            let account = member.take_lock(world, None).expect("it waits");
            account.begun.fetch_add(1, SeqCst);
            std::mem::forget(account);
        });
        thread.join().expect("it has not panicked");
        let lock = &self.member.world(world).lock;
        assert!(lock.is_locked() && !lock.is_poisoned());
        let leaks = self.member.books().total(Total::Leaks);
        leaks.fetch_add(1, SeqCst);
        self.leave_for_good();
    }

    /// What they needed is used again.
    fn end_threads(&mut self, world: usize) {
        if self.thread.is_some() || self.child.is_some() {
            return;
        }
        // The first ones find nothing to use again.
        self.start_and_end_threads(world, 2);
        let before = Usage::now();
        self.start_and_end_threads(world, 50);
        let now = Usage::now();
        assert!(now.is_flat_since(before), "{before:?}, then {now:?}");
    }

    fn start_and_end_threads(&mut self, world: usize, number: u64) {
        let (storm, desk) = (self.member.storm, self.place() + PLACES);
        for _ in 0..number {
            let seed = self.member.random.u64(..);
            let thread = std::thread::spawn(move || {
                handlers::block();
                let mut member = Member::arrive(storm, desk, seed);
                if let Some(account) = member.take_lock(world, None) {
                    member.change(world, LOCK, &account);
                    member.leave_lock(world, account);
                }
                member.desk().operations.fetch_add(1, SeqCst);
                member.desk().set_presence(Presence::Absent);
            });
            thread.join().expect("it has not panicked");
        }
        let ended = self.member.books().total(Total::ThreadsEnded);
        ended.fetch_add(number, SeqCst);
    }
}

/// Stops itself with a lock, for the supervisor to look at.
fn pose(member: &mut Member, world: usize) {
    let account = member.take_lock(world, None).expect("it waits");
    let number = u32::try_from(world).expect("few") + 1;
    let posing = &member.desk().posing;
    posing.store(number, SeqCst);
    // It may be let go by a sign that was for another stop.
    while posing.load(SeqCst) != 0 {
        raise(Signal::SIGSTOP).expect("a process may stop itself");
    }
    member.leave_lock(world, account);
}
