//! Which values there are in a directory.

use std::fmt;
use std::fs;
use std::io;

use procsync::ShareError;
use procsync::inspect::{self, Life, Report};

/// The values in a directory.
pub(crate) struct List {
    /// In the order of their names.
    pub(crate) values: Vec<Report>,
    /// What may be values, too: why it is not known.
    unknown: Vec<String>,
}

pub(crate) fn list(directory: &str) -> io::Result<List> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        // What is not UTF-8 is not a name that this crate has given.
        if let Ok(file) = entry?.file_name().into_string() {
            names.push(format!("{directory}/{file}"));
        }
    }
    names.sort();
    let mut list = List {
        values: Vec::new(),
        unknown: Vec::new(),
    };
    for name in names {
        match inspect::open(&name) {
            Ok(report) => list.values.push(report),
            Err(error) if is_something_else(&error) => {}
            Err(error) => list.unknown.push(format!("{name:?}: {error}")),
        }
    }
    Ok(list)
}

/// Another file, or one that is gone by now.
fn is_something_else(error: &ShareError) -> bool {
    matches!(
        error,
        ShareError::BadMagic
            | ShareError::NotRegular
            | ShareError::NotFound
            | ShareError::TooSmall { .. }
    )
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.values {
            let name = report.name.escape_debug().to_string();
            writeln!(f, "{name:40}  {:>10} bytes  {}", report.size, maker(report))?;
        }
        for unknown in &self.unknown {
            writeln!(f, "{unknown}")?;
        }
        Ok(())
    }
}

fn maker(report: &Report) -> String {
    let creator = report.creator;
    if !report.is_of_this_boot {
        return "of before the last restart".to_owned();
    }
    let thread = report.thread(creator);
    let name = thread
        .and_then(|thread| thread.name.as_deref())
        .unwrap_or_default();
    match thread.map(|thread| thread.life) {
        Some(Life::Alive | Life::Stopped) => {
            format!("made by {creator} ({}), alive", name.escape_debug())
        }
        Some(Life::Gone) => format!("made by {creator}, which is gone"),
        _ => format!("made by {creator} of another PID namespace"),
    }
}
