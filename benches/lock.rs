//! What a lock costs, alone and contended: groups by workload, entries by rival.
//!
//! ```text
//! cargo bench --bench lock -- uncontended
//! ```
//!
//! Criterion runs one rival after the other, and the machine drifts meanwhile; `ratios` is the
//! better source for a comparison.

mod rivals;

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};

use rivals::Entry;

/// So many acquisitions are one iteration of a contended workload: some milliseconds, so that the
/// workers run at the same time for nearly all of it.
const BATCH: u64 = 100_000;

/// Short times, for some forty entries in about two minutes: enough for the 10 % by which anything
/// here repeats at all.
fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1_500))
}

fn uncontended(criterion: &mut Criterion) {
    bench_alone(criterion, "uncontended", &rivals::uncontended());
    bench_alone(criterion, "uncontended, depth 2", &rivals::depth_2());
    bench_alone(criterion, "uncontended, depth 3", &rivals::depth_3());
}

fn contended(criterion: &mut Criterion) {
    for threads in [2, 4, 8] {
        let group = format!("contended, {threads} threads");
        bench_together(criterion, &group, &rivals::contended_threads(threads));
    }
    for processes in [2, 4] {
        let group = format!("contended, {processes} processes");
        bench_together(criterion, &group, &rivals::contended_processes(processes));
    }
}

fn bench_alone(criterion: &mut Criterion, name: &str, entries: &[Entry]) {
    let mut group = criterion.benchmark_group(name);
    for entry in entries {
        group.bench_function(entry.name, |bencher| {
            bencher.iter_custom(|iterations| entry.time(iterations));
        });
    }
}

fn bench_together(criterion: &mut Criterion, name: &str, entries: &[Entry]) {
    let mut group = criterion.benchmark_group(name);
    group
        .throughput(Throughput::Elements(BATCH))
        // The fewest samples that criterion allows, all of the same length: an iteration is long.
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat);
    for entry in entries {
        group.bench_function(entry.name, |bencher| {
            bencher.iter_custom(|iterations| entry.time(iterations * BATCH));
        });
    }
}

criterion_group! {
    name = benches;
    config = short();
    targets = uncontended, contended
}
criterion_main!(benches);
