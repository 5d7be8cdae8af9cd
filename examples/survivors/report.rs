//! What the user sees.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use crate::books::Snapshot;
use crate::desk::Task;

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
            snapshot.figures.left(),
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

/// Whom the supervisor has killed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deaths {
    by_task: [u64; Task::ALL.len()],
    with_counter: u64,
}

impl Deaths {
    pub(crate) fn note(&mut self, task: Task, had_counter: bool) {
        self.by_task[task as usize] += 1;
        self.with_counter += u64::from(had_counter);
    }

    pub(crate) fn all(&self) -> u64 {
        self.by_task.iter().sum()
    }

    fn of(&self, task: Task) -> u64 {
        self.by_task[task as usize]
    }
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) elapsed: Duration,
    pub(crate) deaths: Deaths,
    /// For the books; of those waits that ended with the lock, not with a kill.
    pub(crate) longest_wait: Duration,
    pub(crate) till_poisonings: u64,
    pub(crate) counters: u32,
    pub(crate) permits_in_vain: u64,
    pub(crate) days: u64,
    pub(crate) abandoned_days: u64,
    /// Who waited for ever, in words.
    pub(crate) stuck: Vec<String>,
    /// The last state of the books, and what is wrong with them. `None`: nobody got at them.
    pub(crate) audit: Option<(Snapshot, Vec<String>)>,
}

impl Outcome {
    pub(crate) fn is_good(&self) -> bool {
        let balances = matches!(&self.audit, Some((_, wrong)) if wrong.is_empty());
        balances && self.stuck.is_empty() && self.deaths.all() > 0
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed          {}", self.seed)?;
        let seconds = self.elapsed.as_secs_f64();
        writeln!(f, "kills         {} in {seconds:.1} s", self.deaths.all())?;
        if let Some((snapshot, _)) = &self.audit {
            show_sales(f, self.deaths.all(), snapshot)?;
            writeln!(f, "longest wait  {:.1?}", self.longest_wait)?;
            show_primitives(f, self, snapshot)?;
        }
        show_verdict(f, self)
    }
}

fn show_sales(f: &mut fmt::Formatter<'_>, kills: u64, snapshot: &Snapshot) -> fmt::Result {
    let Snapshot {
        figures,
        poisonings,
        repairs,
        ..
    } = snapshot;
    let share = percentage(*poisonings, kills);
    let undone = figures.undone;
    writeln!(
        f,
        "poisonings    {poisonings}: {share:.0} % of the kills hit the lock's holder"
    )?;
    writeln!(
        f,
        "repairs       {repairs}: {undone} sales or deliveries were half done"
    )?;
    writeln!(
        f,
        "sales         {}, {} tickets",
        figures.sales, figures.sold
    )?;
    writeln!(f, "tickets left  {}", figures.left())
}

/// For each primitive, what it did, and what deaths did to it.
fn show_primitives(
    f: &mut fmt::Formatter<'_>,
    outcome: &Outcome,
    snapshot: &Snapshot,
) -> fmt::Result {
    let mut line = |primitive, what: fmt::Arguments<'_>| writeln!(f, "  {primitive:<17} {what}");
    let died = |task| outcome.deaths.of(task);

    let sales = snapshot.figures.sales;
    let waiting = died(Task::WaitingForBooks);
    line(
        "Lock",
        format_args!("{sales} sales; {waiting} died waiting for it"),
    )?;

    let poisonings = outcome.till_poisonings;
    line("RLock", format_args!("{poisonings} poisonings of the till"))?;

    let Outcome {
        counters,
        permits_in_vain,
        ..
    } = outcome;
    let (inside, waiting) = (outcome.deaths.with_counter, died(Task::WaitingForCounter));
    line(
        "BoundedSemaphore",
        format_args!(
            "{inside} died at one of {counters} counters, {waiting} waiting; {permits_in_vain} surplus permits consumed"
        ),
    )?;

    let deliveries = snapshot.figures.deliveries;
    let (waiting, delivering) = (died(Task::WaitingForOrder), died(Task::Delivering));
    line(
        "Semaphore",
        format_args!(
            "{deliveries} deliveries ordered; {waiting} died waiting for an order, {delivering} delivering"
        ),
    )?;

    let waiting = died(Task::WaitingForTickets);
    line(
        "Condition",
        format_args!("{waiting} died waiting for a delivery"),
    )?;

    let (days, waiting) = (outcome.days, died(Task::WaitingForOpening));
    line(
        "Event",
        format_args!("{days} days; {waiting} died waiting for the opening"),
    )?;

    let (broken, meeting) = (snapshot.broken_meetings, died(Task::Meeting));
    line(
        "Barrier",
        format_args!("{broken} meetings broken; {meeting} died meeting"),
    )?;

    let abandoned = outcome.abandoned_days;
    let (running, waiting) = (died(Task::RunningTheDay), died(Task::WatchingTheDay));
    line(
        "Timer",
        format_args!(
            "abandoned {abandoned} times; {running} died running it, {waiting} waiting for it"
        ),
    )
}

fn show_verdict(f: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
    for who in &outcome.stuck {
        writeln!(f, "stuck         {who}")?;
    }
    if outcome.deaths.all() == 0 {
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
