//! From a value and its type to a list of parts.
//!
//! The list is bounded, and the work, too: the type may be an array of arrays of nothing, as many as
//! there are numbers.

use super::file::File;
use super::types::{Primitive, Type};
use super::{Part, State, Value};
use crate::kernel::LOW_HALF_AT;
use crate::raw_condition::PARKED_AT;
use crate::sync::Ordering;
use crate::{
    Barrier, BoundedSemaphore, Condition, Event, FutexWord, Lock, Semaphore, ShareError, Timer,
};

/// So many steps are taken, and then no more: a step is a node of the type.
const STEPS: usize = 1 << 14;
/// So many kinds of elements of an array are shown, whatever is in them.
const RUNS: usize = 16;
/// So many numbers of an array are looked at.
const NUMBERS: u64 = 4096;
/// So many bytes are shown of what is not described.
const BYTES: u64 = 32;

/// Stands in paths where the index of an element goes, until it is known how many are alike.
const INDEX: &str = "[]";

/// What the value consists of.
pub(super) fn walk(file: &File, whole: &Type) -> Result<Vec<Part>, ShareError> {
    let mut walk = Walk { file, steps: STEPS };
    let path = if let Type::Struct { .. } = whole {
        ""
    } else {
        "value"
    };
    let lines = walk.lines(whole, 0, &Path::of(path))?;
    Ok(lines.into_iter().map(Line::part).collect())
}

struct Walk<'a> {
    file: &'a File,
    steps: usize,
}

/// Where something is.
#[derive(Clone, PartialEq)]
struct Path {
    /// How many locks are to be seen through.
    stars: usize,
    text: String,
}

/// A part in the making.
#[derive(PartialEq)]
struct Line {
    path: Path,
    kind: String,
    value: Value,
}

impl Path {
    fn of(text: &str) -> Self {
        Self {
            stars: 0,
            text: text.to_owned(),
        }
    }

    fn pointee(&self) -> Self {
        Self {
            stars: self.stars + 1,
            text: self.text.clone(),
        }
    }

    fn field(&self, name: &str) -> Self {
        let dot = if self.text.is_empty() { "" } else { "." };
        Self::of(&format!("{}{dot}{name}", self.text))
    }

    fn element(&self) -> Self {
        Self::of(&format!("{}{INDEX}", self.text))
    }
}

impl Line {
    fn new(path: &Path, kind: &Type, value: Value) -> Self {
        Self {
            path: path.clone(),
            kind: kind.name(),
            value,
        }
    }

    fn part(self) -> Part {
        Part {
            path: "*".repeat(self.path.stars) + &self.path.text,
            kind: self.kind,
            value: self.value,
        }
    }

    /// Whether it may be why somebody does not get on.
    fn is_striking(&self) -> bool {
        let Value::Primitive { state, asleep } = &self.value else {
            return false;
        };
        *asleep > 0
            || match state {
                State::Lock(lock) | State::RLock(lock) => {
                    lock.holder.is_some() || lock.poison.is_some()
                }
                State::Barrier(barrier) => barrier.broken || barrier.arrived > 0,
                State::Timer(timer) => timer.runner.is_some(),
                State::Condition(condition) => condition.may_have_waiters,
                State::Semaphore(_) | State::Event(_) | State::FutexWord(_) => false,
            }
    }
}

