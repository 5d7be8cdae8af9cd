//! What a run of `ratios` found out, as it lies in `target/ratios.json`.

use serde::{Deserialize, Serialize};

/// All of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// Where it ran.
    pub machine: Machine,
    /// A group of rivals each.
    pub comparisons: Vec<Comparison>,
}

/// What the figures depend on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Its model name.
    pub processor: String,
    /// How many the run may use.
    pub cores: usize,
    /// Name and release.
    pub kernel: String,
    /// Name and version.
    pub libc: String,
    /// Its version.
    pub rustc: String,
    /// The crates that were compared, with their versions.
    pub versions: Vec<(String, String)>,
    /// Year, month, day; in UTC.
    pub date: String,
}

/// Rivals at one workload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// The name of the group.
    pub workload: String,
    /// What the times are of: "ns an operation".
    pub unit: String,
    /// The rival that is 1.00.
    pub baseline: String,
    /// The rivals.
    pub rows: Vec<Row>,
    /// What this crate wants to reach here.
    pub target: Option<Target>,
}

/// A rival's figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub rival: String,
    /// Whether it is of this crate.
    pub ours: bool,
    /// Time of the fastest round, in the comparison's unit.
    pub fastest: f64,
    /// Median of all rounds, in the comparison's unit.
    pub median: f64,
    /// Nanoseconds of processor time an operation, of all participants together: the median.
    pub cpu: Option<f64>,
    /// Operations of the slowest participant for one of the fastest, within a round: the median.
    pub fairness: Option<f64>,
}

/// A ratio to be kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Target {
    /// The rival of this crate.
    pub ours: String,
    /// The one that it is compared with.
    pub other: String,
    /// The ratio of the medians, ours to the other's, is to be no more.
    pub at_most: f64,
}
