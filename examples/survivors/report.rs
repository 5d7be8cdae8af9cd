//! What the user sees.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use crate::books::Snapshot;

/// A line on the standard error, updated in place on a terminal, a new one every second elsewhere.
pub(crate) struct Progress {
    started: Instant,
    total: Duration,
    next: Instant,
    interval: Duration,
    in_place: bool,
}

impl Progress {
    pub(crate) fn new(total: Duration) -> Self {
        let started = Instant::now();
        let in_place = stderr().is_terminal();
        let interval = Duration::from_millis(if in_place { 200 } else { 1000 });
        Self {
            started,
            total,
            next: started + interval,
            interval,
            in_place,
        }
    }

    pub(crate) fn is_due(&self) -> bool {
        Instant::now() >= self.next
    }

    pub(crate) fn show(&mut self, kills: u64, snapshot: Option<Snapshot>) {
        let Some(snapshot) = snapshot else { return };
        let line = format!(
            "{:4.1} of {} s: {kills} kills, {} poisonings, {} repairs, {} sales, {} tickets left",
            self.started.elapsed().as_secs_f64(),
            self.total.as_secs(),
            snapshot.poisonings,
            snapshot.repairs,
            snapshot.figures.sales,
            snapshot.figures.left,
        );
        if self.in_place {
            eprint!("\r\x1b[K{line}");
        } else {
            eprintln!("{line}");
        }
        self.next = Instant::now() + self.interval;
    }

    pub(crate) fn finish(&self) {
        if self.in_place {
            eprintln!();
        }
    }
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) elapsed: Duration,
    pub(crate) kills: u64,
    /// Of those waits that ended with the lock, not with a kill.
    pub(crate) longest_wait: Duration,
    /// Who waited for ever, in words.
    pub(crate) stuck: Vec<String>,
    /// The last state of the books, and what is wrong with them. `None`: nobody got at them.
    pub(crate) audit: Option<(Snapshot, Vec<String>)>,
}

impl Outcome {
    pub(crate) fn is_good(&self) -> bool {
        let balances = matches!(&self.audit, Some((_, wrong)) if wrong.is_empty());
        balances && self.stuck.is_empty() && self.kills > 0
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed          {}", self.seed)?;
        let seconds = self.elapsed.as_secs_f64();
        writeln!(f, "kills         {} in {seconds:.1} s", self.kills)?;
        if let Some((snapshot, _)) = &self.audit {
            show_counts(f, self.kills, snapshot)?;
        }
        writeln!(f, "longest wait  {:.1?}", self.longest_wait)?;
        show_verdict(f, self)
    }
}

fn show_counts(f: &mut fmt::Formatter<'_>, kills: u64, snapshot: &Snapshot) -> fmt::Result {
    let Snapshot {
        figures,
        poisonings,
        repairs,
    } = snapshot;
    let share = percentage(*poisonings, kills);
    let undone = figures.undone;
    writeln!(
        f,
        "poisonings    {poisonings}: {share:.0} % of the kills hit the lock's holder"
    )?;
    writeln!(f, "repairs       {repairs}: {undone} sales were half done")?;
    writeln!(
        f,
        "sales         {}, {} tickets",
        figures.sales, figures.sold
    )?;
    writeln!(f, "tickets left  {}", figures.left)
}

fn show_verdict(f: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
    for who in &outcome.stuck {
        writeln!(f, "stuck         {who}")?;
    }
    if outcome.kills == 0 {
        writeln!(f, "inconclusive  nobody was killed")?;
    }
    match &outcome.audit {
        None => writeln!(f, "the books could not be audited"),
        Some((_, wrong)) if wrong.is_empty() => writeln!(f, "the books balance"),
        Some((_, wrong)) => writeln!(f, "THE BOOKS DO NOT BALANCE: {}", wrong.join("; ")),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown without decimals")]
fn percentage(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
