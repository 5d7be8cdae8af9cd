//! What is printed, and what is too much.

use crate::case::Most;
use crate::meter::Count;

pub(crate) struct Row {
    name: &'static str,
    /// At least one.
    counts: Vec<Count>,
    most: Most,
}

impl Row {
    pub(crate) fn new(name: &'static str, counts: Vec<Count>, most: Most) -> Self {
        assert!(!counts.is_empty(), "{name}: nothing was counted");
        Self { name, counts, most }
    }

    pub(crate) fn is_within_bounds(&self) -> bool {
        self.excess().is_none()
    }

    /// What is too much.
    fn excess(&self) -> Option<String> {
        let seen = self.instructions();
        if let Some(most) = self.most.instructions.filter(|&most| seen > most) {
            return Some(format!("more than {most} instructions"));
        }
        let calls = self.system_calls();
        let most = (0..calls.len()).map(|lap| self.most_system_calls(lap));
        let too_many = calls.iter().zip(most).find(|&(&seen, most)| seen > most);
        too_many.map(|(_, most)| format!("more than {most} system calls"))
    }

    /// The most of all counts.
    fn instructions(&self) -> usize {
        let counts = self.counts.iter().map(|count| count.instructions);
        counts.max().unwrap_or_default()
    }

    fn system_calls(&self) -> Vec<usize> {
        self.counts.iter().map(|count| count.system_calls).collect()
    }

    fn most_system_calls(&self, lap: usize) -> usize {
        let most = self.most.system_calls;
        most[lap.min(most.len() - 1)]
    }

    fn print(&self) {
        let judged = self.most.instructions.is_some();
        let instructions = if judged {
            self.instructions().to_string()
        } else {
            String::new()
        };
        let excess = self.excess().unwrap_or_default();
        let line = format!(
            "{:<50} {instructions:>12} {:>14}  {excess}",
            self.name,
            in_short(&self.system_calls())
        );
        println!("{}", line.trim_end());
    }
}

/// One figure if all are the same.
fn in_short(figures: &[usize]) -> String {
    let all_the_same = figures.iter().all(|figure| figure == &figures[0]);
    let shown = if all_the_same { &figures[..1] } else { figures };
    let shown: Vec<_> = shown.iter().map(usize::to_string).collect();
    shown.join(", ")
}

pub(crate) fn print(rows: &[Row]) {
    println!(
        "{:<50} {:>12} {:>14}",
        "operation", "instructions", "system calls"
    );
    rows.iter().for_each(Row::print);
}
