//! What is tested: several mappings, each with all primitives.

use std::fs::DirEntry;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use procsync::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore, Shared, Timer, shareable,
};

use crate::common::sleepers;

/// One is anonymous, one has a POSIX name, one is a file.
pub(crate) const WORLDS: usize = 3;
pub(crate) const PARTIES: u32 = 3;
pub(crate) const PERMITS: u32 = 3;

shareable! {
    /// What a lock protects: a sum that is changed in two steps, and who changes it.
    pub struct Account {
        /// Who has the lock, as `Member::name` says; 0: nobody.
        pub(crate) holder: AtomicU64,
        pub(crate) begun: AtomicU64,
        pub(crate) done: AtomicU64,
    }

    /// All primitives.
    pub struct World {
        pub(crate) lock: Lock<Account>,
        pub(crate) nested: RLock<Account>,
        pub(crate) semaphore: Semaphore,
        pub(crate) bounded: BoundedSemaphore,
        /// Set and cleared under the lock.
        pub(crate) day: Event,
        /// Set by signal handlers alone.
        pub(crate) alarm: Event,
        /// Released by signal handlers alone.
        pub(crate) mail: Semaphore,
        pub(crate) changed: Condition,
        pub(crate) barrier: Barrier,
        pub(crate) timer: Timer,
    }
}

impl Account {
    const fn new() -> Self {
        Self {
            holder: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            done: AtomicU64::new(0),
        }
    }
}

impl World {
    fn new() -> Self {
        Self {
            lock: Lock::new(Account::new()),
            nested: RLock::new(Account::new()),
            semaphore: Semaphore::new(PERMITS),
            bounded: BoundedSemaphore::new(PERMITS),
            day: Event::new(),
            alarm: Event::new(),
            mail: Semaphore::new(0),
            changed: Condition::new(),
            barrier: Barrier::new(PARTIES),
            timer: Timer::new(),
        }
    }

    /// How many sleep where they may sleep for long.
    pub(crate) fn asleep(&self) -> usize {
        sleepers(&self.semaphore)
            + sleepers(&self.bounded)
            + sleepers(&self.day)
            + sleepers(&self.alarm)
            + sleepers(&self.mail)
            + sleepers(&self.changed)
            + sleepers(&self.barrier)
            + sleepers(&self.timer)
    }
}

/// All mappings, and the names by which two of them can be had again.
pub(crate) struct Worlds {
    pub(crate) all: [Shared<World>; WORLDS],
    pub(crate) names: [String; WORLDS - 1],
}

/// A POSIX name and a file's, of the process with that number.
fn names_of(process: u32) -> [String; WORLDS - 1] {
    let name = format!("procsync-storm-{process}");
    let file = std::env::temp_dir().join(&name);
    [
        format!("/{name}"),
        file.to_str().expect("a plain path").to_owned(),
    ]
}

impl Worlds {
    pub(crate) fn create() -> Self {
        let names = names_of(std::process::id());
        let named = |name: &str| Shared::create(name, World::new()).expect("the name is free");
        let anonymous = Shared::anonymous(World::new()).expect("memory can be had");
        Self {
            all: [anonymous, named(&names[0]), named(&names[1])],
            names,
        }
    }

    /// The names of that process go; whoever has the mappings still has them.
    pub(crate) fn remove_names_of(process: u32) {
        for name in names_of(process) {
            procsync::unlink(&name).expect("it is there");
        }
    }

    /// Whether there is anything of that process where names are.
    pub(crate) fn has_left_any(process: u32) -> bool {
        let [posix, file] = names_of(process);
        let name = posix.trim_start_matches('/');
        let places = [
            Path::new("/dev/shm"),
            Path::new(&file).parent().expect("a directory"),
        ];
        places.iter().any(|place| {
            let mut entries = std::fs::read_dir(place).expect("it can be read");
            entries.any(|entry| entry.is_ok_and(|entry| is_named(&entry, name)))
        })
    }
}

fn is_named(entry: &DirEntry, name: &str) -> bool {
    entry.file_name().to_string_lossy().contains(name)
}
