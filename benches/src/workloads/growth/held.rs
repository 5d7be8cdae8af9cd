//! A thread that holds many locks: what one more costs, and what it costs to release them all.

use std::time::{Duration, Instant};

use procsync::Shared;

use crate::measure::{Entry, Sample, Workload, nanoseconds, repeat};
use crate::placed::Placed;
use crate::rivals::{ours, pthread, pthread::Kind};
use crate::traits::Lock;

const COUNTS: [usize; 5] = [1, 10, 100, 1_000, 2_000];
/// And one more.
const MOST: usize = 2_001;
const ROUND: [u64; 2] = [10, 10_000];
/// Of all that are held, so often.
const RELEASES: [u64; 2] = [1, 5];
const ROBUST: &str = "pthread robust";

pub(in crate::workloads) fn all() -> Vec<Workload> {
    let one_more = |count: usize| {
        let name = format!("one more lock, {count} held");
        let entries = move || entries(count, &OneMore);
        Workload::new(name, "ns an operation", ROBUST, ROUND, entries)
    };
    let release = |count: usize| {
        let name = format!("release in order, {count} held");
        let entries = move || entries(count, &InOrder);
        Workload::new(name, "ns a release", ROBUST, RELEASES, entries)
    };
    let one_more = COUNTS.into_iter().map(one_more);
    one_more.chain(COUNTS.into_iter().map(release)).collect()
}

/// What is done with locks, all but the last of which are to be held.
trait Deed {
    fn round<L: Lock>(&self, last: &L, held: &[L], times: u64) -> Sample;
}

struct OneMore;

impl Deed for OneMore {
    fn round<L: Lock>(&self, last: &L, held: &[L], times: u64) -> Sample {
        let guards: Vec<_> = held.iter().map(L::lock).collect();
        let sample = repeat(times, || drop(last.lock()));
        drop(guards);
        sample
    }
}

struct InOrder;

impl Deed for InOrder {
    fn round<L: Lock>(&self, _: &L, held: &[L], times: u64) -> Sample {
        let mut time = Duration::ZERO;
        for _ in 0..times {
            let guards: Vec<_> = held.iter().map(L::lock).collect();
            let start = Instant::now();
            // From the first to the last.
            drop(guards);
            time += start.elapsed();
        }
        Sample::of(nanoseconds(time), times * held.len() as u64)
    }
}

/// What `Shared` gives.
struct InShared(Shared<[procsync::Lock; MOST]>, usize);

impl AsRef<[procsync::Lock]> for InShared {
    fn as_ref(&self) -> &[procsync::Lock] {
        &self.0[..self.1]
    }
}

fn entries<D: Deed>(count: usize, deed: &'static D) -> Vec<Entry> {
    fn entry<D: Deed, L: Lock + 'static>(
        rival: &str,
        locks: impl AsRef<[L]> + 'static,
        deed: &'static D,
    ) -> Entry {
        Entry::new(rival, move |times| {
            let (last, held) = locks.as_ref().split_last().expect("one and more");
            deed.round(last, held, times)
        })
    }
    let ours = ours::shared([const { procsync::Lock::new(()) }; MOST]);
    let placed = Placed::many(count + 1, || procsync::Lock::new(()));
    let theirs = pthread::Mutex::many(count + 1, Kind::ROBUST);
    vec![
        entry("procsync Lock", InShared(ours, count + 1), deed),
        entry("procsync Lock, own mapping", placed, deed),
        entry(ROBUST, theirs, deed),
    ]
}
