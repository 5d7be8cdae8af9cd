//! What `/proc` tells of other threads. Only files that are read without a lock of the other process's
//! memory: reading must come to an end, whatever that process is stuck in.

use std::fs;

/// A thread, as `/proc` knows it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Its process.
    pub(crate) process: u32,
    /// Stopped, by a signal or a debugger.
    pub(crate) stopped: bool,
}

/// `None`: it is gone, or this user may not see it.
pub(crate) fn look_at(tid: u32) -> Option<Seen> {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::trim_start)
    };
    Some(Seen {
        process: field("Tgid:")?.parse().ok()?,
        stopped: field("State:")?.starts_with(['T', 't']),
    })
}

/// What a thread calls itself.
pub(crate) fn name_of(tid: u32) -> Option<String> {
    let name = fs::read(format!("/proc/{tid}/comm")).ok()?;
    Some(String::from_utf8_lossy(&name).trim_end().to_owned())
}
