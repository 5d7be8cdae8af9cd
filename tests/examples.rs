//! Every example runs, with little to do, and finds its own result right.
//!
//! `cargo test` builds them; before `cargo test --test examples`, which does not, run
//! `cargo build --examples`.

#![cfg(not(loom))]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use procsync::inspect;

/// Cargo puts the examples beside the tests.
fn path_of(example: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    profile.join("examples").join(example)
}

/// What it prints.
fn succeeds(example: &str, arguments: &str) -> String {
    let path = path_of(example);
    let output = Command::new(&path)
        .args(arguments.split_whitespace())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; is it built?", path.display()));
    assert!(
        output.status.success(),
        "{example}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    String::from_utf8(output.stdout).expect("text")
}

/// The block in README.md that ends with `line`, or begins so.
fn shown(line: &str) -> &'static str {
    let blocks = include_str!("../README.md").split("```text\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
    let is_it = |block: &&str| block.starts_with(line) || block.trim_end().ends_with(line);
    blocks.find(is_it).expect("a block with that line")
}

/// Its lines, with # for what a run counts or measures.
fn but_for_numbers(text: &str) -> Vec<String> {
    let without = |word: &str| {
        let is_number = word.starts_with(|first: char| first.is_ascii_digit());
        String::from(if is_number { "#" } else { word })
    };
    let words = |line: &str| line.split_whitespace().map(without).collect::<Vec<_>>();
    text.lines().map(|line| words(line).join(" ")).collect()
}

#[test]
fn survivors_prints_what_the_readme_shows() {
    let printed = succeeds("survivors", "--seconds 2");
    let shown = shown("the books balance");
    assert_eq!(but_for_numbers(&printed), but_for_numbers(shown));
}

/// A field of a value, and its type, in a line of a report.
fn field(line: &str) -> Option<(&str, &str)> {
    let mut columns = line.split("  ").map(str::trim).filter(|it| !it.is_empty());
    Some((columns.next()?, columns.next()?)).filter(|_| columns.next().is_some())
}

#[test]
fn survivors_has_the_fields_that_the_readme_shows() {
    let mut survivors = Command::new(path_of("survivors"))
        .args(["--seconds", "3"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("survivors is built");
    let progress = BufReader::new(survivors.stderr.take().expect("piped"));
    let mut progress = progress.lines();
    assert!(progress.next().is_some(), "it is at work");

    let files = fs::read_dir(format!("/proc/{}/fd", survivors.id())).expect("its files");
    let paths = files.map(|file| file.expect("a file").path());
    let report = paths
        .filter_map(|path| inspect::open(path.to_str()?).ok())
        .next()
        .expect("its value")
        .to_string();
    progress.for_each(drop);
    assert!(survivors.wait().expect("an end").success());

    let fields: Vec<_> = report.lines().filter_map(field).collect();
    let shown: Vec<_> = shown("/proc/").lines().filter_map(field).collect();
    assert!(shown.len() > 10);
    for field in shown {
        assert!(fields.contains(&field), "{field:?} is not in\n{report}");
    }
}

#[test]
fn survivors_until_sold_out() {
    succeeds("survivors", "--seconds 60 --tickets 20000");
}

#[test]
fn survivors_with_one_seller() {
    succeeds("survivors", "--seconds 1 --workers 1 --kill-every 20");
}

#[test]
fn parking() {
    succeeds("parking", "--stay 20");
}

#[test]
fn traffic_light() {
    succeeds("traffic_light", "");
}

#[test]
fn producers() {
    succeeds("producers", "--items 500");
}

#[test]
fn phases() {
    succeeds("phases", "--phases 50");
}

#[test]
fn watchdog() {
    succeeds("watchdog", "--beats 5 --every 20");
}
