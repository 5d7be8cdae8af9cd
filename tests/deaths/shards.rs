//! Stepper and stepped take turns on one processor, so another process can do the same on the next: the
//! trials are dealt out.

use std::io::Write;
use std::process::{Command, ExitCode, Output, Stdio};
use std::thread;

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

/// Runs all of them, a process for each processor. Those that failed are printed last.
pub(crate) fn run_all(processors: usize) -> ExitCode {
    let start = |index| {
        Command::new(std::env::current_exe().expect("this program"))
            .args(std::env::args_os().skip(1))
            .env(SHARD, format!("{index}/{processors}"))
            .stderr(Stdio::inherit())
            .output()
            .expect("a process more")
    };
    let mut shards: Vec<Output> = thread::scope(|scope| {
        let threads: Vec<_> = (0..processors)
            .map(|index| scope.spawn(move || start(index)))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().expect("a shard");
        threads.into_iter().map(join).collect()
    });
    shards.sort_by_key(|shard| !shard.status.success());
    for shard in &shards {
        let _ = std::io::stdout().write_all(&shard.stdout);
    }
    let failed = shards.iter().any(|shard| !shard.status.success());
    ExitCode::from(u8::from(failed))
}
