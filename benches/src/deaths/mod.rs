//! Deaths, and what the survivors got: of this crate's primitives, and of their rivals in the same case.
//!
//! All participants are processes. The one that is named is SIGKILLed at the place that is named;
//! whoever should go on has two seconds, and is stuck otherwise. The process that directs them
//! never touches what is tried, so it cannot be stuck itself.

mod actors;
mod barrier;
mod bell;
mod bells;
mod creator;
mod lock;
mod python;
mod report;
mod semaphore;
mod stage;
mod timer;

pub use report::Report;

use crate::machine::machine;
use actors::Trouble;

/// One scene, and who plays it.
struct Case {
    who: &'static str,
    /// What happens, and where exactly the death comes; in lines.
    how: &'static str,
    rows: Vec<Row>,
}

/// A library in a scene.
struct Row {
    library: String,
    play: Box<dyn Fn() -> Played>,
}

type Played = Result<Outcome, Trouble>;

/// What the survivors got.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Outcome {
    text: String,
    /// Whether that is what this crate promises.
    as_promised: bool,
}

impl Outcome {
    fn new(as_promised: bool, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { text, as_promised }
    }
}

impl Row {
    fn new(library: &str, play: impl Fn() -> Played + 'static) -> Self {
        Self {
            library: library.to_owned(),
            play: Box::new(play),
        }
    }

    fn is_ours(&self) -> bool {
        self.library.starts_with("procsync")
    }
}

/// Plays every case with the libraries whose names contain `filter`: all of it takes less than a minute.
/// The process must have one thread.
pub fn play(filter: &str) -> Report {
    let mut cases = cases();
    for case in &mut cases {
        case.rows.retain(|row| row.library.contains(filter));
    }
    cases.retain(|case| !case.rows.is_empty());
    let outcomes = stage::play_all(cases.iter().flat_map(|case| &case.rows));
    Report::new(machine(), python::version(), cases, outcomes)
}

/// In the order of the table in the README.
fn cases() -> Vec<Case> {
    vec![
        lock::holder(),
        lock::woken(),
        semaphore::woken(),
        semaphore::with_a_permit(),
        bells::waits_for_an_event(),
        bells::sets_an_event(),
        bells::waits_for_a_condition(),
        bells::woken_at_a_condition(),
        barrier::party(),
        timer::runner(),
        creator::creator(),
    ]
}
