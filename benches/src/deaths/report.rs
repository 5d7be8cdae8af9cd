//! What is printed.

use std::fmt;

use super::{Case, Outcome, Row};
use crate::results::Machine;

const HEAD: &str = "\
# Deaths, here and elsewhere

What `cargo run --release -p procsync-benches --features rivals --bin deaths` has printed.

All participants are processes. The headings name who is *killed*, by SIGKILL, at the place that is told.
Whoever then should go on has two seconds: one that has not by then *hangs*, or *sleeps on*. Each scene is
played once. Deaths of those who have just been woken come before their next instruction, by ptrace(2).
";

/// It is compared where speed is.
const FOR_THREADS_ONLY: &str = "parking_lot";

/// The cases, and what came of them, as Markdown.
pub struct Report {
    machine: Machine,
    python: Option<String>,
    cases: Vec<Case>,
    /// In the order of the cases' rows.
    outcomes: Vec<Outcome>,
}

impl Report {
    pub(super) fn new(
        machine: Machine,
        python: Option<String>,
        cases: Vec<Case>,
        outcomes: Vec<Outcome>,
    ) -> Self {
        Self {
            machine,
            python,
            cases,
            outcomes,
        }
    }

    /// Whether a primitive of this crate got stuck, or did something else than it promises.
    pub fn is_a_promise_broken(&self) -> bool {
        let rows = self.cases.iter().flat_map(|case| &case.rows);
        let mut played = rows.zip(&self.outcomes);
        played.any(|(row, outcome)| row.is_ours() && !outcome.as_promised)
    }

    fn write_versions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine {
            kernel,
            libc,
            rustc,
            date,
            ..
        } = &self.machine;
        let python = self.python.as_deref().unwrap_or("python3 not found");
        // What follows the version is the name of a build.
        let kernel = kernel.split('-').next().unwrap_or(kernel);
        writeln!(f, "{date}: {kernel}, {libc}, {python}, {rustc}\n")?;
        for (name, version) in &self.machine.versions {
            if name != FOR_THREADS_ONLY {
                writeln!(f, "- {name} {version}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").finish_non_exhaustive()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        self.write_versions(f)?;
        let mut outcomes = self.outcomes.iter();
        for case in &self.cases {
            write_heading(f, case)?;
            for (row, outcome) in case.rows.iter().zip(&mut outcomes) {
                write_row(f, row, outcome)?;
            }
        }
        Ok(())
    }
}

fn write_heading(f: &mut fmt::Formatter<'_>, case: &Case) -> fmt::Result {
    writeln!(f, "\n## {}\n\n{}\n", case.who, case.how)?;
    writeln!(f, "| library | the survivors |\n|---|---|")
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &Row, outcome: &Outcome) -> fmt::Result {
    writeln!(f, "| {} | {} |", row.library, outcome.text)
}
