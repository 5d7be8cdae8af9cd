//! A report for people.

use core::fmt;
use std::time::{Duration, SystemTime};

use super::threads::{Life, Thread};
use super::{
    BarrierSnapshot, ConditionSnapshot, EventSnapshot, LockSnapshot, Number, Part, Poison, Report,
    SemaphoreSnapshot, State, Structure, TimerSnapshot, Value,
};
use crate::TimerState;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name.escape_debug())?;
        writeln!(f, "  made   {}", self.origin())?;
        let (size, layout, version) = (self.size, self.layout, self.version);
        writeln!(
            f,
            "  value  {size} bytes, layout {layout:#018x}, representation {version}"
        )?;
        if self.structure == Structure::Damaged {
            writeln!(f, "         what the file says of its type is damaged")?;
        }
        let rows: Vec<[String; 3]> = self.parts.iter().map(|part| self.row(part)).collect();
        if !rows.is_empty() {
            writeln!(f)?;
        }
        let width = |column: usize| {
            let widths = rows.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or(0).min(WIDEST)
        };
        let (first, second) = (width(0), width(1));
        for [path, kind, state] in &rows {
            writeln!(f, "  {path:first$}  {kind:second$}  {state}")?;
        }
        Ok(())
    }
}

/// A column is no wider than that for the sake of one entry.
const WIDEST: usize = 40;

impl Report {
    fn origin(&self) -> String {
        let age = SystemTime::now().duration_since(self.created);
        let when = age.map_or("in the future".to_owned(), |age| {
            format!("{} ago", rough(age))
        });
        let who = self.named(self.creator);
        if !self.is_of_this_boot {
            format!("{when} by {who}, before the last restart of the system: nobody uses it")
        } else if self.is_of_this_pid_namespace {
            format!("{when} by {who}")
        } else {
            let namespace = self.pid_namespace;
            format!("{when} by {who}; all TIDs are of another PID namespace, {namespace}")
        }
    }

    fn row(&self, part: &Part) -> [String; 3] {
        let state = match &part.value {
            Value::Number(number) => number.to_string(),
            Value::Numbers { runs, more } => numbers(&part.kind, runs, *more),
            Value::Primitive { state, asleep } => self.primitive(state, *asleep),
            Value::Bytes { first, len } => bytes(first, *len),
            Value::More(count) => format!("… {count} more"),
        };
        [part.path.clone(), part.kind.clone(), state]
    }

    fn primitive(&self, state: &State, asleep: usize) -> String {
        let mut facts = match state {
            State::Lock(lock) | State::RLock(lock) => self.lock(lock),
            State::Semaphore(semaphore) => permits(semaphore),
            State::Event(event) => flag(event),
            State::Condition(condition) => self.condition(condition, asleep),
            State::Barrier(barrier) => self.barrier(barrier),
            State::Timer(timer) => self.timer(timer),
            State::FutexWord(word) => vec![word.to_string()],
        };
        if asleep > 0 {
            facts.push(format!("{asleep} asleep"));
        }
        facts.join("; ")
    }

    fn lock(&self, lock: &LockSnapshot) -> Vec<String> {
        let holder = match lock.holder.map(|tid| self.named(tid)) {
            Some(holder) if lock.depth > 1 => format!("held {} by {holder}", times(lock.depth)),
            Some(holder) => format!("held by {holder}"),
            None => "free".to_owned(),
        };
        let poison = lock.poison.map(|poison| match poison {
            Poison::Died => "poisoned: its holder died".to_owned(),
            Poison::Noted => "poisoned: an earlier holder died or panicked".to_owned(),
        });
        [holder].into_iter().chain(poison).collect()
    }

    fn condition(&self, condition: &ConditionSnapshot, asleep: usize) -> Vec<String> {
        let waiting = match (condition.may_have_waiters, asleep) {
            (_, 1..) => None,
            (true, 0) => Some("perhaps somebody about to wait".to_owned()),
            (false, 0) => Some("nobody waits".to_owned()),
        };
        let notified = match condition.notified {
            0 => None,
            count => Some(format!("notified {}", times(count))),
        };
        let returning = condition.returning.iter();
        let returning = returning.map(|&tid| format!("woken, wants the lock: {}", self.named(tid)));
        waiting
            .into_iter()
            .chain(notified)
            .chain(returning)
            .collect()
    }

    fn barrier(&self, barrier: &BarrierSnapshot) -> Vec<String> {
        let come = match (barrier.broken, barrier.party_died) {
            (true, true) => "broken: a party died".to_owned(),
            (true, false) => "broken".to_owned(),
            (false, _) => format!("{} of {} have come", barrier.arrived, barrier.parties),
        };
        let ended = match barrier.generation {
            0 => None,
            1 => Some("1 meeting ended".to_owned()),
            count => Some(format!("{count} meetings ended")),
        };
        let leader = barrier.leader.map(|tid| self.named(tid));
        let leader = leader.map(|leader| format!("action run by {leader}"));
        [come].into_iter().chain(ended).chain(leader).collect()
    }

