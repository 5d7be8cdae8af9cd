//! Where scenes are played: a process each, several at the same time, since most of it is waiting.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::{Outcome, Row};
use crate::common::{Child, fork, pipe};

/// A scene takes a few seconds.
const BOUND: Duration = Duration::from_secs(60);

const AT_ONCE: usize = 8;

/// An outcome for each row.
pub(super) fn play_all<'row>(rows: impl IntoIterator<Item = &'row Row>) -> Vec<Outcome> {
    let rows: Vec<_> = rows.into_iter().collect();
    rows.chunks(AT_ONCE).flat_map(play_together).collect()
}

fn play_together(rows: &[&Row]) -> Vec<Outcome> {
    let playing: Vec<_> = rows.iter().map(|row| Playing::start(row)).collect();
    playing.into_iter().map(Playing::finish).collect()
}

struct Playing {
    director: Child,
    outcome: File,
}

impl Playing {
    fn start(row: &Row) -> Self {
        let (outcome, to) = pipe();
        let director = fork(|| {
            let played = catch_unwind(AssertUnwindSafe(|| (row.play)()));
            let outcome = match played {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(trouble)) => not_played(&trouble.to_string()),
                Err(_) => not_played("the director panicked"),
            };
            serde_json::to_writer(&to, &outcome).expect("the pipe has room");
        });
        Self { director, outcome }
    }

    fn finish(mut self) -> Outcome {
        if self.director.join_within(BOUND).is_err() {
            return not_played("it does not end");
        }
        let mut text = String::new();
        let read = self.outcome.read_to_string(&mut text);
        read.ok()
            .and_then(|_| serde_json::from_str(&text).ok())
            .unwrap_or_else(|| not_played("the director died"))
    }
}

fn not_played(why: &str) -> Outcome {
    Outcome::new(false, format!("not played: {why}"))
}
