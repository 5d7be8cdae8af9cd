//! Every example runs, with little to do, and finds its own result right.
//!
//! `cargo test` builds them; before `cargo test --test examples`, which does not, run
//! `cargo build --examples`.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Cargo puts the examples beside the tests.
fn path_of(example: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    profile.join("examples").join(example)
}

fn succeeds(example: &str, arguments: &str) {
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
}

#[test]
fn survivors() {
    succeeds("survivors", "--seconds 2");
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
