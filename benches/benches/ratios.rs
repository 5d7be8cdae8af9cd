//! How the rivals compare: ratios that hold although the machine drifts.
//!
//! ```text
//! cargo bench -p procsync-benches --features rivals --bench ratios [-- [--quick] FILTER…]
//! ```
//!
//! The rivals take turns in many short rounds, so that whatever slows the machine slows them all.
//! Then the fastest rounds are compared, which nothing disturbed, and the medians. Where several
//! participants fight for a lock, the fastest round is one in which by chance they did not: there only
//! the median means something.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use procsync_benches::results::{Comparison, Results, Row, Target};
use procsync_benches::{Entry, Sample, Size, Workload, load_by_others, machine, workloads};

/// More would not make a median better.
const ENOUGH: usize = 1_000;
/// Fewer would not be one.
const FEWEST: usize = 3;

#[derive(Debug, Parser)]
#[command(about = "Rivals in interleaved rounds; the results also go to target/ratios.json.")]
struct Options {
    /// Only groups whose names contain one of these.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// A few minutes for all, instead of about ten.
    #[arg(long)]
    quick: bool,
    /// Names of the groups, and no more.
    #[arg(long)]
    list: bool,
    /// One tiny round of each, to show that everything works: what `cargo test` gets.
    #[arg(long)]
    test: bool,
    /// What cargo adds when it measures.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    fn wants(&self, workload: &Workload) -> bool {
        let mut filters = self.filters.iter();
        self.filters.is_empty() || filters.any(|filter| workload.name.contains(filter))
    }

    fn is_measuring(&self) -> bool {
        self.bench && !self.test
    }

    /// For a group.
    fn time(&self) -> Duration {
        Duration::from_millis(if self.quick { 2_000 } else { 9_000 })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut workloads = workloads();
    workloads.retain(|workload| options.wants(workload));
    if options.list {
        workloads
            .iter()
            .for_each(|workload| println!("{workload:?}"));
        return Ok(());
    }
    if workloads.is_empty() {
        return Err("no group has such a name; --list shows them".into());
    }
    if options.is_measuring() {
        warn_if_busy();
    }
    let mut results = Results {
        machine: machine(),
        comparisons: Vec::new(),
    };
    for workload in &workloads {
        let what = workload.unit.trim_start_matches("ns ");
        println!("\n{workload:?} ({what}; ratio to {})", workload.baseline);
        let comparison = compare(workload, &options);
        print(&comparison);
        results.comparisons.push(comparison);
    }
    if options.is_measuring() {
        let file = target_directory().join("ratios.json");
        std::fs::write(&file, serde_json::to_string_pretty(&results)?)?;
        println!("\n{}", file.display());
    }
    Ok(())
}

fn warn_if_busy() {
    const MUCH: f64 = 0.1;
    if let Some(load) = load_by_others().filter(|&load| load > MUCH) {
        let percent = load * 100.0;
        println!("Others take {percent:.0} % of the processors: medians will be off.");
    }
}

fn compare(workload: &Workload, options: &Options) -> Comparison {
    let entries = workload.entries();
    let samples = measure(workload, &entries, options);
    let rows = entries.iter().zip(&samples).map(|(entry, samples)| Row {
        rival: entry.rival.clone(),
        ours: entry.is_ours(),
        fastest: sorted(samples, |sample| Some(sample.time))[0],
        median: median(samples, |sample| Some(sample.time)).expect("rounds"),
        cpu: median(samples, |sample| sample.cpu),
        fairness: median(samples, |sample| sample.fairness),
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| !row.ours);
    let is_there = |target: &Target| rows.iter().any(|row| row.rival == target.other);
    Comparison {
        workload: workload.name.clone(),
        unit: workload.unit.to_owned(),
        baseline: workload.baseline.to_owned(),
        target: workload.target.clone().filter(is_there),
        rows,
    }
}

/// The rounds of each rival.
fn measure(workload: &Workload, entries: &[Entry], options: &Options) -> Vec<Vec<Sample>> {
    let mut samples = vec![Vec::new(); entries.len()];
    let (rounds, size) = if options.is_measuring() {
        (ENOUGH, Size::Full)
    } else {
        (1, Size::Tiny)
    };
    let start = Instant::now();
    for round in 0..rounds {
        if round >= FEWEST && start.elapsed() > options.time() {
            break;
        }
        // Another one begins every time: none is always behind the same one.
        for turn in 0..entries.len() {
            let rival = (round + turn) % entries.len();
            samples[rival].push(workload.round(&entries[rival], size));
        }
    }
    samples
}

fn sorted(samples: &[Sample], figure: impl Fn(&Sample) -> Option<f64>) -> Vec<f64> {
    let mut figures: Vec<_> = samples.iter().filter_map(figure).collect();
    figures.sort_unstable_by(f64::total_cmp);
    figures
}

fn median(samples: &[Sample], figure: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
    let sorted = sorted(samples, figure);
    sorted.get(sorted.len() / 2).copied()
}

fn print(comparison: &Comparison) {
    let Comparison { rows, .. } = comparison;
    let base = find(comparison, &comparison.baseline);
    let title = |title, is_there| if is_there { title } else { "" };
    let cpu = title("cpu", rows.iter().any(|row| row.cpu.is_some()));
    let fairness = title("fairness", rows.iter().any(|row| row.fairness.is_some()));
    line(["", "fastest", "ratio", "median", "ratio", cpu, fairness]);
    for row in rows {
        line([
            &row.rival,
            &time(row.fastest),
            &ratio(row.fastest / base.fastest),
            &time(row.median),
            &ratio(row.median / base.median),
            &row.cpu.map_or_else(String::new, time),
            &row.fairness.map_or_else(String::new, ratio),
        ]);
    }
    if let Some(target) = &comparison.target {
        print_target(comparison, target);
    }
}

fn line([rival, fastest, its_ratio, median, ratio, cpu, fairness]: [&str; 7]) {
    let times = format!("{fastest:>9} {its_ratio:>8} {median:>9} {ratio:>8}");
    let line = format!("{rival:28} {times} {cpu:>9} {fairness:>9}");
    println!("{}", line.trim_end());
}

fn print_target(comparison: &Comparison, target: &Target) {
    let Target {
        ours,
        other,
        at_most,
    } = target;
    let ratio = find(comparison, ours).median / find(comparison, other).median;
    let met = if ratio <= *at_most { "met" } else { "MISSED" };
    println!(
        "target {met}: {ours} takes {ratio:.3} of {other}'s time, at most {at_most:.2} is aimed at"
    );
}

fn find<'a>(comparison: &'a Comparison, rival: &str) -> &'a Row {
    let row = comparison.rows.iter().find(|row| row.rival == rival);
    row.expect("it is one of the rivals")
}

fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}")
}

/// With three digits, and their unit.
fn time(nanoseconds: f64) -> String {
    let (figure, unit) = match nanoseconds {
        _ if nanoseconds < 1e3 => (nanoseconds, "ns"),
        _ if nanoseconds < 1e6 => (nanoseconds / 1e3, "µs"),
        _ => (nanoseconds / 1e6, "ms"),
    };
    let decimals = match figure {
        _ if figure < 10.0 => 2,
        _ if figure < 100.0 => 1,
        _ => 0,
    };
    format!("{figure:.decimals$} {unit}")
}

/// Where cargo builds: this program is in `release/deps` there.
fn target_directory() -> PathBuf {
    let program = std::env::current_exe().expect("a path");
    let directory = program.ancestors().nth(3).expect("three above it");
    directory.to_owned()
}
