//! Programs that were built apart, at other times, in other ways, from one source or from several: those
//! that mean the same share values, the others are told.
//!
//! They are small crates of their own, made here, which use this one as any other would.

#![cfg(not(loom))]

mod workshop;

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

use procsync::inspect::{self, Structure};
use tempfile::TempDir;
use workshop::{Program, Recipe};

/// One test, since all need the programs.
#[test]
fn programs_built_apart_meet_and_others_are_refused() {
    let workshop = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let quick = workshop::build(&workshop, &Recipe::QUICK);
    let thorough = workshop::build(&workshop, &Recipe::THOROUGH);
    let other = workshop::build(&workshop, &Recipe::OTHER);
    let later = workshop::build(&workshop, &Recipe::LATER);
    assert_ne!(
        std::fs::read(&quick.0).unwrap(),
        std::fs::read(&thorough.0).unwrap()
    );

    layouts_depend_on_the_structure_alone(&quick, &thorough, &other);
    they_share_a_value(&quick, &thorough);
    a_death_in_one_is_seen_by_the_other(&quick, &thorough);
    another_structure_is_refused(&quick, &other);
    another_representation_is_refused(&quick, &later);
}

fn names() -> (TempDir, String) {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let name = format!("{}/x", directory.path().display());
    (directory, name)
}

fn run(program: &Program, deed: &str, name: &str) -> Output {
    let mut command = Command::new(&program.0);
    command.args([deed, name]).stdin(Stdio::null());
    command.output().unwrap()
}

#[track_caller]
fn says(program: &Program, deed: &str, name: &str) -> String {
    let output = run(program, deed, name);
    assert!(output.status.success(), "{deed}: {output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

fn layouts_depend_on_the_structure_alone(quick: &Program, thorough: &Program, other: &Program) {
    let [quick, thorough, other] = [quick, thorough, other].map(|one| says(one, "layout", "-"));
    assert_eq!(quick, thorough);
    let size = |text: &str| text.split_once(' ').unwrap().1.to_owned();
    assert_eq!(size(&quick), size(&other));
    assert_ne!(quick, other);
}

fn they_share_a_value(quick: &Program, thorough: &Program) {
    let (_directory, name) = names();
    assert_eq!(says(quick, "create", &name), "made");
    assert_eq!(says(thorough, "add", &name), "1");
    assert_eq!(says(quick, "add", &name), "2");
    let both = std::thread::scope(|threads| {
        let (name, meet) = (&name, "meet");
        let meet = |program| threads.spawn(move || says(program, meet, name));
        [quick, thorough].map(meet).map(|one| one.join().unwrap())
    });
    assert_eq!(both, ["met", "met"]);
    // And this program, which does not know the type, can look at it.
    let report = inspect::open(&name).unwrap();
    assert_eq!(report.structure, Structure::Described);
    assert!(
        report.parts.iter().any(|part| part.path == "tally.total"),
        "{report}"
    );
}

fn a_death_in_one_is_seen_by_the_other(quick: &Program, thorough: &Program) {
    let (_directory, name) = names();
    assert_eq!(says(thorough, "create", &name), "made");
    let death = run(quick, "die", &name);
    assert_eq!(death.status.signal(), Some(libc::SIGABRT), "{death:?}");
    assert_eq!(says(thorough, "add", &name), "poisoned");
}

fn another_structure_is_refused(quick: &Program, other: &Program) {
    let (_directory, name) = names();
    assert_eq!(says(quick, "create", &name), "made");
    let refusal = says(other, "add", &name);
    assert!(refusal.starts_with("LayoutMismatch"), "{refusal}");
    assert_eq!(says(quick, "add", &name), "1");
}

fn another_representation_is_refused(quick: &Program, later: &Program) {
    let now = workshop::VERSION;
    let then = now + 1;
    let is_refused = |program, name: &str, found, expected| {
        let refusal = says(program, "add", name);
        let both = format!("version {found} of the representation, expected was {expected}:");
        assert!(refusal.starts_with("VersionMismatch"), "{refusal}");
        assert!(refusal.contains(&both), "{refusal}");
    };
    let (_directory, name) = names();
    assert_eq!(says(quick, "create", &name), "made");
    is_refused(later, &name, now, then);
    let (_directory, name) = names();
    assert_eq!(says(later, "create", &name), "made");
    is_refused(quick, &name, then, now);
    assert_eq!(says(later, "add", &name), "1");
}
