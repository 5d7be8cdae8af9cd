//! Whether somebody hangs. A busy machine lets nobody hang: who is ready to run, or stopped, is not judged
//! by the clock, but by the processor time it has used. Who sleeps needs no processor to be woken by the
//! clock; so if all sleep, for longer than any of them wants to, nobody will ever wake them.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

/// What a thread does, as the kernel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Asleep,
    Stopped,
    /// It runs, or would like to, or waits for a disk.
    Ready,
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    AllAsleep,
    /// They run, and get nowhere.
    Busy,
}

/// How long is too long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Longer than any wait with a timeout, and than a condition's sleepers sleep before they look around.
    pub(crate) asleep: Duration,
    /// Of processor time, of all together.
    pub(crate) busy: Duration,
}

pub(crate) const BOUNDS: Bounds = Bounds {
    asleep: Duration::from_secs(6),
    busy: Duration::from_secs(40),
};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A thread by its process and its own number.
pub(crate) type Task = (u32, u32);

/// Waits until `is_done`, as long as those concerned get on: while `progress` changes, or somebody may
/// yet change it.
pub(crate) fn until(
    bounds: Bounds,
    mut is_done: impl FnMut() -> bool,
    progress: impl Fn() -> u64,
    concerned: impl Fn() -> Vec<Task>,
) -> Result<(), Verdict> {
    let mut patience = Patience::new(bounds, progress());
    let mut next_look = Instant::now() + LOOK_EVERY;
    while !is_done() {
        sleep(Duration::from_millis(1));
        if Instant::now() > next_look {
            patience.look(progress(), &concerned())?;
            next_look = Instant::now() + LOOK_EVERY;
        }
    }
    Ok(())
}

struct Patience {
    bounds: Bounds,
    progress: u64,
    last_look: Instant,
    /// Since the last progress.
    asleep: Duration,
    busy_before: Option<Duration>,
}

impl Patience {
    fn new(bounds: Bounds, progress: u64) -> Self {
        Self {
            bounds,
            progress,
            last_look: Instant::now(),
            asleep: Duration::ZERO,
            busy_before: None,
        }
    }

    fn look(&mut self, progress: u64, concerned: &[Task]) -> Result<(), Verdict> {
        // Whoever looks may have been kept from it, and what was in between was not seen.
        let seen = self.last_look.elapsed().min(2 * LOOK_EVERY);
        self.last_look = Instant::now();
        let looks: Vec<_> = concerned.iter().map(|&task| look_at(task)).collect();
        let busy = looks.iter().map(|&(_, busy)| busy).sum();
        if progress != self.progress {
            self.progress = progress;
            self.asleep = Duration::ZERO;
            self.busy_before = Some(busy);
        }
        let is_over = |state| matches!(state, State::Asleep | State::Gone);
        if looks.iter().all(|&(state, _)| is_over(state)) {
            self.asleep += seen;
        }
        let before = *self.busy_before.get_or_insert(busy);
        if self.asleep > self.bounds.asleep {
            Err(Verdict::AllAsleep)
        } else if busy.saturating_sub(before) > self.bounds.busy {
            Err(Verdict::Busy)
        } else {
            Ok(())
        }
    }
}

/// What a thread does, and how much processor time it has used.
fn look_at((process, thread): Task) -> (State, Duration) {
    let path = format!("/proc/{process}/task/{thread}/stat");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // After the name, in parentheses, which may have anything in it.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let state = match fields.first() {
        Some(&("S" | "I")) => State::Asleep,
        Some(&("T" | "t")) => State::Stopped,
        None | Some(&("Z" | "X")) => State::Gone,
        Some(_) => State::Ready,
    };
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse().ok());
    let ticks: u64 = ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0);
    (state, Duration::from_millis(10 * ticks))
}

pub(crate) fn state_of(process: Pid) -> State {
    let number = process.as_raw().unsigned_abs();
    look_at((number, number)).0
}
