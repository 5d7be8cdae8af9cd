//! `wait_any`, and what a semaphore does for those who watch it.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "watcher-does-not-say-so",
        file: "src/permits.rs",
        find: ".then(|| self.announce(state, WAITERS | WATCHED))",
        replace: ".then(|| self.announce(state, WAITERS))",
        model: ("wait_any", "a_dead_watcher_passes_on"),
    },
    Mutant {
        name: "sleeper-forgets-watchers",
        file: "src/permits.rs",
        find: "let watched = if has_waiters(state) { WATCHED } else { 0 };",
        replace: "let watched = 0;",
        model: ("wait_any", "a_dead_watcher_passes_on"),
    },
    Mutant {
        name: "release-minds-no-watchers",
        file: "src/permits.rs",
        find: "(is_watched(state) || armed.is_none())",
        replace: "armed.is_none()",
        model: ("wait_any", "a_dead_watcher_passes_on"),
    },
    Mutant {
        name: "wait-any-misses-a-set",
        file: "src/wait_any.rs",
        find: "*since = Some(event.generation());",
        replace: "let _ = (event.generation(), since);",
        model: ("wait_any", "a_set_is_not_missed"),
    },
    Mutant {
        name: "wait-any-keeps-a-death-to-itself",
        file: "src/wait_any.rs",
        find: "timer.pass_on_a_death();",
        replace: "",
        model: ("wait_any", "a_dead_canceller_has_cancelled_or_not"),
    },
    Mutant {
        name: "wait-any-looks-at-the-timer-once",
        file: "src/wait_any.rs",
        find: "            unmoved.flatten(),",
        replace: "            unmoved.flatten().filter(|_| false),",
        model: ("wait_any", "a_dead_canceller_has_cancelled_or_not"),
    },
    Mutant {
        name: "wait-any-does-not-look-around",
        file: "src/wait_any.rs",
        find: "let round = if self.has_more_timers {",
        replace: "let round = if false {",
        model: ("wait_any", "the_dead_runner_of_a_second_timer_is_found"),
    },
    Mutant {
        name: "wait-any-takes-two",
        file: "src/wait_any.rs",
        find: "        reasons.find_map(ready)",
        replace: "        let mut all = reasons.filter_map(ready).collect::<Vec<_>>().into_iter();\n        let first = all.next();\n        all.for_each(core::mem::forget);\n        first",
        model: ("wait_any", "one_permit_of_two_semaphores_is_taken"),
    },
];
