//! Python's `multiprocessing`, by a program of its own language.

use std::process::Command;

use super::Row;

const PROGRAM: &str = include_str!("python.py");

pub(super) fn rows() -> Vec<Row> {
    let Ok(output) = Command::new("python3").args(["-c", PROGRAM]).output() else {
        return vec![Row::new(
            "all of these",
            "multiprocessing",
            "not tried: there is no python3",
        )];
    };
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut rows: Vec<_> = printed.lines().filter_map(row).collect();
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        rows.push(Row::new(
            "the rest of these",
            "multiprocessing",
            format!("not tried: {}", why.trim()),
        ));
    }
    rows
}

/// From `victim: type: what became of the others`.
fn row(line: &str) -> Option<Row> {
    let (victim, rest) = line.split_once(": ")?;
    let (rival, others) = rest.split_once(": ")?;
    Some(Row::new(
        victim.to_owned(),
        &format!("multiprocessing.{rival}"),
        others,
    ))
}
