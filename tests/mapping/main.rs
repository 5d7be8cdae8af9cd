//! Values in mappings: real files, real processes.

#![cfg(not(loom))]

mod creating;
mod forgotten;
mod processes;
mod refusing;
mod scene;
#[path = "../common/skipped.rs"]
mod skipped;
mod steps;
mod values;

use std::sync::atomic::{AtomicU32, Ordering};

use procsync::{ShareError, unlink};
use tempfile::TempDir;

/// A directory for names, on a tmpfs.
fn directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

fn name_in(directory: &TempDir, file: &str) -> String {
    format!("{}/{file}", directory.path().display())
}

fn files_in(directory: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(directory.path()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// A POSIX shared-memory name of this process; unlinked in the end.
struct PosixName(String);

impl PosixName {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(format!("/procsync-test-{}-{number}", std::process::id()))
    }
}

impl Drop for PosixName {
    fn drop(&mut self) {
        let _: Result<(), ShareError> = unlink(&self.0);
    }
}

/// What this process has mapped, as lines that contain `text`.
fn mapped(text: &str) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains(text)).count()
}
