//! Breaks the crate on purpose, one change at a time, and checks that a model notices.
//!
//! `cargo run -p loom-tests --bin mutants [NAME…]`. Each mutant is one piece of source text replaced
//! by another, in a copy of the sources, and the model that must fail then. A mutant that does not
//! apply, does not compile, or passes its model is an error: then the table is mended, or a model.

mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use table::{Mutant, mutants};

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let chosen: Vec<&Mutant> = mutants()
        .filter(|m| wanted.is_empty() || wanted.iter().any(|w| w == m.name))
        .collect();
    for name in &wanted {
        if !chosen.iter().any(|mutant| mutant.name == name) {
            eprintln!("no mutant is called {name}; they are in loom-tests/src/bin/mutants/table");
            return ExitCode::FAILURE;
        }
    }
    let caught = judge_all(&chosen);
    let failed = chosen.len() - caught;
    println!("mutants: {caught} caught, {failed} not");
    if failed == 0 && caught > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// In a lab for each processor; how many were caught.
fn judge_all(mutants: &[&Mutant]) -> usize {
    let next = AtomicUsize::new(0);
    let work = |number| {
        let lab = Lab::open(number);
        let mine = || mutants.get(next.fetch_add(1, Ordering::Relaxed));
        std::iter::from_fn(mine)
            .filter(|mutant| lab.judge(mutant))
            .count()
    };
    let labs = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let labs: Vec<_> = (0..labs.min(mutants.len()))
            .map(|number| scope.spawn(move || work(number)))
            .collect();
        let caught = |lab: thread::ScopedJoinHandle<'_, usize>| lab.join().expect("a lab works");
        labs.into_iter().map(caught).sum()
    })
}

/// A copy of the sources, to break.
struct Lab {
    root: PathBuf,
    copy: PathBuf,
    build: PathBuf,
}

impl Lab {
    fn open(number: usize) -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest
            .parent()
            .expect("the workspace is above this package")
            .to_path_buf();
        let target = root.join(format!("target/mutants/{number}"));
        let lab = Self {
            root,
            copy: target.join("tree"),
            build: target.join("build"),
        };
        lab.refresh();
        lab
    }

    /// All sources, and nothing that was there before.
    fn refresh(&self) {
        const NO_SOURCES: [&str; 3] = [".git", "fuzz", "target"];
        if self.copy.exists() {
            std::fs::remove_dir_all(&self.copy).expect("the target directory is writable");
        }
        for entry in std::fs::read_dir(&self.root).expect("the sources are readable") {
            let name = entry.expect("the sources are readable").file_name();
            if !NO_SOURCES.iter().any(|none| name == *none) {
                copy(&self.root.join(&name), &self.copy.join(&name));
            }
        }
    }

    fn judge(&self, mutant: &Mutant) -> bool {
        let original = read(&self.root.join(mutant.file));
        let found = original.matches(mutant.find).count();
        if found != 1 {
            return verdict(
                mutant,
                false,
                &format!("its text occurs {found} times, not once"),
            );
        }
        let place = self.copy.join(mutant.file);
        write(&place, &original.replace(mutant.find, mutant.replace));
        let outcome = self.run(mutant);
        write(&place, &original);
        match outcome {
            Ok(()) => verdict(mutant, true, mutant.model.1),
            Err(why) => verdict(mutant, false, &why),
        }
    }

    fn run(&self, mutant: &Mutant) -> Result<(), String> {
        let (target, model) = mutant.model;
        let build = self.cargo(&["--no-run", "--test", target]);
        if !build.status.success() {
            return Err(format!(
                "it does not compile:\n{}",
                String::from_utf8_lossy(&build.stderr)
            ));
        }
        let run = self.cargo(&["--test", target, "--", "--exact", model]);
        let printed = String::from_utf8_lossy(&run.stdout);
        if !printed.contains("running 1 test") {
            return Err(format!("there is no model {model}"));
        }
        if run.status.success() {
            Err(format!("{model} passes"))
        } else {
            Ok(())
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO"))
            .args(["test", "--release", "--quiet", "-p", "loom-tests"])
            .args(arguments)
            .current_dir(&self.copy)
            .env("CARGO_TARGET_DIR", &self.build)
            .env("RUSTFLAGS", "--cfg loom --allow warnings")
            .output()
            .expect("cargo runs")
    }
}

fn verdict(mutant: &Mutant, caught: bool, detail: &str) -> bool {
    println!(
        "{} {:<32} {detail}",
        if caught { "caught    " } else { "NOT CAUGHT" },
        mutant.name
    );
    caught
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("the target directory is writable");
        for entry in std::fs::read_dir(from).expect("the sources are readable") {
            let entry = entry.expect("the sources are readable");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::create_dir_all(to.parent().expect("a file is in a directory")).expect("writable");
        std::fs::copy(from, to).expect("the target directory is writable");
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Known in seconds, where the models take minutes.
#[test]
fn every_mutant_can_be_made() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for mutant in table::mutants() {
        let found = read(&root.join(mutant.file)).matches(mutant.find).count();
        assert_eq!(
            found, 1,
            "how often the text of {} is in {}",
            mutant.name, mutant.file
        );
    }
}
