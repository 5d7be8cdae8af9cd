//! Breaks the crate on purpose, one change at a time, and checks that a model notices.
//!
//! `cargo run -p loom-tests --bin mutants [NAME…]`. Each mutant is one piece of source text replaced
//! by another, in a copy of the sources, and the model that must fail then. A mutant that does not
//! apply, does not compile, or passes its model is an error: then the table is mended, or a model.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

struct Mutant {
    name: &'static str,
    file: &'static str,
    find: &'static str,
    replace: &'static str,
    /// Test target and test that must fail.
    model: (&'static str, &'static str),
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "store-0-on-unlock",
        file: "src/raw_lock.rs",
        find: "self.word.store(WAITERS, Ordering::Release);",
        replace: "self.word.store(0, Ordering::Release);",
        model: (
            "lock",
            "a_dead_waiter_does_not_strand_another_while_the_owner_comes_back",
        ),
    },
    Mutant {
        name: "unlock-without-wake",
        file: "src/raw_lock.rs",
        find: "kernel::wake(address, 1);",
        replace: "let _ = address;",
        model: ("lock", "two_threads_exclude_each_other"),
    },
    Mutant {
        name: "clear-waiters-without-probe",
        file: "src/raw_lock.rs",
        find: "kernel::count_sleepers(&self.word) == 0\n            && ",
        replace: "",
        model: ("lock", "a_death_among_three_strands_nobody"),
    },
    Mutant {
        name: "probe-blind-to-arrivals",
        file: "src/raw_lock.rs",
        find: "if !somebody_arrived(word) && self",
        replace: "if self",
        model: ("lock", "two_threads_exclude_each_other"),
    },
    Mutant {
        name: "waiter-does-not-say-it-arrived",
        file: "src/raw_lock.rs",
        find: "let announced = word | WAITERS | ARRIVED;",
        replace: "let announced = word | WAITERS;",
        model: ("lock", "a_death_among_three_strands_nobody"),
    },
    Mutant {
        name: "acquirer-drops-waiters",
        file: "src/raw_lock.rs",
        find: "thread.tid() | (free & WAITERS)",
        replace: "thread.tid() | (free & 0)",
        model: ("lock", "a_death_among_three_strands_nobody"),
    },
    Mutant {
        name: "link-before-cas",
        file: "src/raw_lock.rs",
        find: "let taken = self.take(0, thread);\n            if taken {\n                thread.link(&room);\n            } else {",
        replace: "thread.link(&room);\n            let taken = self.take(0, thread);\n            if !taken {\n                thread.unlink_newest();",
        model: ("lock", "both_of_two_nested_locks_are_recovered"),
    },
    Mutant {
        name: "forget-pending-in-fast-acquire",
        file: "src/raw_lock.rs",
        find: "thread.point_at(entry);\n            let taken = self.take(0, thread);",
        replace: "let taken = self.take(0, thread);",
        model: ("lock", "a_death_between_two_rounds_strands_nobody"),
    },
    Mutant {
        name: "forget-pending-in-slow-acquire",
        file: "src/raw_lock.rs",
        find: "let armed = thread.arm(entry);",
        replace: "let armed = thread.arm(thread.entry_of(core::ptr::null()));",
        model: ("lock", "a_death_among_three_strands_nobody"),
    },
    Mutant {
        name: "forget-pending-in-release",
        file: "src/raw_lock.rs",
        find: "thread.unlink_unrecorded();\n                if self",
        replace: "thread.point_nowhere();\n                thread.unlink_unrecorded();\n                if self",
        model: ("lock", "a_death_among_three_strands_nobody"),
    },
    Mutant {
        name: "forget-pending-in-slow-release",
        file: "src/raw_lock.rs",
        find: "let _armed = thread.arm(entry);\n        thread.unlink(entry);",
        replace: "thread.point_nowhere();\n        thread.unlink(entry);",
        model: ("lock", "a_death_among_three_strands_nobody"),
    },
    Mutant {
        name: "disarm-while-asleep",
        file: "src/raw_lock.rs",
        find: "kernel::wait(&self.word, announced, deadline)",
        replace: "robust::with(|thread| {\n            let _nothing = thread.arm(thread.entry_of(core::ptr::null()));\n            kernel::wait(&self.word, announced, deadline)\n        })",
        model: (
            "lock",
            "a_dead_waiter_does_not_strand_another_while_the_owner_comes_back",
        ),
    },
    Mutant {
        name: "death-not-noted",
        file: "src/raw_lock.rs",
        find: "self.note_death(word);",
        replace: "",
        model: ("lock", "the_next_owner_sees_the_poison"),
    },
    Mutant {
        name: "relaxed-release",
        file: "src/raw_lock.rs",
        find: "compare_exchange(thread.tid(), 0, Ordering::Release, Ordering::Relaxed)",
        replace: "compare_exchange(thread.tid(), 0, Ordering::Relaxed, Ordering::Relaxed)",
        model: ("lock", "two_threads_exclude_each_other"),
    },
    Mutant {
        name: "relaxed-release-contended",
        file: "src/raw_lock.rs",
        find: "self.word.store(WAITERS, Ordering::Release);",
        replace: "self.word.store(WAITERS, Ordering::Relaxed);",
        model: ("lock", "a_death_among_three_strands_nobody"),
    },
    Mutant {
        name: "relaxed-release-probe",
        file: "src/raw_lock.rs",
        find: "compare_exchange(word, 0, Ordering::Release, Ordering::Relaxed)",
        replace: "compare_exchange(word, 0, Ordering::Relaxed, Ordering::Relaxed)",
        model: ("lock", "a_lock_that_was_contended_is_quiet_again"),
    },
    Mutant {
        name: "relaxed-acquire",
        file: "src/raw_lock.rs",
        find: "compare_exchange(free, owned, Ordering::Acquire, Ordering::Relaxed)",
        replace: "compare_exchange(free, owned, Ordering::Relaxed, Ordering::Relaxed)",
        model: ("lock", "two_threads_exclude_each_other"),
    },
    Mutant {
        name: "unlink-nothing",
        file: "src/robust.rs",
        find: "unsafe { kernel::store_entry(newer, at(place - 1).unwrap_or_default()) };",
        replace: "let _ = newer;",
        model: ("lock", "locks_released_out_of_order_are_recovered"),
    },
    Mutant {
        name: "any-release-is-the-last",
        file: "src/rlock.rs",
        find: "if depth <= 1 {",
        replace: "if depth <= 2 {",
        model: ("rlock", "two_threads_exclude_each_other_at_every_depth"),
    },
    Mutant {
        name: "depth-outlives-its-owner",
        file: "src/rlock.rs",
        find: "self.set_depth(1);",
        replace: "self.set_depth(self.depth() + 1);",
        model: ("rlock", "the_next_owner_sees_the_poison_and_holds_once"),
    },
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let chosen = MUTANTS
        .iter()
        .filter(|m| wanted.is_empty() || wanted.iter().any(|w| w == m.name));
    let lab = Lab::open();
    let verdicts: Vec<_> = chosen.map(|mutant| lab.judge(mutant)).collect();
    let failed = verdicts.iter().filter(|caught| !**caught).count();
    println!("mutants: {} caught, {failed} not", verdicts.len() - failed);
    if failed == 0 && !verdicts.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A copy of the sources, to break.
struct Lab {
    root: PathBuf,
    copy: PathBuf,
    build: PathBuf,
}

impl Lab {
    fn open() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest
            .parent()
            .expect("the workspace is above this package")
            .to_path_buf();
        let target = root.join("target/mutants");
        let lab = Self {
            root,
            copy: target.join("tree"),
            build: target.join("build"),
        };
        lab.refresh();
        lab
    }

    /// Only what cargo needs for the models, and nothing that was there before.
    fn refresh(&self) {
        if self.copy.exists() {
            std::fs::remove_dir_all(&self.copy).expect("the target directory is writable");
        }
        for part in [
            "Cargo.toml",
            "Cargo.lock",
            "README.md",
            "src",
            "loom-tests",
            "tests",
            "benches",
            "examples",
        ] {
            copy(&self.root.join(part), &self.copy.join(part));
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
