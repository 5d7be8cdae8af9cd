//! Starts the workers, kills them, and sees to it that nobody waits for ever.

use std::error::Error;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastrand::Rng;
use procsync::{AcquireError, LockGuard, Shared};

use crate::Options;
use crate::books::Books;
use crate::desk::{Desk, OTHERS};
use crate::office::Office;
use crate::report::{Deaths, Outcome, Progress};
use crate::till::Till;
use crate::worker::Role;

/// Nobody waits that long while nobody is killed, unless nobody will ever wake them. On an idle
/// machine it is some milliseconds.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// Then they may meet in peace. Otherwise, if they are killed faster than they can be started, they
/// never would.
const MOST_KILLS_A_NIGHT: u32 = 3;

const SIGKILL: i32 = 9;

/// Runs an office from opening to audit.
pub(crate) fn run(options: &Options, seed: u64) -> Result<Outcome, Box<dyn Error>> {
    let mut supervisor = Supervisor::open(options, seed)?;
    let started = Instant::now();
    supervisor.kill_and_replace(options)?;
    let elapsed = started.elapsed();
    supervisor.close()?;
    let office = supervisor.office.clone();
    let audit = supervisor.inspect(|books| {
        let mut wrong = books.audit(&office.till);
        wrong.extend(office.counters.audit());
        (books.snapshot(), wrong)
    });
    Ok(Outcome {
        seed,
        elapsed,
        deaths: supervisor.deaths.clone(),
        longest_wait: office.longest_wait(),
        till_poisonings: Till::poisonings(&office.till),
        counters: office.counters.number(),
        permits_in_vain: office.counters.in_vain(),
        days: office.days(),
        abandoned_days: office.abandoned_days(),
        stuck: supervisor.stuck.clone(),
        audit,
    })
}

struct Supervisor {
    office: Shared<Office>,
    sellers: usize,
    random: Rng,
    /// By desk. `None`: gone home.
    workers: Vec<Option<Child>>,
    kills_tonight: u32,
    deaths: Deaths,
    /// Who was found waiting for ever, in words.
    stuck: Vec<String>,
}

impl Supervisor {
    fn open(options: &Options, seed: u64) -> Result<Self, Box<dyn Error>> {
        let id = std::process::id();
        let office = Office::new(options.tickets, options.workers, options.day(), id);
        let mut supervisor = Self {
            office: Shared::anonymous(office)?,
            sellers: options.workers,
            random: Rng::with_seed(seed),
            workers: Vec::new(),
            kills_tonight: 0,
            deaths: Deaths::default(),
            stuck: Vec::new(),
        };
        for desk in 0..options.workers + OTHERS {
            let worker = supervisor.start(desk)?;
            supervisor.workers.push(Some(worker));
        }
        Ok(supervisor)
    }

    /// This program again, with the shared memory as its standard input.
    fn start(&mut self, desk: usize) -> io::Result<Child> {
        let office = self.office.as_fd().try_clone_to_owned()?;
        Command::new(std::env::current_exe()?)
            .arg(format!("--desk={desk}"))
            .arg(format!("--workers={}", self.sellers))
            .arg(format!("--seed={}", self.random.u64(..)))
            .stdin(Stdio::from(office))
            .spawn()
    }

    fn kill_and_replace(&mut self, options: &Options) -> Result<(), Box<dyn Error>> {
        let mut progress = Progress::new(options.seconds);
        let mut last_kill = Instant::now();
        let end = last_kill + options.seconds;
        while self.office.is_in_business() && self.stuck.is_empty() && last_kill < end {
            sleep(options.kill_every.saturating_sub(last_kill.elapsed()));
            self.keep_the_peace();
            last_kill = Instant::now();
            let desk = self.random.usize(..self.workers.len());
            self.replace(desk)?;
            if progress.is_due() {
                self.call_the_roll();
                let snapshot = self.inspect(|books| books.snapshot());
                progress.show(self.deaths.all(), snapshot);
            }
        }
        progress.finish();
        Ok(())
    }

    /// Kills the worker at that desk, wherever it is, and puts another there.
    fn replace(&mut self, desk: usize) -> Result<(), Box<dyn Error>> {
        if let Some(mut victim) = self.workers[desk].take() {
            victim.kill()?;
            let status = victim.wait()?;
            if status.signal() == Some(SIGKILL) {
                self.clear_up(desk);
            } else {
                check(status)?;
            }
        }
        self.workers[desk] = Some(self.start(desk)?);
        Ok(())
    }

