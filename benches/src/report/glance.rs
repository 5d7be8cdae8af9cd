//! All ratios at a glance.

use super::Drawing;
use super::bars::{Bar, Bars, Group, Kind};
use super::figures::{baseline, in_order, place_among, quantity, ratio, short};
use crate::results::{Comparison, Results};

/// A space where no line ends.
const NO_BREAK: &str = "\u{a0}";

pub(super) fn draw(results: &Results) -> Drawing {
    let bars = Bars {
        title: "Time, as a ratio to the baseline".into(),
        subtitle:
            "Less is better: bars to the left are faster than the baseline at 1. Logarithmic."
                .into(),
        kind: Kind::Ratio,
        groups: chosen(&results.comparisons).filter_map(group).collect(),
    };
    bars.draw()
}

/// Of those that differ in a number, the least and the most: the growth has a chart of its own.
fn chosen(all: &[Comparison]) -> impl Iterator<Item = &Comparison> {
    all.iter().filter(|comparison| {
        let (is_least, is_most) = place_among(all, &comparison.workload);
        is_least || is_most
    })
}

/// Without the baseline, which is the line at 1.
fn group(comparison: &Comparison) -> Option<Group> {
    let baseline = baseline(comparison)?;
    let rows = in_order(comparison);
    let others = rows.iter().filter(|row| row.rival != baseline.rival);
    let bars: Vec<_> = others
        .filter_map(|row| {
            let ratio = ratio(comparison, row)?;
            Some(Bar {
                name: row.rival.clone(),
                value: ratio,
                shown: short(ratio),
                ours: row.ours,
            })
        })
        .collect();
    (!bars.is_empty()).then(|| Group {
        heading: comparison.workload.clone(),
        note: format!(
            "1 = {} ({})",
            baseline.rival,
            quantity(comparison, baseline).replace(' ', NO_BREAK)
        ),
        bars,
    })
}
