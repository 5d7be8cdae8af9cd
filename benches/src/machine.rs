//! What the figures depend on.

use std::ffi::CStr;
use std::process::Command;
use std::time::Duration;

use crate::measure::ratio;
use crate::results::Machine;

/// The crates that the feature `rivals` compares with.
const CRATES: &[&str] = &[
    "iceoryx2-pal-concurrency-sync",
    "parking_lot",
    "posix-sync",
    "process-sync",
    "raw_sync",
    "rufutex",
    "rustix-futex-sync",
];

/// This one.
pub fn machine() -> Machine {
    let system = rustix::system::uname();
    Machine {
        processor: processor().unwrap_or_else(unknown),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        kernel: format!(
            "{} {}",
            system.sysname().to_string_lossy(),
            system.release().to_string_lossy()
        ),
        libc: libc_version(),
        rustc: answer("rustc", &["--version"]).unwrap_or_else(unknown),
        versions: versions(),
        date: answer("date", &["-u", "+%F"]).unwrap_or_else(unknown),
    }
}

/// How much of the processors' time goes to others: 0 to 1. `None`: the kernel does not tell.
pub fn load_by_others() -> Option<f64> {
    let before = processor_times()?;
    std::thread::sleep(Duration::from_millis(300));
    let after = processor_times()?;
    let (idle, all) = (after.0 - before.0, after.1 - before.1);
    (all > 0).then(|| 1.0 - ratio(idle, all))
}

/// Idle, and all.
fn processor_times() -> Option<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let times = text.lines().next()?.strip_prefix("cpu ")?;
    let times: Result<Vec<u64>, _> = times.split_whitespace().map(str::parse).collect();
    let times = times.ok()?;
    // user, nice, system, idle, waiting for input and output, and more.
    Some((times.get(3)? + times.get(4)?, times.iter().sum()))
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(target_env = "gnu")]
fn libc_version() -> String {
    // SAFETY: it has no conditions.
    let version = unsafe { libc::gnu_get_libc_version() };
    // SAFETY: a string of libc's, which never changes.
    let version = unsafe { CStr::from_ptr(version) };
    format!("glibc {}", version.to_string_lossy())
}

pub(crate) fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn versions() -> Vec<(String, String)> {
    if cfg!(not(feature = "rivals")) {
        return Vec::new();
    }
    let packages = include_str!("../../Cargo.lock").split("[[package]]\n");
    let fields = packages.filter_map(|package| {
        let mut lines = package.lines();
        let name = lines.next()?.strip_prefix("name = ")?.trim_matches('"');
        let version = lines.next()?.strip_prefix("version = ")?.trim_matches('"');
        Some((name.to_owned(), version.to_owned()))
    });
    fields
        .filter(|(name, _)| CRATES.contains(&name.as_str()))
        .collect()
}
