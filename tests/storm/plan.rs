//! Which storm, for how long, and what is in it.

use std::env;
use std::time::Duration;

/// What happens in a storm, apart from ordinary work. Each can be had alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Part {
    Kills,
    Exits,
    Execs,
    Panics,
    Threads,
    Forks,
    Stops,
    Signals,
    Starvation,
}

impl Part {
    pub(crate) const ALL: [(&str, Self); 9] = [
        ("kills", Self::Kills),
        ("exits", Self::Exits),
        ("execs", Self::Execs),
        ("panics", Self::Panics),
        ("threads", Self::Threads),
        ("forks", Self::Forks),
        ("stops", Self::Stops),
        ("signals", Self::Signals),
        ("starvation", Self::Starvation),
    ];

    /// Whether somebody dies of it, or counts as dead.
    fn is_deadly(self) -> bool {
        matches!(self, Self::Kills | Self::Exits | Self::Execs | Self::Panics)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) duration: Duration,
    /// A bit for each [`Part`].
    parts: u32,
}

/// Enough for three rounds of each sort.
const SHORT: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(600);

impl Plan {
    pub(crate) fn from_environment() -> Self {
        let seed = env::var("PROCSYNC_SEED").ok();
        let only = env::var("PROCSYNC_ONLY").ok();
        Self {
            seed: seed.map_or_else(
                || fastrand::u64(..),
                |seed| seed.parse().expect("a number in PROCSYNC_SEED"),
            ),
            duration: duration(env::var("PROCSYNC_LONG").ok().as_deref()),
            parts: only.map_or(u32::MAX, |names| parts(&names)),
        }
    }

    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts & bit(part) != 0
    }

    pub(crate) fn is_deadly(&self) -> bool {
        Part::ALL
            .iter()
            .any(|&(_, part)| self.has(part) && part.is_deadly())
    }

    /// The same, and nobody dies.
    pub(crate) fn without_deaths(self) -> Self {
        let harmless = Part::ALL.iter().filter(|(_, part)| !part.is_deadly());
        let parts = harmless.fold(0, |parts, &(_, part)| parts | bit(part));
        Self {
            parts: self.parts & parts,
            ..self
        }
    }
}

fn bit(part: Part) -> u32 {
    1 << part as u32
}

/// `1`: ten minutes; another number: so many seconds.
fn duration(long: Option<&str>) -> Duration {
    match long {
        None | Some("" | "0") => SHORT,
        Some("1") => LONG,
        Some(seconds) => Duration::from_secs(seconds.parse().expect("seconds in PROCSYNC_LONG")),
    }
}

fn parts(names: &str) -> u32 {
    let part = |name: &str| {
        let found = Part::ALL.iter().find(|(known, _)| *known == name.trim());
        bit(found.unwrap_or_else(|| panic!("no part {name:?}")).1)
    };
    names
        .split(',')
        .map(part)
        .fold(0, |parts, part| parts | part)
}
