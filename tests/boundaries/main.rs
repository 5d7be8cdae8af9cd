//! Who may get at a value, and who may not: users, namespaces, what others put in the way, crowds.
//!
//! What a user who is not root may not try is skipped, and says so.

#![cfg(not(loom))]

#[path = "../common/mod.rs"]
mod common;
mod crowd;
mod descriptors;
mod hostile;
mod namespaces;
mod planted;
mod users;

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

/// A directory like `/tmp`: all may make files in it, and take away their own.
fn open_to_all() -> TempDir {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o1777)).unwrap();
    directory
}

fn name_in(directory: &TempDir, file: &str) -> String {
    format!("{}/{file}", directory.path().display())
}

fn files_in(directory: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(directory.path()).unwrap();
    let mut files: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    files
}
