//! No operation takes more instructions or system calls than it has to.
//!
//! They are counted by a program of its own, `tests/counts`, since what is counted must be what users
//! get: a release build, made here. How often the compiler inlines the smallest function depends on the
//! profile, and on whether it builds incrementally. The figures are those of x86-64.

#![cfg(target_arch = "x86_64")]

use std::path::Path;
use std::process::Command;

/// Flags of one's own would change the figures.
const VARIABLES: [&str; 2] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"];

#[test]
fn no_operation_takes_more_than_before() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["run", "--quiet", "--release", "--offline"])
        .args(["--package", "counts"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env("CARGO_INCREMENTAL", "0");
    for variable in VARIABLES {
        cargo.env_remove(variable);
    }
    let status = cargo.status().expect("cargo can be run");
    assert!(status.success(), "see the table");
}
