//! `procsync inspect NAME`: what is in a shared value, and who has it. `procsync list`: which values
//! there are.

mod json;
mod list;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use procsync::inspect;

/// Looks at values that processes share by procsync. It only reads: nobody is held up, and nothing is
/// changed.
#[derive(Parser)]
#[command(name = "procsync", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows what is in a value: each lock, who holds it, who died, how many sleep, and all numbers.
    Inspect {
        /// A POSIX shared-memory name ("/x") or the path of a file ("./x", "/proc/PID/fd/N").
        name: String,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Lists the values in a directory.
    List {
        /// The directory of the POSIX shared-memory names, if none is given.
        #[arg(default_value = "/dev/shm")]
        directory: String,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("procsync: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<(), Box<dyn Error>> {
    let text = match command {
        Command::Inspect { name, json } => {
            let report = inspect::open(name).map_err(|error| format!("{name:?}: {error}"))?;
            if *json {
                json::pretty(&json::Report::from(&report))?
            } else {
                report.to_string()
            }
        }
        Command::List { directory, json } => {
            let list = list::list(directory).map_err(|error| format!("{directory:?}: {error}"))?;
            if *json {
                let reports: Vec<_> = list.values.iter().map(json::Report::from).collect();
                json::pretty(&reports)?
            } else {
                list.to_string()
            }
        }
    };
    print(&text).map_err(Into::into)
}

/// Whoever reads the output may have read enough.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
