//! How locks compare: ratios that hold although the machine drifts.
//!
//! ```text
//! cargo bench --bench ratios
//! ```
//!
//! The rivals take turns in many short rounds, so that whatever slows the machine slows them all.
//! Then the fastest rounds are compared, which nothing disturbed, and the medians. Where several
//! threads fight for a lock, the fastest round is one in which by chance they did not: there only
//! the median means something.

mod rivals;

use std::time::Duration;

use rivals::Entry;

/// A group of rivals, and the one that is 1.00.
struct Comparison {
    name: String,
    entries: Vec<Entry>,
    baseline: &'static str,
    rounds: usize,
    operations: u64,
}

fn main() {
    // `cargo test --benches` calls without it: then one round shows that everything works.
    let measuring = std::env::args().any(|argument| argument == "--bench");
    for mut comparison in comparisons() {
        if !measuring {
            comparison.rounds = 1;
        }
        comparison.print();
    }
}

fn comparisons() -> Vec<Comparison> {
    let mut comparisons = vec![
        alone("uncontended", rivals::uncontended(), "std Mutex"),
        alone("depth 2", rivals::depth_2(), "pthread recursive robust"),
        alone("depth 3", rivals::depth_3(), "pthread recursive robust"),
    ];
    for threads in [2, 4, 8] {
        let name = format!("contended, {threads} threads");
        let entries = rivals::contended_threads(threads);
        comparisons.push(together(name, entries, "std Mutex"));
    }
    for processes in [2, 4] {
        let name = format!("contended, {processes} processes");
        let entries = rivals::contended_processes(processes);
        comparisons.push(together(name, entries, "pthread"));
    }
    comparisons
}

/// Rounds of a tenth of a millisecond: most are over before the scheduler interferes.
fn alone(name: &str, entries: Vec<Entry>, baseline: &'static str) -> Comparison {
    Comparison {
        name: name.to_owned(),
        entries,
        baseline,
        rounds: 1_000,
        operations: 10_000,
    }
}

/// Rounds of some milliseconds: all workers run at the same time for nearly all of it.
fn together(name: String, entries: Vec<Entry>, baseline: &'static str) -> Comparison {
    Comparison {
        name,
        entries,
        baseline,
        rounds: 50,
        operations: 100_000,
    }
}

impl Comparison {
    fn print(&self) {
        let times = self.measure();
        let baseline = self
            .entries
            .iter()
            .position(|entry| entry.name == self.baseline)
            .expect("the baseline is one of the rivals");
        println!(
            "\n{} (ns an operation; ratio to {})",
            self.name, self.baseline
        );
        println!("{:28} {:>15} {:>15}", "", "fastest", "median");
        let base = &times[baseline];
        for (entry, times) in self.entries.iter().zip(&times) {
            let fastest = self.show(times[0], base[0]);
            let median = self.show(median(times), median(base));
            println!("{:28} {fastest:>15} {median:>15}", entry.name);
        }
    }

    /// The sorted times of each rival's rounds.
    fn measure(&self) -> Vec<Vec<Duration>> {
        let mut times = vec![Vec::with_capacity(self.rounds); self.entries.len()];
        for round in 0..self.rounds {
            // Another one begins every time: none is always behind the same one.
            for turn in 0..self.entries.len() {
                let rival = (round + turn) % self.entries.len();
                times[rival].push(self.entries[rival].time(self.operations));
            }
        }
        times.iter_mut().for_each(|times| times.sort_unstable());
        times
    }

    fn show(&self, time: Duration, base: Duration) -> String {
        #[expect(clippy::cast_precision_loss, reason = "far from 2^53")]
        let nanoseconds = time.as_secs_f64() * 1e9 / self.operations as f64;
        let ratio = time.as_secs_f64() / base.as_secs_f64();
        format!("{nanoseconds:.2} ({ratio:.2})")
    }
}

fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}
