//! A report for programs.

use std::time::{Duration, UNIX_EPOCH};

use procsync::TimerState;
use procsync::inspect::{self, Life, Number, Poison, State, Structure};
use serde::Serialize;

pub(crate) fn pretty(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n")
}

#[derive(Serialize)]
pub(crate) struct Report<'a> {
    name: &'a str,
    version: u32,
    creator: Thread<'a>,
    created_unix_seconds: u64,
    pid_namespace: u64,
    is_of_this_pid_namespace: bool,
    is_of_this_boot: bool,
    size: u64,
    layout: String,
    structure: &'static str,
    parts: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    path: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(flatten)]
    value: Value<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Value<'a> {
    Number(serde_json::Value),
    Numbers {
        runs: Vec<Run>,
        more: u64,
    },
    Lock {
        holder: Option<Thread<'a>>,
        poison: Option<&'static str>,
        depth: Option<u32>,
        asleep: usize,
    },
    Semaphore {
        permits: u32,
        on_offer: bool,
        bound: Option<u32>,
        asleep: usize,
    },
    Event {
        set: bool,
        generation: u32,
        asleep: usize,
    },
    Condition {
        may_have_waiters: bool,
        notified: u32,
        returning: Vec<Thread<'a>>,
        asleep: usize,
    },
    Barrier {
        parties: u32,
        arrived: u32,
        broken: bool,
        party_died: bool,
        generation: u32,
        leader: Option<Thread<'a>>,
        asleep: usize,
    },
    Timer {
        state: &'static str,
        remaining_seconds: Option<f64>,
        runner: Option<Thread<'a>>,
        runs: u32,
        asleep: usize,
    },
    FutexWord {
        word: u32,
        asleep: usize,
    },
    Bytes {
        first: &'a [u8],
        len: u64,
    },
    More(u64),
    Unknown {},
}

#[derive(Serialize)]
struct Run {
    number: serde_json::Value,
    count: u64,
}

#[derive(Serialize)]
struct Thread<'a> {
    tid: u32,
    life: &'static str,
    name: Option<&'a str>,
    process: Option<u32>,
    process_name: Option<&'a str>,
}

impl<'a> From<&'a inspect::Report> for Report<'a> {
    fn from(report: &'a inspect::Report) -> Self {
        let created = report.created.duration_since(UNIX_EPOCH);
        Self {
            name: &report.name,
            version: report.version,
            creator: thread(report, report.creator),
            created_unix_seconds: created.map_or(0, |created| created.as_secs()),
            pid_namespace: report.pid_namespace,
            is_of_this_pid_namespace: report.is_of_this_pid_namespace,
            is_of_this_boot: report.is_of_this_boot,
            size: report.size,
            layout: format!("{:#018x}", report.layout),
            structure: match report.structure {
                Structure::Described => "described",
                _ => "damaged",
            },
            parts: report.parts.iter().map(|one| part(report, one)).collect(),
        }
    }
}

fn part<'a>(report: &'a inspect::Report, part: &'a inspect::Part) -> Part<'a> {
    Part {
        path: &part.path,
        kind: &part.kind,
        value: value(report, &part.value),
    }
}

fn value<'a>(report: &'a inspect::Report, value: &'a inspect::Value) -> Value<'a> {
    match value {
        inspect::Value::Number(one) => Value::Number(number(*one)),
        inspect::Value::Numbers { runs, more } => {
            let run = |&(one, count): &(Number, u64)| Run {
                number: number(one),
                count,
            };
            let runs = runs.iter().map(run).collect();
            Value::Numbers { runs, more: *more }
        }
        inspect::Value::Primitive { state, asleep } => primitive(report, state, *asleep),
        inspect::Value::Bytes { first, len } => Value::Bytes { first, len: *len },
        inspect::Value::More(count) => Value::More(*count),
        _ => Value::Unknown {},
    }
}

fn primitive<'a>(report: &'a inspect::Report, state: &'a State, asleep: usize) -> Value<'a> {
    let thread = |tid| thread(report, tid);
    match state {
        State::Lock(lock) | State::RLock(lock) => Value::Lock {
            holder: lock.holder.map(thread),
            poison: lock.poison.map(|poison| match poison {
                Poison::Died => "its holder died",
                Poison::Noted => "an earlier holder died or panicked",
            }),
            depth: matches!(state, State::RLock(_)).then_some(lock.depth),
            asleep,
        },
        State::Semaphore(semaphore) => Value::Semaphore {
            permits: semaphore.permits,
            on_offer: semaphore.on_offer,
            bound: semaphore.bound,
            asleep,
        },
        State::Event(event) => Value::Event {
            set: event.set,
            generation: event.generation,
            asleep,
        },
        State::Condition(condition) => Value::Condition {
            may_have_waiters: condition.may_have_waiters,
            notified: condition.notified,
            returning: condition.returning.iter().copied().map(thread).collect(),
            asleep,
        },
        State::Barrier(barrier) => Value::Barrier {
            parties: barrier.parties,
            arrived: barrier.arrived,
            broken: barrier.broken,
            party_died: barrier.party_died,
            generation: barrier.generation,
            leader: barrier.leader.map(thread),
            asleep,
        },
        State::Timer(timer) => Value::Timer {
            state: name_of(timer.state),
            // For ever is null, too; the state tells.
            remaining_seconds: timer
                .remaining
                .filter(|left| *left != Duration::MAX)
                .map(|left| left.as_secs_f64()),
            runner: timer.runner.map(thread),
            runs: timer.runs,
            asleep,
        },
        State::FutexWord(word) => Value::FutexWord {
            word: *word,
            asleep,
        },
        _ => Value::Unknown {},
    }
}

fn name_of(state: TimerState) -> &'static str {
    match state {
        TimerState::Idle => "idle",
        TimerState::Armed => "armed",
        TimerState::Running => "running",
        TimerState::Fired => "fired",
        TimerState::Cancelled => "cancelled",
        TimerState::Abandoned => "abandoned",
    }
}

/// What JSON's numbers cannot hold is text.
fn number(number: Number) -> serde_json::Value {
    let text = || number.to_string().into();
    match number {
        Number::Unsigned(value) => u64::try_from(value).map_or_else(|_| text(), Into::into),
        Number::Signed(value) => i64::try_from(value).map_or_else(|_| text(), Into::into),
        Number::Single(value) if value.is_finite() => value.into(),
        Number::Double(value) if value.is_finite() => value.into(),
        _ => text(),
    }
}

fn thread(report: &inspect::Report, tid: u32) -> Thread<'_> {
    let found = report.thread(tid);
    Thread {
        tid,
        life: match found.map(|thread| thread.life) {
            Some(Life::Alive) => "alive",
            Some(Life::Stopped) => "stopped",
            Some(Life::Gone) => "gone",
            _ => "unknown",
        },
        name: found.and_then(|thread| thread.name.as_deref()),
        process: found.and_then(|thread| thread.process),
        process_name: found.and_then(|thread| thread.process_name.as_deref()),
    }
}
