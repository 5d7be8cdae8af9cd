//! All workloads with criterion: groups by workload, entries by rival.
//!
//! ```text
//! cargo bench -p procsync-benches --features rivals --bench suite [-- FILTER]
//! ```
//!
//! Criterion runs one rival after the other, and the machine drifts meanwhile; `ratios` is the
//! better source for a comparison. A sample is one round, however many iterations criterion asks
//! for: what it is told is the time of that many operations.

use std::time::Duration;

use criterion::{Criterion, SamplingMode};
use procsync_benches::{Sample, Size, workloads};

fn main() {
    // Then criterion runs each once, to show that it works.
    let is_test = !std::env::args().any(|argument| argument == "--bench")
        || std::env::args().any(|argument| argument == "--test");
    let size = if is_test { Size::Tiny } else { Size::Full };
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args();
    for workload in workloads() {
        let mut group = criterion.benchmark_group(&workload.name);
        group.sampling_mode(SamplingMode::Flat);
        for entry in workload.entries() {
            group.bench_function(&entry.rival, |bencher| {
                bencher.iter_custom(|iterations| scaled(workload.round(&entry, size), iterations));
            });
        }
    }
    criterion.final_summary();
}

#[expect(clippy::cast_precision_loss, reason = "far from 2^53")]
fn scaled(sample: Sample, iterations: u64) -> Duration {
    Duration::from_secs_f64(sample.time * iterations as f64 / 1e9)
}
