//! `Condition`.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "condition-arrives-after-release",
        file: "src/raw_condition.rs",
        find: "        lock.release();\n        let (end, place)",
        replace: "        lock.release();\n        let begun = self.arrive();\n        let (end, place)",
        model: ("condition", "no_notification_is_missed"),
    },
    Mutant {
        name: "condition-notify-wakes-nobody",
        file: "src/raw_condition/notify.rs",
        find: "kernel::add_and_wake(&self.sequence, STEP, n, NEVER)",
        replace: "0",
        model: ("condition", "no_notification_is_missed"),
    },
    Mutant {
        name: "condition-runs-out-blindly",
        file: "src/raw_condition/notify.rs",
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
        find: "            return (end, place);",
        replace: "            self.returning.take_off_namesakes(me);\n            return (end, place);",
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
        file: "src/raw_condition/notify.rs",
        find: " || self.parked.load(Ordering::Relaxed) != HERALD",
        replace: "",
        model: (
            "condition",
            "a_crowd_in_private_memory_is_woken_by_its_herald",
        ),
    },
    Mutant {
        name: "condition-herald-sees-no-order",
        file: "src/raw_condition/notify.rs",
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
        file: "src/raw_condition/notify.rs",
        find: "        self.note_ran_out(next);\n        // ORDERING: Release pairs",
        replace: "        // ORDERING: Release pairs",
        model: ("condition", "no_notification_is_missed_without_the_lock"),
    },
    Mutant {
        name: "condition-the-awake-noted-late",
        file: "src/raw_condition/notify.rs",
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
];
