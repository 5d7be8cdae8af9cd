//! The table of ratios.

use std::fmt::Write;

use super::figures::{baseline, best_rival, figure, find, is_met, quantity, ratio, short};
use crate::results::{Comparison, Machine, Results, Row};

const HEAD: &str = "\
| workload | ours | | baseline | best rival | beside its aim | reached |
|---|---|--:|---|---|---|---|
";

const NOTHING: &str = "–";

pub(super) fn markdown(results: &Results) -> String {
    let mut text = HEAD.to_owned();
    for comparison in &results.comparisons {
        add_lines(&mut text, comparison);
    }
    text.push('\n');
    text.push_str(
        "Ratios: median time ÷ the baseline's; less is better. An aim is the ratio to the rival beside it that the \
         crate is to reach.\n\n",
    );
    add_machine(&mut text, &results.machine);
    text
}

/// One line for each of ours; what they have in common stands in the first.
fn add_lines(text: &mut String, comparison: &Comparison) {
    let ours: Vec<_> = comparison.rows.iter().filter(|row| row.ours).collect();
    let (baseline, rival) = (baseline_cell(comparison), rival_cell(comparison));
    for (index, row) in ours.iter().enumerate() {
        let common = |cell| if index == 0 { cell } else { "" };
        let (target, met) = target_cells(comparison, row);
        let cells = [
            common(&comparison.workload),
            &row.rival,
            &emphasized(ratio(comparison, row)),
            common(&baseline),
            common(&rival),
            &target,
            met,
        ];
        let cells = cells.map(escaped);
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}

fn emphasized(ratio: Option<f64>) -> String {
    ratio.map_or(NOTHING.to_owned(), |ratio| format!("**{}**", digits(ratio)))
}

fn baseline_cell(comparison: &Comparison) -> String {
    match baseline(comparison) {
        Some(row) => format!("{} ({})", row.rival, quantity(comparison, row)),
        None => NOTHING.to_owned(),
    }
}

fn rival_cell(comparison: &Comparison) -> String {
    let rival = best_rival(comparison);
    match rival.and_then(|row| Some((row, ratio(comparison, row)?))) {
        Some((row, _)) if row.rival == comparison.baseline => "the baseline".to_owned(),
        Some((row, ratio)) => format!("{} ({})", row.rival, digits(ratio)),
        None => NOTHING.to_owned(),
    }
}

fn target_cells(comparison: &Comparison, row: &Row) -> (String, &'static str) {
    let Some(target) = &comparison.target else {
        return (String::new(), "");
    };
    if target.ours != row.rival {
        return (String::new(), "");
    }
    let met = match is_met(comparison, target) {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "not measured",
    };
    let measured = find(comparison, &target.other)
        .map(|other| figure(row) / figure(other))
        .map_or(NOTHING.to_owned(), digits);
    (
        format!(
            "{measured} × {} (aim: {})",
            target.other,
            short(target.at_most)
        ),
        met,
    )
}

/// Small ratios differ in their third digit.
fn digits(ratio: f64) -> String {
    let decimals = if ratio < 0.1 { 3 } else { 2 };
    format!("{ratio:.decimals$}")
}

/// A bar would end the cell.
fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|")
}

fn add_machine(text: &mut String, machine: &Machine) {
    let Machine {
        processor,
        cores,
        kernel,
        libc,
        rustc,
        versions,
        date,
    } = machine;
    let cores = match cores {
        1 => "1 core".to_owned(),
        many => format!("{many} cores"),
    };
    let _ = writeln!(
        text,
        "{date}: {processor}, {cores}; {kernel}, {libc}, {rustc}."
    );
    let versions: Vec<_> = versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    if !versions.is_empty() {
        let _ = writeln!(text, "Rivals: {}.", versions.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Target;

    fn row(rival: &str, ours: bool, median: f64) -> Row {
        Row {
            rival: rival.into(),
            ours,
            fastest: median * 0.9,
            median,
            cpu: None,
            fairness: None,
        }
    }

    fn comparison(rows: Vec<Row>, target: Option<Target>) -> Comparison {
        Comparison {
            workload: "uncontended".into(),
            unit: "ns".into(),
            baseline: "std Mutex".into(),
            rows,
            target,
        }
    }

    fn target(other: &str, at_most: f64) -> Option<Target> {
        Some(Target {
            ours: "Lock, shared".into(),
            other: other.into(),
            at_most,
        })
    }

    fn lines(comparison: &Comparison) -> String {
        let mut text = String::new();
        add_lines(&mut text, comparison);
        text
    }

    #[test]
    fn one_line_for_each_of_ours() {
        let rows = vec![
            row("Lock, private", true, 10.0),
            row("Lock, shared", true, 11.0),
            row("std Mutex", false, 10.0),
            row("parking_lot", false, 9.0),
            row("pthread|robust", false, 14.3),
        ];
        assert_eq!(
            lines(&comparison(rows, target("pthread|robust", 0.8))),
            "| uncontended | Lock, private | **1.00** | std Mutex (10.0 ns) | parking_lot (0.90) |  |  |\n\
             |  | Lock, shared | **1.10** |  |  | 0.77 × pthread\\|robust (aim: 0.80) | yes |\n"
        );
    }

    #[test]
    fn a_target_is_missed_or_not_measured() {
        let rows = vec![
            row("Lock, shared", true, 13.0),
            row("std Mutex", false, 10.0),
        ];
        let missed = lines(&comparison(rows.clone(), target("std Mutex", 1.2)));
        assert!(
            missed.ends_with("| the baseline | 1.30 × std Mutex (aim: 1.20) | **no** |\n"),
            "{missed}"
        );
        let unknown = lines(&comparison(rows, target("sem_t", 1.2)));
        assert!(unknown.ends_with("| not measured |\n"), "{unknown}");
    }

    #[test]
    fn without_its_baseline_there_is_no_ratio() {
        let rows = vec![row("Lock, shared", true, 13.0)];
        assert_eq!(
            lines(&comparison(rows, None)),
            "| uncontended | Lock, shared | – | – | – |  |  |\n"
        );
    }

    #[test]
    fn the_machine_stands_beneath() {
        let machine = Machine {
            processor: "A processor".into(),
            cores: 2,
            kernel: "Linux 6.18".into(),
            libc: "glibc 2.36".into(),
            rustc: "rustc 1.95".into(),
            versions: vec![("parking_lot".into(), "0.13".into())],
            date: "2026-01-02".into(),
        };
        let results = Results {
            machine,
            comparisons: Vec::new(),
        };
        let text = markdown(&results);
        assert!(text.starts_with(HEAD));
        assert!(
            text.ends_with(
                "2026-01-02: A processor, 2 cores; Linux 6.18, glibc 2.36, rustc 1.95.\n\
                 Rivals: parking_lot 0.13.\n"
            ),
            "{text}"
        );
    }
}
