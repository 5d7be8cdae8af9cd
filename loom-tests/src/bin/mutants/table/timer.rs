//! `Timer`.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
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
