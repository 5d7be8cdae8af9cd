//! How long it takes to hand over to another thread or process.

use super::Drawing;
use super::bars::{Bar, Bars, Group, Kind};
use super::figures::{figure, in_order, nanoseconds, place_among, time};
use crate::results::{Comparison, Results};

const WORKLOADS: [&str; 3] = ["ping-pong", "broadcast", "barrier"];

pub(super) fn draw(results: &Results) -> Drawing {
    let bars = Bars {
        title: "Hand-over".into(),
        subtitle: "From one that lets go to the one that goes on. Less is better. Logarithmic."
            .into(),
        kind: Kind::Times,
        groups: chosen(&results.comparisons).filter_map(group).collect(),
    };
    bars.draw()
}

/// Of those that differ in a number, the least: the growth has a chart of its own.
fn chosen(all: &[Comparison]) -> impl Iterator<Item = &Comparison> {
    all.iter().filter(|comparison| {
        let name = comparison.workload.to_lowercase();
        let wanted = WORKLOADS.iter().any(|workload| name.contains(workload));
        let (is_least, _) = place_among(all, &comparison.workload);
        wanted && is_least
    })
}

fn group(comparison: &Comparison) -> Option<Group> {
    let unit = nanoseconds(&comparison.unit)?;
    let bars = in_order(comparison).into_iter().map(|row| {
        let value = figure(row) * unit;
        Bar {
            name: row.rival.clone(),
            value,
            shown: time(value),
            ours: row.ours,
        }
    });
    Some(Group {
        heading: comparison.workload.clone(),
        note: String::new(),
        bars: bars.collect(),
    })
}
