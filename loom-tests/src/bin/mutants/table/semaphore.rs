//! `Semaphore` and `BoundedSemaphore`.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "semaphore-release-unarmed",
        file: "src/permits.rs",
        find: "robust::is_at_rest().then(|| robust::arm(address))",
        replace: "robust::is_at_rest().then_some(())",
        model: ("semaphore", "a_dead_releaser_has_released_or_not"),
    },
    Mutant {
        name: "semaphore-offer-is-available",
        file: "src/permits.rs",
        find: "if in_two_steps(more) {\n                more\n",
        replace: "if in_two_steps(more) {\n                more | AVAILABLE\n",
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
        find: "} else if is_on_offer(state) {\n                self.open();\n            } else if let",
        replace: "} else if let",
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
];
