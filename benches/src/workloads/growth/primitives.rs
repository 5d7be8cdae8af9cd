//! Many locks in one mapping, acquired and released one after the other.

use std::hint::black_box;

use crate::measure::{Entry, Workload, repeat};
use crate::placed::Placed;
use crate::rivals::{pthread, pthread::Kind};
use crate::traits::Lock;

/// As many as the largest mapping has, at the least.
const ROUND: [u64; 2] = [1_000, 100_000];

pub(in crate::workloads) fn all() -> Vec<Workload> {
    let counts = [1, 10, 100, 1_000, 10_000, 100_000];
    let workload = |count: usize| {
        let name = format!("each of {count} locks");
        let entries = move || entries(count);
        Workload::new(name, "ns an operation", "pthread", ROUND, entries)
    };
    counts.into_iter().map(workload).collect()
}

fn entries(count: usize) -> Vec<Entry> {
    fn entry<L: Lock + 'static>(rival: &str, locks: Placed<L>) -> Entry {
        Entry::new(rival, move |operations| {
            let locks = black_box(locks.all());
            let next = std::cell::Cell::new(0);
            repeat(operations, || {
                let index = next.get();
                drop(locks[index].lock());
                next.set(if index + 1 == locks.len() {
                    0
                } else {
                    index + 1
                });
            })
        })
    }
    let ours = Placed::many(count, || procsync::Lock::new(()));
    vec![
        entry("procsync Lock", ours),
        entry("pthread", pthread::Mutex::many(count, Kind::PLAIN)),
        entry("pthread robust", pthread::Mutex::many(count, Kind::ROBUST)),
    ]
}
