//! Kills participants at well-defined places, and prints what the survivors got: this crate's, and
//! those of others in the same case.
//!
//! `cargo run --release -p procsync-benches --features rivals --bin deaths`

use std::process::ExitCode;

use clap::Parser;
use procsync_benches::deaths;

/// Kills participants, and prints what the survivors got; fails if procsync does not do as it promises
#[derive(Parser)]
struct Arguments {
    /// Only libraries with this in their names, such as `procsync`
    #[arg(default_value = "")]
    library: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let report = deaths::play(&arguments.library);
    print!("{report}");
    ExitCode::from(u8::from(report.is_a_promise_broken()))
}
