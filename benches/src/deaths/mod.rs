//! What the others get when one of them is killed: this crate's primitives beside those of others, in the same
//! experiment. Not a benchmark: nothing is measured.
//!
//! Each participant is a process. The victim is killed while it is known where it stands: stopped with the lock held,
//! asleep in the kernel, or just woken and not running yet. Then the others have [`PATIENCE`].

mod cases;
mod python;
mod stage;

use std::fmt;
use std::time::Duration;

/// Whoever has not gone on by then never will.
const PATIENCE: Duration = Duration::from_secs(2);

/// What became of the others, with one rival.
#[derive(Debug)]
pub struct Row {
    victim: String,
    rival: String,
    others: String,
    /// This crate's, and not as it promises.
    pub broken: bool,
}

impl Row {
    fn new(victim: impl Into<String>, rival: &str, others: impl Into<String>) -> Self {
        Self {
            victim: victim.into(),
            rival: rival.to_owned(),
            others: others.into(),
            broken: false,
        }
    }

    /// What this crate is to give.
    fn promised(mut self, others: &str) -> Self {
        self.broken = self.rival.starts_with("procsync") && self.others != others;
        self
    }
}

/// A line of a table in Markdown.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} | {} | {} |", self.victim, self.rival, self.others)
    }
}

/// All experiments; `show` gets each row as it is known. Call it where there is one thread.
pub fn deaths(mut show: impl FnMut(Row)) {
    for case in cases::ALL {
        case().into_iter().for_each(&mut show);
    }
    python::rows().into_iter().for_each(show);
}
