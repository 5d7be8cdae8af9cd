//! What could not be tested here.

use std::io::{Write, stderr};

/// Says so, past the harness, which shows what tests print only if they fail.
pub(crate) fn skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(stderr(), "SKIPPED {test}: {why}");
}
