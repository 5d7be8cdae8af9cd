//! Shows what the others get when one of them is killed, here and with other libraries, as a table in Markdown.
//!
//! `cargo run --release -p procsync-benches --features rivals --bin deaths`

use std::process::ExitCode;

use procsync_benches::{deaths, machine};

fn main() -> ExitCode {
    println!("| who is killed | with | the others |\n|---|---|---|");
    let mut broken = Vec::new();
    deaths(|row| {
        println!("{row}");
        broken.extend(row.broken.then(|| row.to_string()));
    });
    let machine = machine();
    println!("\n{}, {}", machine.kernel, machine.libc);
    for (name, version) in machine.versions {
        println!("{name} {version}");
    }
    for row in &broken {
        eprintln!("procsync does not keep its promise: {row}");
    }
    ExitCode::from(u8::from(!broken.is_empty()))
}
