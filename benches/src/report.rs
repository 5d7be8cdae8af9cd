//! Turns results into what people look at: a table in Markdown, and charts.
//!
//! Everywhere a workload's figure is the median of its rounds, and its *ratio* that figure divided by the
//! baseline's. Less is better.

mod bars;
mod figures;
mod glance;
mod growth;
mod hand_over;
mod scale;
mod style;
mod table;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use crate::results::Results;

/// The name of the table's file.
const TABLE: &str = "ratios.md";

/// A chart's file, and how to draw it; `None`: there is nothing to show.
type Chart = (&'static str, fn(&Results) -> Drawing);
type Drawing = Result<Option<String>, Box<dyn Error>>;

const CHARTS: [Chart; 3] = [
    ("ratios.svg", glance::draw),
    ("hand-over.svg", hand_over::draw),
    ("growth.svg", growth::draw),
];

/// Writes the table and the charts into a directory, and tells what it wrote. Charts that would be empty
/// are left out.
///
/// # Errors
///
/// A file cannot be written, or a chart not be drawn.
pub fn write(results: &Results, directory: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    fs::create_dir_all(directory)?;
    let mut files = vec![(TABLE, table::markdown(results))];
    for (name, draw) in CHARTS {
        files.extend(draw(results)?.map(|svg| (name, svg)));
    }
    let mut written = Vec::new();
    for (name, text) in files {
        let path = directory.join(name);
        fs::write(&path, text)?;
        written.push(path);
    }
    Ok(written)
}
