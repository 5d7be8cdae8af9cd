//! Python's multiprocessing, in scenes that it plays by itself.

use super::actors::Trouble;
use super::{Outcome, Played, Row};
use crate::machine::answer;

const SCENES: &str = include_str!("scenes.py");

/// From names for the table and of scenes.
pub(super) fn rows(scenes: &[(&str, &'static str)]) -> Vec<Row> {
    let row = |&(name, scene): &(&str, &'static str)| {
        Row::new(&format!("CPython {name}"), move || play(scene))
    };
    scenes.iter().map(row).collect()
}

fn play(scene: &str) -> Played {
    if version().is_none() {
        return Ok(Outcome::new(false, "python3 not found"));
    }
    let futex = libc::SYS_futex.to_string();
    let text = answer("python3", &["-c", SCENES, scene, &futex]);
    let text = text.ok_or_else(|| Trouble("python3 failed".to_owned()))?;
    Ok(Outcome::new(false, text))
}

/// "Python 3.11.2"; `None`: there is none.
pub(super) fn version() -> Option<String> {
    answer("python3", &["--version"])
}
