//! `Barrier`.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
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
];
