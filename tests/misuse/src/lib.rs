//! What the compiler tells those who misuse the crate: each file in `cases` must not compile, and what the
//! compiler says must be what the file beside it has.
//!
//! The words are partly the compiler's own, and change with it. So they are compared where it is the version
//! that they were written down from, which the gate runs. Of another one: change `VERSION`, let
//! `TRYBUILD=overwrite cargo test -p misuse` write them anew, and look at each.

#![cfg(test)]

#[path = "../../common/skipped.rs"]
mod skipped;

use std::process::Command;

use skipped::skipped;

/// The compiler that the expected messages are of.
const VERSION: &str = "1.95";

fn is_of_that_version(compiler: &str) -> bool {
    let number = compiler.split(' ').nth(1).unwrap_or_default();
    number
        .strip_prefix(VERSION)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[test]
fn the_compiler_tells_the_way_out() {
    let output = Command::new("rustc").arg("--version").output().unwrap();
    let compiler = String::from_utf8(output.stdout).unwrap();
    if is_of_that_version(&compiler) {
        trybuild::TestCases::new().compile_fail("cases/*.rs");
    } else {
        skipped(&format!(
            "the messages are of rustc {VERSION}, this is {compiler}"
        ));
    }
}

#[test]
fn versions_are_compared_as_numbers() {
    assert!(is_of_that_version("rustc 1.95.0 (abc 2026-01-01)"));
    assert!(is_of_that_version("rustc 1.95"));
    assert!(!is_of_that_version("rustc 1.951.0"));
    assert!(!is_of_that_version("rustc 1.85.1"));
    assert!(!is_of_that_version(""));
}
