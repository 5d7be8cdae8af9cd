//! What the table and the charts say about a comparison, and in which words.

use crate::results::{Comparison, Row, Target};

/// The figure that stands for a row.
pub(super) fn figure(row: &Row) -> f64 {
    row.median
}

pub(super) fn find<'a>(comparison: &'a Comparison, rival: &str) -> Option<&'a Row> {
    comparison.rows.iter().find(|row| row.rival == rival)
}

/// The row that all others are divided by.
pub(super) fn baseline(comparison: &Comparison) -> Option<&Row> {
    find(comparison, &comparison.baseline)
}

pub(super) fn ratio(comparison: &Comparison, row: &Row) -> Option<f64> {
    let baseline = figure(baseline(comparison)?);
    let ratio = figure(row) / baseline;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}

/// The fastest of those that are not ours.
pub(super) fn best_rival(comparison: &Comparison) -> Option<&Row> {
    let rivals = comparison.rows.iter().filter(|row| !row.ours);
    rivals.min_by(|a, b| figure(a).total_cmp(&figure(b)))
}

/// Ours first, then the others, the fastest first.
pub(super) fn in_order(comparison: &Comparison) -> Vec<&Row> {
    let mut rows: Vec<_> = comparison.rows.iter().collect();
    rows.sort_by(|a, b| {
        let ours_first = b.ours.cmp(&a.ours);
        ours_first.then(figure(a).total_cmp(&figure(b)))
    });
    rows
}

/// Whether a target is met; `None`: one of the two was not measured.
pub(super) fn is_met(comparison: &Comparison, target: &Target) -> Option<bool> {
    let ours = figure(find(comparison, &target.ours)?);
    let other = figure(find(comparison, &target.other)?);
    Some(ours <= target.at_most * other)
}

/// How long a unit is; `None`: it is not one of time.
pub(super) fn nanoseconds(unit: &str) -> Option<f64> {
    match unit.split_whitespace().next()? {
        "ns" => Some(1.0),
        "µs" | "us" => Some(1e3),
        "ms" => Some(1e6),
        "s" => Some(1e9),
        _ => None,
    }
}

/// A time, in the unit that suits it.
pub(super) fn time(nanoseconds: f64) -> String {
    let (unit, name) = match nanoseconds {
        t if t < 1e3 => (1.0, "ns"),
        t if t < 1e6 => (1e3, "µs"),
        t if t < 1e9 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{} {name}", short(nanoseconds / unit))
}

/// A row's figure with its unit.
pub(super) fn quantity(comparison: &Comparison, row: &Row) -> String {
    match nanoseconds(&comparison.unit) {
        Some(unit) => time(figure(row) * unit),
        None => format!("{} {}", short(figure(row)), comparison.unit),
    }
}

/// With about three digits.
pub(super) fn short(number: f64) -> String {
    let decimals = match number.abs() {
        n if n < 10.0 => 2,
        n if n < 100.0 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

/// A workload's name without its number, and the number: "waiters, 16" or "contended, 4 threads".
pub(super) fn split_number(workload: &str) -> Option<(String, f64)> {
    let (name, last) = workload.rsplit_once(", ").or(workload.rsplit_once(' '))?;
    let mut words = last.splitn(2, ' ');
    let number: f64 = words.next()?.parse().ok()?;
    let stem = words
        .next()
        .map_or(name.to_owned(), |of| format!("{name}, {of}"));
    (number > 0.0).then_some((stem, number))
}

/// Whether a workload is the one with the least, and with the most, of those that differ from it in the
/// number alone.
pub(super) fn place_among(all: &[Comparison], workload: &str) -> (bool, bool) {
    let Some((stem, number)) = split_number(workload) else {
        return (true, true);
    };
    let others = all.iter().filter_map(|other| split_number(&other.workload));
    let numbers: Vec<_> = others
        .filter(|(other, _)| *other == stem)
        .map(|(_, other)| other)
        .collect();
    (
        numbers.iter().all(|&other| number <= other),
        numbers.iter().all(|&other| number >= other),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_and_the_most_are_known() {
        let comparison = |workload: &str| Comparison {
            workload: workload.into(),
            unit: String::new(),
            baseline: String::new(),
            rows: Vec::new(),
            target: None,
        };
        let all = ["barrier, 2", "barrier, 16", "barrier, 4", "other, 1"].map(comparison);
        let places = [2, 4, 16].map(|n| place_among(&all, &format!("barrier, {n}")));
        assert_eq!(places, [(true, false), (false, false), (false, true)]);
        assert_eq!(place_among(&all, "ping-pong"), (true, true));
    }

    #[test]
    fn numbers_are_split_off() {
        let split = split_number;
        assert_eq!(split("waiters, 16"), Some(("waiters".into(), 16.0)));
        assert_eq!(split("waiters 16"), Some(("waiters".into(), 16.0)));
        assert_eq!(
            split("contended, 4 threads"),
            Some(("contended, threads".into(), 4.0))
        );
        assert_eq!(split("ping-pong"), None);
        assert_eq!(split("uncontended, shared"), None);
    }

    #[test]
    fn times_have_three_digits() {
        let seen = [0.5, 15.04, 152.3, 1_234.0, 12_345_678.0].map(time);
        assert_eq!(seen, ["0.50 ns", "15.0 ns", "152 ns", "1.23 µs", "12.3 ms"]);
    }
}
