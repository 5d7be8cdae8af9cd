//! The ratios at a glance, of the workloads that matter most.

use super::Drawing;
use super::bars::{Bar, Bars, Group, Kind};
use super::figures::{baseline, best_rival, find, quantity, ratio, short};
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

/// Those that something is aimed at in.
fn chosen(all: &[Comparison]) -> impl Iterator<Item = &Comparison> {
    all.iter().filter(|comparison| comparison.target.is_some())
}

/// Ours, and the fastest of the others; the baseline is the line at 1.
fn group(comparison: &Comparison) -> Option<Group> {
    let baseline = baseline(comparison)?;
    let target = comparison.target.as_ref()?;
    let ours = find(comparison, &target.ours)?;
    let others = best_rival(comparison).filter(|best| best.rival != baseline.rival);
    let bars: Vec<_> = [Some(ours), others]
        .into_iter()
        .flatten()
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
