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
        model: ("lock", "a_crowd_is_served"),
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
        find: "sleep_on(&self.word, word, WAITERS | ARRIVED, deadline)",
        replace: "sleep_on(&self.word, word, WAITERS, deadline)",
        model: ("lock", "one_that_gave_up_may_come_again"),
    },
    Mutant {
        name: "acquirer-drops-waiters",
        file: "src/raw_lock.rs",
        find: "thread.tid() | (free & WAITERS)",
        replace: "thread.tid() | (free & 0)",
        model: ("lock", "a_crowd_is_served"),
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
        find: "thread.unlink_unrecorded();\n            if self",
        replace: "thread.point_nowhere();\n            thread.unlink_unrecorded();\n            if self",
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
        find: "        sleep_on(&self.word, word, WAITERS | ARRIVED, deadline)",
        replace: "        robust::with(|thread| {\n            let _nothing = thread.arm(thread.entry_of(core::ptr::null()));\n            sleep_on(&self.word, word, WAITERS | ARRIVED, deadline)\n        })",
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
    Mutant {
        name: "semaphore-release-unarmed",
        file: "src/permits.rs",
        find: "let _armed = robust::arm(address);",
        replace: "",
        model: ("semaphore", "a_dead_releaser_has_released_or_not"),
    },
    Mutant {
        name: "semaphore-offer-is-available",
        file: "src/permits.rs",
        find: "if has_waiters(more) {\n                more\n",
        replace: "if has_waiters(more) {\n                more | AVAILABLE\n",
        model: (
            "semaphore",
            "who_comes_next_finds_what_the_dead_have_offered",
        ),
    },
    Mutant {
        name: "semaphore-offer-of-the-dead-stays",
        file: "src/permits.rs",
        find: "if is_on_offer(state) {\n                    // By",
        replace: "if false {\n                    // By",
        model: ("semaphore", "who_is_refused_is_told_the_truth"),
    },
    Mutant {
        name: "semaphore-offer-is-for-nobody",
        file: "src/permits.rs",
        find: "} else if is_on_offer(state) {\n                self.open(permits(state));\n            }",
        replace: "}",
        model: (
            "semaphore",
            "who_comes_next_finds_what_the_dead_have_offered",
        ),
    },
    Mutant {
        name: "semaphore-waiter-unarmed",
        file: "src/permits.rs",
        find: "let _armed = robust::arm(self.address());",
        replace: "",
        model: ("semaphore", "a_dead_sleeper_passes_on"),
    },
    Mutant {
        name: "semaphore-no-wake-of-the-next",
        file: "src/permits.rs",
        find: "if may_owe != 0 && permits(state) > 1 {",
        replace: "if may_owe == 1 {",
        model: ("semaphore", "nobody_sleeps_while_permits_are_free"),
    },
    Mutant {
        name: "semaphore-taker-drops-waiters",
        file: "src/permits.rs",
        find: "with_one_less(state) | may_owe;",
        replace: "with_one_less(state);",
        model: ("semaphore", "sleepers_are_remembered"),
    },
    Mutant {
        name: "semaphore-relaxed-release",
        file: "src/permits.rs",
        find: "let (success, failure) = (Ordering::Release, Ordering::Relaxed);",
        replace: "let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);",
        model: ("semaphore", "one_permit_excludes"),
    },
    Mutant {
        name: "semaphore-bound-checked-before",
        file: "src/permits.rs",
        find: "while !has_waiters(state) && n",
        replace: "if n > limit.saturating_sub(permits(state)) {\n            return Err(PastLimit);\n        }\n        let limit = u32::MAX;\n        while !has_waiters(state) && n",
        model: ("semaphore", "the_bound_holds_under_any_race"),
    },
    Mutant {
        name: "event-wake-before-set",
        file: "src/event.rs",
        find: "kernel::set_and_wake_all(&self.word, BIT);",
        replace: "kernel::wake(&raw const self.word, usize::MAX);\n        let word = self.word.load(Ordering::Relaxed);\n        let _ = self.word.compare_exchange(word, word | u32::from(BIT), Ordering::Release, Ordering::Relaxed);",
        model: ("event", "what_came_before_the_set_is_seen"),
    },
    Mutant {
        name: "event-set-then-wake",
        file: "src/event.rs",
        find: "kernel::set_and_wake_all(&self.word, BIT);",
        replace: "let mut word = self.word.load(Ordering::Relaxed);\n        while let Err(now) = self.word.compare_exchange(word, word | u32::from(BIT), Ordering::Release, Ordering::Relaxed) {\n            word = now;\n        }\n        kernel::wake(&raw const self.word, usize::MAX);",
        model: ("event", "a_dead_setter_has_set_or_not"),
    },
    Mutant {
        name: "event-lost-generation",
        file: "src/event.rs",
        find: "if is_set(word) || generation(word) != mine {",
        replace: "if is_set(word) || generation(word) == mine + 1 {",
        model: ("event", "a_set_that_is_cleared_at_once_releases_who_waited"),
    },
    Mutant {
        name: "event-relaxed-set",
        file: "src/event.rs",
        find: "let (success, failure) = (Ordering::Release, Ordering::Relaxed);",
        replace: "let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);",
        model: ("event", "what_came_before_the_set_is_seen"),
    },
    Mutant {
        name: "condition-arrives-after-release",
        file: "src/raw_condition.rs",
        find: "        lock.release();\n        let (end, place)",
        replace: "        lock.release();\n        let begun = self.arrive();\n        let (end, place)",
        model: ("condition", "no_notification_is_missed"),
    },
    Mutant {
        name: "condition-notify-wakes-nobody",
        file: "src/raw_condition.rs",
        find: "kernel::add_and_wake(&self.sequence, STEP, n, NEVER)",
        replace: "0",
        model: ("condition", "no_notification_is_missed"),
    },
    Mutant {
        name: "condition-runs-out-blindly",
        file: "src/raw_condition.rs",
        find: "map_or_else(|now| !somebody_arrived(now), |_| true)",
        replace: "map_or_else(|_| true, |_| true)",
        model: ("condition", "no_notification_is_missed_without_the_lock"),
    },
    Mutant {
        name: "condition-any-advance-ends-the-wait",
        file: "src/raw_condition.rs",
        find: "Woken::ByState if advanced =>",
        replace: "_ if advanced =>",
        model: ("condition", "as_many_return_as_were_notified"),
    },
    Mutant {
        name: "condition-forgets-who-returns",
        file: "src/raw_condition.rs",
        find: "        (end, place)\n    }",
        replace: "        self.returning.take_off_namesakes(me);\n        (end, place)\n    }",
        model: ("condition", "a_dead_waiter_passes_its_notification_on"),
    },
    Mutant {
        name: "condition-blind-to-the-dead",
        file: "src/raw_condition.rs",
        find: "let died = self.returning.take_off_the_dead();",
        replace: "let died = false;",
        model: ("condition", "a_dead_waiter_passes_its_notification_on"),
    },
    Mutant {
        name: "condition-depth-forgotten",
        file: "src/raw_condition.rs",
        find: "lock.depth.store(depth, Ordering::Relaxed);",
        replace: "let _ = depth;",
        model: ("condition", "all_levels_are_given_up_and_restored"),
    },
    Mutant {
        name: "condition-without-a-herald",
        file: "src/raw_condition.rs",
        find: "if self.parked.load(Ordering::Relaxed) == HERALD {",
        replace: "if self.parked.load(Ordering::Relaxed) == 99 {",
        model: (
            "condition",
            "a_crowd_in_private_memory_is_woken_by_its_herald",
        ),
    },
    Mutant {
        name: "condition-herald-wakes-nobody",
        file: "src/raw_condition.rs",
        find: "            if is_herald {\n                self.wake_the_parked();",
        replace: "            if is_herald {",
        model: (
            "condition",
            "a_crowd_in_private_memory_is_woken_by_its_herald",
        ),
    },
    Mutant {
        name: "condition-herald-that-has-come-is-awaited",
        file: "src/raw_condition.rs",
        find: " || self.parked.load(Ordering::Relaxed) != HERALD",
        replace: "",
        model: (
            "condition",
            "a_crowd_in_private_memory_is_woken_by_its_herald",
        ),
    },
    Mutant {
        name: "condition-herald-sees-no-order",
        file: "src/raw_condition.rs",
        find: "fence(Ordering::Release);",
        replace: "fence(Ordering::Acquire);",
        model: ("condition", "who_is_not_woken_sees_that_its_wait_is_over"),
    },
    Mutant {
        name: "condition-asleep-in-silence",
        file: "src/raw_condition.rs",
        find: "sleep_on(&self.sequence, seen, BITS,",
        replace: "sleep_on(&self.sequence, seen, WAITERS | ARRIVED,",
        model: (
            "condition",
            "a_crowd_in_private_memory_is_woken_by_its_herald",
        ),
    },
    Mutant {
        name: "condition-the-awake-not-noted",
        file: "src/raw_condition.rs",
        find: "        self.note_ran_out(next);\n        // ORDERING: Release pairs",
        replace: "        // ORDERING: Release pairs",
        model: ("condition", "no_notification_is_missed_without_the_lock"),
    },
    Mutant {
        name: "condition-the-awake-noted-late",
        file: "src/raw_condition.rs",
        find: "        self.note_ran_out(next);\n        // ORDERING: Release pairs with the Acquire in `look`.\n        let (success, failure) = (Ordering::Release, Ordering::Relaxed);\n        self.sequence\n            .compare_exchange(word, next, success, failure)\n            .is_ok()",
        replace: "        let (success, failure) = (Ordering::Release, Ordering::Relaxed);\n        let done = self.sequence\n            .compare_exchange(word, next, success, failure)\n            .is_ok();\n        self.note_ran_out(next);\n        done",
        model: ("condition", "no_notification_is_missed_without_the_lock"),
    },
    Mutant {
        name: "condition-herald-among-mortals-wakes-nobody",
        file: "src/raw_condition.rs",
        find: "if end != End::TimedOut {\n            self.be",
        replace: "if false {\n            self.be",
        model: ("condition", "a_crowd_is_woken_by_its_herald"),
    },
    Mutant {
        name: "barrier-unarmed",
        file: "src/barrier.rs",
        find: "let patience = timeout.start();\n        let mut lead",
        replace: "drop(armed);\n        let armed = crate::robust::arm(core::ptr::null());\n        let patience = timeout.start();\n        let mut lead",
        model: ("barrier", "a_death_beside_a_sleeper_is_told_at_once"),
    },
    Mutant {
        name: "barrier-without-a-watch",
        file: "src/barrier.rs",
        find: "self.watch.is_poisoned() || self.leader.is_poisoned()",
        replace: "self.leader.is_poisoned()",
        model: ("barrier", "the_living_do_not_meet_the_dead"),
    },
    Mutant {
        name: "barrier-lost-generation",
        file: "src/barrier_state.rs",
        find: "self.history() >> (since - 1) & 1 != 0",
        replace: "true",
        model: ("barrier", "abort_and_reset_end_the_wait"),
    },
    Mutant {
        name: "barrier-release-wakes-nobody",
        file: "src/barrier.rs",
        find: "if state.has_sleepers() {",
        replace: "if state.generation() == 99 {",
        model: ("barrier", "all_have_come_when_anybody_goes_on"),
    },
    Mutant {
        name: "barrier-relaxed",
        file: "src/barrier.rs",
        find: "let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);",
        replace: "let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);",
        model: ("barrier", "all_have_come_when_anybody_goes_on"),
    },
    Mutant {
        name: "barrier-sleeps-in-silence",
        file: "src/barrier.rs",
        find: "let announced = state.with_sleepers();",
        replace: "let announced = state;",
        model: ("barrier", "all_have_come_when_anybody_goes_on"),
    },
    Mutant {
        name: "barrier-arrival-forgets-sleepers",
        file: "src/barrier_state.rs",
        find: "Self(self.0.wrapping_add(1 << ARRIVED_SHIFT))",
        replace: "Self(self.0.wrapping_add(1 << ARRIVED_SHIFT) & !SLEEPERS)",
        model: ("barrier", "nobody_of_three_is_left_asleep"),
    },
    Mutant {
        name: "barrier-watch-may-move",
        file: "src/barrier.rs",
        find: ".sleep_beside(leader, Some(watch), word",
        replace: ".sleep_beside(leader, None, word",
        model: (
            "barrier",
            "who_falls_asleep_beside_a_death_does_not_miss_it",
        ),
    },
    Mutant {
        name: "barrier-sleeps-beside-a-free-leader",
        file: "src/barrier.rs",
        find: "Err(Refusal::Held) => Lead::Held(awaited),",
        replace: "Err(Refusal::Held) => Lead::Held(awaited.or(Some(self.leader.watched()))),",
        model: ("barrier", "leaders_follow_one_another"),
    },
    Mutant {
        name: "timer-fires-whatever",
        file: "src/timer.rs",
        find: " || !timer.replace(self.armed, running)",
        replace: " || { timer.replace(self.armed, running); false }",
        model: ("timer", "it_fires_or_is_cancelled"),
    },
    Mutant {
        name: "timer-runner-not-watched",
        file: "src/timer.rs",
        find: ".sleep_beside(runner, None, word, state, deadline);",
        replace: ".sleep(word, state, deadline);",
        model: ("timer", "a_dead_runner_abandons_it"),
    },
    Mutant {
        name: "timer-armed-in-silence",
        file: "src/timer.rs",
        find: "if self.replace_and_tell(state, armed) {",
        replace: "if self.replace(state, armed) {",
        model: ("timer", "a_dead_runner_abandons_it"),
    },
    Mutant {
        name: "timer-runs-beside-a-free-runner",
        file: "src/timer.rs",
        find: "if let Some(runner) = self.runner.awaited() {\n                        self.sleep_beside(runner, state, Patience::Unlimited);\n                    }",
        replace: "self.sleep(state, Patience::Unlimited);",
        model: ("timer", "it_runs_again_at_once"),
    },
    Mutant {
        name: "timer-lock-not-passed-on",
        file: "src/timer.rs",
        find: "matches!(woken, Woken::ByDeath | Woken::ByLock)",
        replace: "woken == Woken::ByDeath",
        model: ("timer", "it_runs_again_although_others_wait"),
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
