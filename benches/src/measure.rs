//! Workloads, their entries, and what a round of one yields.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::results::Target;

/// What a round of one rival yields, an operation.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Nanoseconds.
    pub time: f64,
    /// Nanoseconds of processor time, of all participants together.
    pub cpu: Option<f64>,
    /// Operations of the slowest participant for one of the fastest.
    pub fairness: Option<f64>,
}

impl Sample {
    /// So many nanoseconds were so many operations.
    pub(crate) fn of(nanoseconds: u64, operations: u64) -> Self {
        Self {
            time: ratio(nanoseconds, operations),
            cpu: None,
            fairness: None,
        }
    }

    pub(crate) fn with_cpu(self, nanoseconds: u64, operations: u64) -> Self {
        let cpu = Some(ratio(nanoseconds, operations));
        Self { cpu, ..self }
    }
}

/// Of times and counts.
#[expect(clippy::cast_precision_loss, reason = "far from 2^53")]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// As nanoseconds.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("a benchmark of less than centuries")
}

/// So many times in one loop.
pub(crate) fn repeat(operations: u64, operation: impl Fn()) -> Sample {
    let start = Instant::now();
    for _ in 0..operations {
        operation();
    }
    Sample::of(nanoseconds(start.elapsed()), operations)
}

/// How much a round does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Only as much as shows that it works.
    Tiny,
    /// As much as a figure needs.
    Full,
}

/// A rival at a group's workload.
pub struct Entry {
    /// Its name.
    pub rival: String,
    round: Box<dyn Fn(u64) -> Sample>,
}

impl Entry {
    /// `round` does as much as its argument says: operations, or milliseconds.
    pub(crate) fn new(rival: &str, round: impl Fn(u64) -> Sample + 'static) -> Self {
        Self {
            rival: rival.to_owned(),
            round: Box::new(round),
        }
    }

    /// One thread's operations, one after the other.
    pub(crate) fn repeated<H: 'static>(rival: &str, handle: H, operation: fn(&H)) -> Self {
        Self::new(rival, move |operations| {
            let handle = black_box(&handle);
            repeat(operations, || operation(handle))
        })
    }

    /// Whether it is of this crate.
    pub fn is_ours(&self) -> bool {
        self.rival.starts_with("procsync")
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rival)
    }
}

/// Where a panic comes from.
struct Where<'a>(&'a str, &'a str);

impl Drop for Where<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("at the workload \"{}\", with {}", self.0, self.1);
        }
    }
}

/// The former, then the latter.
pub(crate) fn joined<E>(entries: Vec<E>, others: impl IntoIterator<Item = E>) -> Vec<E> {
    entries.into_iter().chain(others).collect()
}

/// A group of rivals with the same to do.
pub struct Workload {
    /// The group's name.
    pub name: String,
    /// What the times are of.
    pub unit: &'static str,
    /// The rival that is 1.00.
    pub baseline: &'static str,
    /// What this crate wants to reach.
    pub target: Option<Target>,
    sizes: [u64; 2],
    entries: Box<dyn Fn() -> Vec<Entry>>,
}

impl Workload {
    /// `sizes`: of a tiny round and of a full one.
    pub(crate) fn new(
        name: impl Into<String>,
        unit: &'static str,
        baseline: &'static str,
        sizes: [u64; 2],
        entries: impl Fn() -> Vec<Entry> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            unit,
            baseline,
            target: None,
            sizes,
            entries: Box::new(entries),
        }
    }

    pub(crate) fn target(mut self, ours: &str, other: &str, at_most: f64) -> Self {
        self.target = Some(Target {
            ours: ours.to_owned(),
            other: other.to_owned(),
            at_most,
        });
        self
    }

    /// Makes the rivals' primitives, which live as long as the entries.
    pub fn entries(&self) -> Vec<Entry> {
        (self.entries)()
    }

    /// A round of one of its entries.
    pub fn round(&self, entry: &Entry, size: Size) -> Sample {
        let [tiny, full] = self.sizes;
        let _where = Where(&self.name, &entry.rival);
        (entry.round)(if size == Size::Tiny { tiny } else { full })
    }
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
