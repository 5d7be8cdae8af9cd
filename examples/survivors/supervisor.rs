//! Starts the workers, kills them, and sees to it that nobody waits for ever.

use std::error::Error;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastrand::Rng;
use procsync::{AcquireError, Shared};

use crate::Options;
use crate::books::{Books, Desk, Office};
use crate::report::{Outcome, Progress};

/// Nobody waits for the lock that long, unless nobody will ever wake them. On an idle machine the
/// longest wait is some milliseconds.
const STUCK_AFTER: Duration = Duration::from_secs(10);

const SIGKILL: i32 = 9;

/// Runs an office from opening to audit.
pub(crate) fn run(options: &Options, seed: u64) -> Result<Outcome, Box<dyn Error>> {
    let mut supervisor = Supervisor::open(options, seed)?;
    let started = Instant::now();
    supervisor.kill_and_replace(options)?;
    let elapsed = started.elapsed();
    supervisor.close()?;
    let audit = supervisor.inspect(|books| (books.snapshot(), books.audit()));
    Ok(Outcome {
        seed,
        elapsed,
        kills: supervisor.kills,
        longest_wait: supervisor.longest_wait(),
        stuck: supervisor.stuck.clone(),
        audit,
    })
}

struct Supervisor {
    office: Shared<Office>,
    random: Rng,
    /// By desk. `None`: gone home.
    workers: Vec<Option<Child>>,
    kills: u64,
    /// Who was found waiting for ever, in words.
    stuck: Vec<String>,
}

impl Supervisor {
    fn open(options: &Options, seed: u64) -> Result<Self, Box<dyn Error>> {
        let mut supervisor = Self {
            office: Shared::anonymous(Office::new(options.tickets, std::process::id()))?,
            random: Rng::with_seed(seed),
            workers: Vec::new(),
            kills: 0,
            stuck: Vec::new(),
        };
        for desk in 0..options.workers {
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
            .arg(format!("--seed={}", self.random.u64(..)))
            .stdin(Stdio::from(office))
            .spawn()
    }

    fn kill_and_replace(&mut self, options: &Options) -> Result<(), Box<dyn Error>> {
        let mut progress = Progress::new(options.seconds);
        let mut last_kill = Instant::now();
        let end = last_kill + options.seconds;
        while self.office.is_open() && self.stuck.is_empty() && last_kill < end {
            sleep(options.kill_every.saturating_sub(last_kill.elapsed()));
            last_kill = Instant::now();
            let desk = self.random.usize(..self.workers.len());
            self.replace(desk)?;
            if progress.is_due() {
                self.call_the_roll();
                let snapshot = self.inspect(Books::snapshot);
                progress.show(self.kills, snapshot);
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
                self.kills += 1;
            } else {
                check(status)?;
            }
        }
        self.workers[desk] = Some(self.start(desk)?);
        Ok(())
    }

    /// While nobody is killed, everybody must get the lock. (Otherwise one that waits for ever might
    /// be killed and replaced before it is missed.)
    fn call_the_roll(&mut self) {
        let deadline = Instant::now() + STUCK_AFTER;
        let desks = &self.office.desks[..self.workers.len()];
        let before: Vec<u64> = desks.iter().map(Desk::served).collect();
        for (number, (desk, before)) in desks.iter().zip(before).enumerate() {
            while desk.served() == before && self.office.is_open() {
                if Instant::now() > deadline {
                    let who = format!("the worker at desk {number} was not served");
                    self.stuck.push(who);
                    return;
                }
                sleep(Duration::from_millis(1));
            }
        }
    }

    /// Everybody finishes the sale at hand and goes home.
    fn close(&mut self) -> Result<(), Box<dyn Error>> {
        self.office.close();
        let deadline = Instant::now() + STUCK_AFTER;
        for (desk, place) in self.workers.iter_mut().enumerate() {
            let Some(mut worker) = place.take() else {
                continue;
            };
            if let Some(status) = wait_until(&mut worker, deadline)? {
                check(status)?;
            } else {
                self.stuck
                    .push(format!("the worker at desk {desk} did not go home"));
                worker.kill()?;
                worker.wait()?;
            }
        }
        Ok(())
    }

    /// Looks into the books. The supervisor takes the lock as all others do, and repairs if need be,
    /// but it does not wait for ever. `None`: it would have had to.
    fn inspect<R>(&mut self, look: impl FnOnce(&Books) -> R) -> Option<R> {
        let lock = &self.office.books;
        match lock.acquire_timeout(STUCK_AFTER) {
            Ok(books) => Some(look(&books)),
            Err(AcquireError::Poisoned(mut books)) => {
                books.repair();
                lock.clear_poison();
                Some(look(&books))
            }
            Err(error) => {
                self.stuck.push(format!("the supervisor: {error}"));
                None
            }
        }
    }

    fn longest_wait(&self) -> Duration {
        let waits = self.office.desks.iter().map(|desk| desk.longest_wait());
        waits.max().unwrap_or_default()
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

/// `None`: it is running still.
fn wait_until(worker: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        let status = worker.try_wait()?;
        if status.is_some() || Instant::now() > deadline {
            return Ok(status);
        }
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
