//! Stepper and stepped take turns on one processor, so another process can do the same on the next: the
//! trials are dealt out.

use std::process::{Child, Command, ExitCode};

use libtest_mimic::{Arguments, Trial};

/// In the environment of a process that has a part of the trials: which, and of how many.
const SHARD: &str = "PROCSYNC_SHARD";

/// A part of the trials.
pub(crate) struct Shard {
    pub(crate) index: usize,
    count: usize,
}

impl Shard {
    /// The calling process's, if it has one, or if one process is enough.
    pub(crate) fn mine(arguments: &Arguments, processors: usize) -> Option<Self> {
        let only = Self { index: 0, count: 1 };
        if let Ok(shard) = std::env::var(SHARD) {
            let (index, count) = shard.split_once('/')?;
            return Some(Self {
                index: index.parse().ok()?,
                count: count.parse().ok()?,
            });
        }
        let few = arguments.list || arguments.filter.is_some() || processors < 2;
        few.then_some(only)
    }

    pub(crate) fn deal(&self, trials: Vec<Trial>) -> Vec<Trial> {
        let is_mine = |&(place, _): &(usize, Trial)| place % self.count == self.index;
        let mine = trials.into_iter().enumerate().filter(is_mine);
        mine.map(|(_, trial)| trial).collect()
    }
}

/// Runs all of them, a process for each processor.
pub(crate) fn run_all(processors: usize) -> ExitCode {
    let start = |index| {
        Command::new(std::env::current_exe().expect("this program"))
            .args(std::env::args_os().skip(1))
            .env(SHARD, format!("{index}/{processors}"))
            .spawn()
            .expect("a process more")
    };
    let children: Vec<Child> = (0..processors).map(start).collect();
    let has_failed = |mut child: Child| !child.wait().is_ok_and(|end| end.success());
    // All of them are waited for.
    let failed = children
        .into_iter()
        .map(has_failed)
        .filter(|failed| *failed);
    ExitCode::from(u8::from(failed.count() > 0))
}