impl Walk<'_> {
    /// The lines of what lies at `at`.
    fn lines(&mut self, kind: &Type, at: u64, path: &Path) -> Result<Vec<Line>, ShareError> {
        self.steps = self.steps.saturating_sub(1);
        match kind {
            Type::Unit => Ok(Vec::new()),
            Type::Opaque { size, .. } => {
                let value = self.bytes(at, *size)?;
                Ok(vec![Line::new(path, kind, value)])
            }
            Type::Number(number) => {
                let mut bytes = [0; 16];
                let bytes = &mut bytes[..number.size];
                self.file.read(at, bytes)?;
                let value = Value::Number(number.read(bytes));
                Ok(vec![Line::new(path, kind, value)])
            }
            Type::Primitive(primitive) => {
                let value = self.primitive(*primitive, at)?;
                Ok(vec![Line::new(path, kind, value)])
            }
            Type::Cell(value) => self.cell(kind, value, at, path),
            Type::Lock {
                value, value_at, ..
            } => {
                let mut lines = vec![Line::new(path, kind, self.lock(kind, at)?)];
                lines.extend(self.lines(value, at + value_at, &path.pointee())?);
                Ok(lines)
            }
            Type::Array { len, element } => self.array(kind, *len, element, at, path),
            Type::Struct { fields, .. } => {
                let mut lines = Vec::new();
                for field in fields {
                    let path = path.field(&field.name);
                    lines.extend(self.lines(&field.kind, at + field.at, &path)?);
                }
                Ok(lines)
            }
        }
    }

    /// What is in a cell, with the cell in its type where it has one line.
    fn cell(
        &mut self,
        cell: &Type,
        value: &Type,
        at: u64,
        path: &Path,
    ) -> Result<Vec<Line>, ShareError> {
        let mut lines = self.lines(value, at, path)?;
        if let ([line], Type::Number(_)) = (&mut lines[..], value) {
            line.kind = cell.name();
        }
        Ok(lines)
    }

    fn bytes(&self, at: u64, len: u64) -> Result<Value, ShareError> {
        let shown = usize::try_from(len.min(BYTES)).unwrap_or_default();
        let mut first = vec![0; shown];
        self.file.read(at, &mut first)?;
        Ok(Value::Bytes { first, len })
    }

    fn lock(&self, kind: &Type, at: u64) -> Result<Value, ShareError> {
        // The words of both kinds of locks are alike.
        let lock = self.file.copy::<Lock>(at)?.raw.snapshot();
        let state = match kind {
            Type::Lock { again: true, .. } => State::RLock(lock),
            _ => State::Lock(super::LockSnapshot { depth: 0, ..lock }),
        };
        Ok(self.with_sleepers(state, &[at]))
    }

    fn primitive(&self, primitive: Primitive, at: u64) -> Result<Value, ShareError> {
        let low_half = at + LOW_HALF_AT as u64;
        let file = self.file;
        // The words that threads sleep on: see "Representation" in the changelog.
        let (state, words) = match primitive {
            Primitive::Semaphore => {
                let semaphore = file.copy::<Semaphore>(at)?;
                (State::Semaphore(semaphore.snapshot()), [low_half].into())
            }
            Primitive::BoundedSemaphore => {
                let semaphore = file.copy::<BoundedSemaphore>(at)?;
                (State::Semaphore(semaphore.snapshot()), [low_half].into())
            }
            Primitive::Event => {
                let event = file.copy::<Event>(at)?;
                (State::Event(event.snapshot()), vec![at])
            }
            Primitive::Condition => {
                let condition = file.copy::<Condition>(at)?;
                let words = vec![at, at + PARKED_AT as u64];
                (State::Condition(condition.raw.snapshot()), words)
            }
            Primitive::Barrier => {
                let barrier = file.copy::<Barrier>(at)?;
                (State::Barrier(barrier.snapshot()), [low_half].into())
            }
            Primitive::Timer => {
                let timer = file.copy::<Timer>(at)?;
                (State::Timer(timer.snapshot()), vec![at])
            }
            Primitive::FutexWord => {
                let word = file.copy::<FutexWord>(at)?;
                (State::FutexWord(word.load(Ordering::Relaxed)), vec![at])
            }
        };
        Ok(self.with_sleepers(state, &words))
    }

    fn with_sleepers(&self, state: State, words: &[u64]) -> Value {
        let asleep = words.iter().map(|&word| self.file.asleep(word)).sum();
        Value::Primitive { state, asleep }
    }

    fn array(
        &mut self,
        kind: &Type,
        len: u64,
        element: &Type,
        at: u64,
        path: &Path,
    ) -> Result<Vec<Line>, ShareError> {
        match element {
            _ if element.size() == 0 || len == 0 => Ok(Vec::new()),
            Type::Number(number) => {
                let looked_at = len.min(NUMBERS);
                let bytes = looked_at.saturating_mul(element.size());
                let mut bytes = vec![0; usize::try_from(bytes).unwrap_or_default()];
                self.file.read(at, &mut bytes)?;
                let numbers = bytes.chunks_exact(number.size).map(|one| number.read(one));
                let (runs, shown) = in_runs(numbers);
                let more = len - shown;
                Ok(vec![Line::new(path, kind, Value::Numbers { runs, more })])
            }
            _ => self.elements(len, element, at, path),
        }
    }

    /// Of an array of what is not numbers; those that are alike are shown once.
    fn elements(
        &mut self,
        len: u64,
        element: &Type,
        at: u64,
        path: &Path,
    ) -> Result<Vec<Line>, ShareError> {
        let path = path.element();
        let mut list = List::new(&path);
        for index in 0..len {
            if self.steps == 0 {
                list.skip(len - index);
                break;
            }
            list.add(
                index,
                self.lines(element, at + index * element.size(), &path)?,
            );
        }
        Ok(list.end())
    }
}

/// Elements one after the other, those that are alike together.
struct List<'a> {
    path: &'a Path,
    lines: Vec<Line>,
    runs: usize,
    current: Vec<Line>,
    first: u64,
    last: u64,
    skipped: u64,
}

impl<'a> List<'a> {
    fn new(path: &'a Path) -> Self {
        Self {
            path,
            lines: Vec::new(),
            runs: 0,
            current: Vec::new(),
            first: 0,
            last: 0,
            skipped: 0,
        }
    }

    fn add(&mut self, index: u64, element: Vec<Line>) {
        if index == 0 || element != self.current {
            self.finish_run();
            self.current = element;
            self.first = index;
        }
        self.last = index;
    }

    fn skip(&mut self, elements: u64) {
        self.skipped += elements;
    }

    fn finish_run(&mut self) {
        let run = core::mem::take(&mut self.current);
        let Some(_) = run.first() else { return };
        if self.runs >= RUNS && !run.iter().any(Line::is_striking) {
            return self.skip(self.last - self.first + 1);
        }
        self.runs += 1;
        let index = match (self.first, self.last) {
            (first, last) if first == last => format!("[{first}]"),
            (first, last) => format!("[{first}..{}]", last + 1),
        };
        let end = self.path.text.len();
        let placeholder = end - INDEX.len()..end;
        self.lines.extend(run.into_iter().map(|mut line| {
            line.path.text.replace_range(placeholder.clone(), &index);
            line
        }));
    }

    fn end(mut self) -> Vec<Line> {
        self.finish_run();
        if self.skipped > 0 {
            let start = self.path.text.len() - INDEX.len();
            self.lines.push(Line {
                path: Path::of(&format!("{}[..]", &self.path.text[..start])),
                kind: String::new(),
                value: Value::More(self.skipped),
            });
        }
        self.lines
    }
}

/// The first runs of equal numbers, and how many numbers they are.
fn in_runs<N: PartialEq>(numbers: impl Iterator<Item = N>) -> (Vec<(N, u64)>, u64) {
    let mut runs: Vec<(N, u64)> = Vec::new();
    let mut shown = 0;
    for number in numbers {
        let is_full = runs.len() == RUNS;
        match runs.last_mut() {
            Some((last, count)) if *last == number => *count += 1,
            _ if is_full => break,
            _ => runs.push((number, 1)),
        }
        shown += 1;
    }
    (runs, shown)
}
