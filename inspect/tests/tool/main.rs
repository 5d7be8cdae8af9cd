//! The program, on values that real processes have.

mod anonymous;
#[path = "../../../tests/common/mod.rs"]
mod common;
mod foreign;
mod golden;
mod harmless;
mod listing;
mod stuck;

use std::process::{Command, Output, Stdio};

use procsync::{ShareError, unlink};

/// The program with these arguments, which must come to an end.
fn procsync(arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_procsync"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let ended = common::until(|| child.try_wait().expect("it is our child").is_some());
    if ended.is_err() {
        child.kill().expect("it is our child");
        panic!("{arguments:?} does not come to an end");
    }
    child.wait_with_output().expect("it has ended")
}

/// What it prints if all goes well.
#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = procsync(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

/// What it says if not.
#[track_caller]
fn refused(arguments: &[&str]) -> String {
    let output = procsync(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr).expect("it prints UTF-8")
}

/// A name of this test's own; unlinked in the end.
struct Name(String);

impl Name {
    fn new(test: &str) -> Self {
        Self(format!("/procsync-inspect-{test}-{}", std::process::id()))
    }

    fn path(&self) -> String {
        format!("/dev/shm{}", self.0)
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _: Result<(), ShareError> = unlink(&self.0);
    }
}

/// The lines of a report about its parts, each without the spaces that make the columns.
fn parts(report: &str) -> Vec<String> {
    let parts = report.split_once("\n\n").expect("there are parts").1;
    parts
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}
