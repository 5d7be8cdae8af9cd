//! Writes the table and the charts of a run of the benchmarks.
//!
//! `cargo run -p procsync-benches --bin summary`

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Parser;
use procsync_benches::report;

/// Turns results into a table in Markdown and charts in SVG.
#[derive(Parser)]
struct Arguments {
    /// The results, as the benchmarks left them
    #[arg(long, default_value = "target/ratios.json")]
    json: PathBuf,
    /// The directory to write to
    #[arg(long, default_value = "docs/figures")]
    out: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let text = fs::read_to_string(&arguments.json)
        .map_err(|error| format!("{}: {error}", arguments.json.display()))?;
    let results = serde_json::from_str(&text)?;
    for path in report::write(&results, &arguments.out)? {
        println!("{}", path.display());
    }
    Ok(())
}
