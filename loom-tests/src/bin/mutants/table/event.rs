//! `Event`.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "event-wake-before-set",
        file: "src/event.rs",
        find: "kernel::set_bit_and_wake_all(&self.word, BIT);",
        replace: "kernel::wake(&raw const self.word, usize::MAX);\n        let word = self.word.load(Ordering::Relaxed);\n        let _ = self.word.compare_exchange(word, word | SET, Ordering::Release, Ordering::Relaxed);",
        model: ("event", "what_came_before_the_set_is_seen"),
    },
    Mutant {
        name: "event-set-then-wake",
        file: "src/event.rs",
        find: "kernel::set_bit_and_wake_all(&self.word, BIT);",
        replace: "let mut word = self.word.load(Ordering::Relaxed);\n        while let Err(now) = self.word.compare_exchange(word, word | SET, Ordering::Release, Ordering::Relaxed) {\n            word = now;\n        }\n        kernel::wake(&raw const self.word, usize::MAX);",
        model: ("event", "a_dead_setter_has_set_or_not"),
    },
    Mutant {
        name: "event-lost-generation",
        file: "src/event.rs",
        find: "is_set(word) || generation(word) != mine",
        replace: "is_set(word) || generation(word) == mine + 1",
        model: ("event", "a_set_that_is_cleared_at_once_releases_who_waited"),
    },
    Mutant {
        name: "event-relaxed-set",
        file: "src/event.rs",
        find: "let (success, failure) = (Ordering::Release, Ordering::Relaxed);",
        replace: "let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);",
        model: ("event", "what_came_before_the_set_is_seen"),
    },
];
