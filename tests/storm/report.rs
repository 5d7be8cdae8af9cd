//! The figures.

use std::fmt;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::acts::Farewell;
use crate::books::{Books, Count, PLACES, Total, WORKERS};
use crate::common::End;
use crate::deeds::DEEDS;
use crate::memory::Figures;
use crate::plan::{Part, Plan};

pub(crate) struct Report {
    pub(crate) rounds: u64,
    pub(crate) kills: u64,
    pub(crate) storms: u64,
    pub(crate) exits: u64,
    pub(crate) execs: u64,
    pub(crate) stops: u64,
    pub(crate) stopped_owners: u64,
    pub(crate) killed_stopped: u64,
    pub(crate) signals: u64,
    pub(crate) starved: u64,
    progress: u64,
    last_progress: Instant,
    longest_standstill: Duration,
    /// The supervisor's.
    memory: Figures,
    books: &'static Books,
}

impl Report {
    pub(crate) fn new(books: &'static Books) -> Self {
        Self {
            rounds: 0,
            kills: 0,
            storms: 0,
            exits: 0,
            execs: 0,
            stops: 0,
            stopped_owners: 0,
            killed_stopped: 0,
            signals: 0,
            starved: 0,
            progress: 0,
            last_progress: Instant::now(),
            longest_standstill: Duration::ZERO,
            memory: Figures::default(),
            books,
        }
    }

    pub(crate) fn note_progress(&mut self, books: &Books) {
        let progress = books.progress();
        if progress != self.progress {
            let standstill = self.last_progress.elapsed();
            self.longest_standstill = self.longest_standstill.max(standstill);
            self.progress = progress;
            self.last_progress = Instant::now();
        }
    }

    pub(crate) fn note_end(&mut self, end: Option<End>, farewell: u32) {
        let is = |kind: Farewell| farewell == kind as u32;
        match end {
            Some(End::Killed(Signal::SIGKILL)) => self.kills += 1,
            Some(End::Exited(0)) if is(Farewell::Exit) => self.exits += 1,
            Some(End::Exited(0)) if is(Farewell::Exec) => self.execs += 1,
            _ => {}
        }
    }

    /// Nobody is there, so that nobody gets on, until the next one.
    pub(crate) fn close_round(&mut self, books: &Books) {
        self.note_progress(books);
        self.last_progress = Instant::now();
        self.memory.note();
        self.rounds += 1;
    }

    /// Of this process and the elders.
    pub(crate) fn check_memory(&self) {
        let elders = self.books.desks[WORKERS..PLACES].iter();
        let elders = elders.map(|desk| &desk.memory);
        for figures in elders.chain([&self.memory]) {
            let (first, last) = (figures.first(), figures.last());
            assert!(last.is_flat_since(first), "{first:?}, then {last:?}");
        }
    }

    pub(crate) fn has_all_deeds(&self) -> bool {
        let mut deeds = self.books.deeds[..DEEDS.len()].iter();
        deeds.all(|deed| deed.load(SeqCst) > 0)
    }

    /// Everything in the plan has happened.
    pub(crate) fn check_coverage(&self, plan: &Plan) {
        let deaths = self.count(Count::Poisonings);
        let expected = [
            (Part::Kills, "kills", self.kills),
            (Part::Kills, "storms of kills", self.storms),
            (Part::Exits, "exits", self.exits),
            (
                Part::Exits,
                "threads that leaked a lock",
                self.total(Total::Leaks),
            ),
            (Part::Execs, "execs", self.execs),
            (Part::Panics, "panics", self.total(Total::Panics)),
            (Part::Exits, "poisonings", deaths),
            (
                Part::Exits,
                "abandoned timers",
                self.count(Count::Abandoned),
            ),
            (Part::Execs, "poisonings", deaths),
            (Part::Panics, "poisonings", deaths),
            (Part::Threads, "threads", self.total(Total::ThreadsEnded)),
            (Part::Forks, "forks", self.total(Total::Forks)),
            (Part::Forks, "inert guards", self.total(Total::Inert)),
            (Part::Stops, "stops", self.stops),
            (Part::Stops, "stopped owners", self.stopped_owners),
            (Part::Signals, "signals", self.total(Total::Handled)),
            (Part::Starvation, "starved", self.starved),
        ];
        for (part, what, number) in expected {
            assert!(!plan.has(part) || number > 0, "no {what}");
        }
    }

    pub(crate) fn count(&self, count: Count) -> u64 {
        self.books.settled(count)
    }

    pub(crate) fn total(&self, total: Total) -> u64 {
        self.books.total(total).load(SeqCst)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let books = self.books;
        let deeds = books.deeds.iter().map(|deed| deed.load(SeqCst));
        writeln!(f, "rounds        {}", self.rounds)?;
        writeln!(f, "operations    {}", deeds.clone().sum::<u64>())?;
        for ((name, _), number) in DEEDS.iter().zip(deeds) {
            writeln!(f, "  {number:>9}   {name}")?;
        }
        writeln!(
            f,
            "deaths        {} killed ({} storms, {} stopped with a lock), {} by exit, {} by exec, {} panics, {} threads with a lock",
            self.kills,
            self.storms,
            self.killed_stopped,
            self.exits,
            self.execs,
            self.total(Total::Panics),
            self.total(Total::Leaks),
        )?;
        writeln!(
            f,
            "recoveries    {} poisonings ({} more of unknown holders), {} barriers reset, {} timers abandoned",
            self.count(Count::Poisonings),
            self.count(Count::Blanks),
            self.count(Count::Resets),
            self.count(Count::Abandoned),
        )?;
        writeln!(
            f,
            "lasting       {} meetings, {} fired, {} cancelled, {} mails of {} taken",
            self.count(Count::Meetings),
            self.count(Count::Fired),
            self.count(Count::Cancelled),
            self.count(Count::Taken),
            self.count(Count::Posted),
        )?;
        writeln!(
            f,
            "stops         {}, and {} of owners; {} starved",
            self.stops, self.stopped_owners, self.starved
        )?;
        writeln!(
            f,
            "signals       {} sent, {} handled",
            self.signals,
            self.total(Total::Handled)
        )?;
        writeln!(
            f,
            "forks         {}; threads ended {}; worlds opened {}",
            self.total(Total::Forks),
            self.total(Total::ThreadsEnded),
            self.total(Total::Reopened)
        )?;
        writeln!(f, "standstill    {:.1?}", self.longest_standstill)?;
        let elder = &books.desks[WORKERS].memory;
        writeln!(f, "an elder      {}, then {}", elder.first(), elder.last())?;
        let memory = &self.memory;
        writeln!(
            f,
            "supervisor    {}, then {}",
            memory.first(),
            memory.last()
        )
    }
}