    fn timer(&self, timer: &TimerSnapshot) -> Vec<String> {
        let state = match (timer.state, timer.remaining) {
            (TimerState::Idle, _) => "idle".to_owned(),
            (TimerState::Armed, Some(Duration::MAX)) => "armed, for ever".to_owned(),
            (TimerState::Armed, Some(left)) => format!("armed, {} left", rough(left)),
            (TimerState::Armed, None) => "armed".to_owned(),
            (TimerState::Running, _) => "its function runs".to_owned(),
            (TimerState::Fired, _) => "fired".to_owned(),
            (TimerState::Cancelled, _) => "cancelled".to_owned(),
            (TimerState::Abandoned, _) => {
                "abandoned: its thread died, or its function panicked".to_owned()
            }
        };
        let runner = timer
            .runner
            .map(|tid| format!("run by {}", self.named(tid)));
        [state].into_iter().chain(runner).collect()
    }

    /// A thread, its name, its process, whether it lives.
    fn named(&self, tid: u32) -> String {
        match self.thread(tid) {
            Some(thread) => named(thread),
            None => tid.to_string(),
        }
    }
}

fn named(thread: &Thread) -> String {
    let tid = thread.tid;
    let life = match thread.life {
        Life::Alive => ", alive",
        Life::Stopped => ", alive, but stopped",
        Life::Gone => ", which is gone",
        Life::Unknown => "",
    };
    let name = thread.name.as_deref().map(quoted);
    let process = thread.process.filter(|&process| process != tid);
    let process_name = thread.process_name.as_deref().map(quoted);
    match (name, process, process_name) {
        (Some(name), Some(process), Some(program)) => {
            format!("{tid} ({name}, a thread of {process}, {program}){life}")
        }
        (Some(name), _, _) => format!("{tid} ({name}){life}"),
        (None, _, _) => format!("{tid}{life}"),
    }
}

/// A name that a thread has given itself must not move the reader's cursor.
fn quoted(name: &str) -> String {
    name.escape_debug().to_string()
}

fn permits(semaphore: &SemaphoreSnapshot) -> Vec<String> {
    let count = match semaphore.permits {
        0 => "no permits".to_owned(),
        1 => "1 permit".to_owned(),
        count => format!("{count} permits"),
    };
    let bound = semaphore.bound.map(|bound| format!(" of {bound}"));
    let offer = semaphore.on_offer.then_some(", of a release under way");
    vec![count + bound.as_deref().unwrap_or("") + offer.unwrap_or("")]
}

fn flag(event: &EventSnapshot) -> Vec<String> {
    let set = if event.set { "set" } else { "not set" };
    match event.generation {
        0 => vec![set.to_owned()],
        count => vec![set.to_owned(), format!("cleared {}", times(count))],
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

fn numbers(kind: &str, runs: &[(Number, u64)], more: u64) -> String {
    if let (true, Some(text)) = (kind.starts_with("[u8;"), text(runs, more)) {
        return text;
    }
    let shown = runs.iter().map(|(number, count)| match count {
        1 => number.to_string(),
        count => format!("{number} ×{count}"),
    });
    let more = (more > 0).then(|| format!("… {more} more"));
    shown.chain(more).collect::<Vec<_>>().join(", ")
}

/// Bytes that are a text, with zeros up to the end of the array perhaps.
fn text(runs: &[(Number, u64)], more: u64) -> Option<String> {
    let text = match runs {
        [text @ .., (Number::Unsigned(0), _)] => text,
        text => text,
    };
    let mut letters = String::new();
    for (number, count) in text {
        let Number::Unsigned(byte) = number else {
            return None;
        };
        let letter = u8::try_from(*byte)
            .ok()
            .filter(|byte| matches!(byte, b' '..=b'~'))?;
        letters.extend((0..*count).map(|_| char::from(letter)));
    }
    (more == 0 && !letters.is_empty()).then(|| format!("{letters:?}"))
}

fn bytes(first: &[u8], len: u64) -> String {
    let shown: Vec<String> = first.iter().map(|byte| format!("{byte:02x}")).collect();
    let more = len - first.len() as u64;
    match more {
        0 => shown.join(" "),
        more => format!("{} … {more} bytes more", shown.join(" ")),
    }
}

/// In the two largest units that matter.
fn rough(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} days {} h", seconds / 86400, seconds / 3600 % 24),
    }
}