    /// The primitives look after themselves, but for what has no owner: a permit.
    fn clear_up(&mut self, desk: usize) {
        let task = self.office.desks[desk].retire();
        let had_counter = match Role::of(desk, self.sellers) {
            Role::Seller => self.office.counters.clear_up(desk),
            Role::Porter => {
                self.office.place_order();
                false
            }
            Role::Guard => false,
        };
        self.deaths.note(task, had_counter);
    }

    /// Lets the sellers meet, once it was tried in vain some times.
    fn keep_the_peace(&mut self) {
        let office = self.office.clone();
        if office.open.is_set() {
            self.kills_tonight = 0;
        } else if self.kills_tonight < MOST_KILLS_A_NIGHT {
            self.kills_tonight += 1;
        } else if office.open.wait_timeout(STUCK_AFTER) || !office.is_in_business() {
            self.kills_tonight = 0;
        } else {
            self.report_stuck(|_, _| true);
        }
    }

    /// While nobody is killed, everybody must get on. (Otherwise one that waits for ever might be
    /// killed and replaced before it is missed.)
    fn call_the_roll(&mut self) {
        let deadline = Instant::now() + STUCK_AFTER;
        let office = self.office.clone();
        let desks = &office.desks[..self.workers.len()];
        let before: Vec<u64> = desks.iter().map(Desk::progress).collect();
        let is_late = |number: usize, desk: &Desk| {
            desk.progress() == before[number] && office.is_in_business()
        };
        for (number, desk) in desks.iter().enumerate() {
            while is_late(number, desk) {
                if Instant::now() > deadline {
                    return self.report_stuck(is_late);
                }
                sleep(Duration::from_millis(1));
            }
        }
    }

    fn report_stuck(&mut self, is_stuck: impl Fn(usize, &Desk) -> bool) {
        if !self.stuck.is_empty() {
            return; // Who they wait for is known.
        }
        for (number, desk) in self.office.desks[..self.workers.len()].iter().enumerate() {
            if is_stuck(number, desk) {
                let role = Role::of(number, self.sellers);
                let task = desk.doing().name();
                let who = format!("the {role} at desk {number} makes no progress: it is {task}");
                self.stuck.push(who);
            }
        }
    }

    /// Everybody finishes the work at hand and goes home.
    fn close(&mut self) -> Result<(), Box<dyn Error>> {
        let office = self.office.clone();
        self.inspect(|books| office.close_down(books));
        let deadline = Instant::now() + STUCK_AFTER;
        for (desk, place) in self.workers.iter_mut().enumerate() {
            let Some(mut worker) = place.take() else {
                continue;
            };
            if let Some(status) = wait_until(&mut worker, deadline, || office.dismiss_guards())? {
                check(status)?;
            } else {
                let task = office.desks[desk].doing().name();
                self.stuck.push(format!(
                    "the worker at desk {desk} did not go home: it is {task}"
                ));
                worker.kill()?;
                worker.wait()?;
            }
        }
        Ok(())
    }

    /// Looks into the books. The supervisor takes the lock as all others do, and repairs if need be,
    /// but it does not wait for ever. `None`: it would have had to.
    fn inspect<R>(&mut self, look: impl FnOnce(&LockGuard<'_, Books>) -> R) -> Option<R> {
        let lock = &self.office.books;
        match lock.acquire_timeout(STUCK_AFTER) {
            Ok(books) => Some(look(&books)),
            Err(AcquireError::Poisoned(mut books)) => {
                books.repair(&self.office.till);
                lock.clear_poison();
                Some(look(&books))
            }
            Err(error) => {
                self.stuck.push(format!("the supervisor: {error}"));
                None
            }
        }
    }
}

/// Nobody outlives an error of the supervisor's.
impl Drop for Supervisor {
    fn drop(&mut self) {
        for worker in self.workers.iter_mut().flatten() {
            // It may be gone already, and there is nobody to tell.
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

/// `None`: it is running still, though it was told to go, again and again.
fn wait_until(
    worker: &mut Child,
    deadline: Instant,
    tell: impl Fn(),
) -> io::Result<Option<ExitStatus>> {
    loop {
        let status = worker.try_wait()?;
        if status.is_some() || Instant::now() > deadline {
            return Ok(status);
        }
        tell();
        sleep(Duration::from_millis(1));
    }
}

/// A worker that was not killed must have gone home in good order.
fn check(status: ExitStatus) -> Result<(), Box<dyn Error>> {
    if status.success() {
        Ok(())
    } else {
        Err(format!("a worker failed: {status}").into())
    }
}
