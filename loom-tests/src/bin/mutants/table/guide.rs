//! What pages of the guide show without a lock.

use super::Mutant;

const FILE: &str = "loom-tests/tests/guide.rs";
const MODEL: (&str, &str) = ("guide", "a_reader_sees_one_version_whole");

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "settings-without-second-look",
        file: FILE,
        find: "if self.version.load(Relaxed) == version {",
        replace: "if version == version {",
        model: MODEL,
    },
    Mutant {
        name: "settings-relaxed-word",
        file: FILE,
        find: "word.store(value, Release);",
        replace: "word.store(value, Relaxed);",
        model: MODEL,
    },
    Mutant {
        name: "settings-relaxed-look-at-a-word",
        file: FILE,
        find: "word.load(Acquire)",
        replace: "word.load(Relaxed)",
        model: MODEL,
    },
    Mutant {
        name: "settings-relaxed-version",
        file: FILE,
        find: "self.version.store(next, Release);",
        replace: "self.version.store(next, Relaxed);",
        model: MODEL,
    },
    Mutant {
        name: "settings-relaxed-look-at-the-version",
        file: FILE,
        find: "let version = self.version.load(Acquire);",
        replace: "let version = self.version.load(Relaxed);",
        model: MODEL,
    },
];
