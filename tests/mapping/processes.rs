//! Several processes with one value.

use std::os::fd::AsFd;
use std::process::{Child, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use nix::fcntl::OFlag;
use procsync::{ShareError, Shared, unlink};
use rustix::io::{FdFlags, fcntl_getfd};

use crate::skipped::skipped;
use crate::{PosixName, directory, files_in, name_in, scene};

procsync::shareable! {
    /// A value that several would like to have made.
    pub struct Claim { joined: AtomicU64, makers: [AtomicU32; 4096] }
}

impl Claim {
    pub(crate) fn new(maker: u32) -> Self {
        Self {
            joined: AtomicU64::new(0),
            makers: [const { AtomicU32::new(0) }; 4096],
        }
        .by(maker)
    }

    fn by(self, maker: u32) -> Self {
        self.makers
            .iter()
            .for_each(|place| place.store(maker, Relaxed));
        self
    }

    /// Who made it, all of it.
    pub(crate) fn join(&self) -> u32 {
        let maker = self.makers[0].load(Relaxed);
        assert!(maker != 0 && self.makers.iter().all(|place| place.load(Relaxed) == maker));
        self.joined.fetch_add(1, Relaxed);
        maker
    }
}

const RACERS: usize = 16;

#[test]
fn exactly_one_of_many_processes_creates_and_all_see_the_whole() {
    for _ in 0..8 {
        let name = PosixName::new();
        let racers = race(&name.0);
        let ids: Vec<u32> = racers.iter().map(Child::id).collect();
        let makers: Vec<u32> = racers.into_iter().map(maker).collect();
        assert!(ids.contains(&makers[0]), "{makers:?} of {ids:?}");
        assert!(makers.iter().all(|maker| *maker == makers[0]), "{makers:?}");
        let shared = Shared::<Claim>::open(&name.0).unwrap();
        assert_eq!(shared.join(), makers[0]);
        assert_eq!(shared.joined.load(Relaxed), RACERS as u64 + 1);
    }
}

fn race(name: &str) -> Vec<Child> {
    let (start, _open_until_all_wait) = nix::unistd::pipe2(OFlag::O_CLOEXEC).unwrap();
    let racer = |_| {
        let stdin = Stdio::from(start.try_clone().unwrap());
        scene::process("claim", name).stdin(stdin).spawn().unwrap()
    };
    (0..RACERS).map(racer).collect()
}

fn maker(racer: Child) -> u32 {
    let output = racer.wait_with_output().unwrap();
    let answer = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{answer}");
    answer.parse().unwrap()
}

#[test]
fn exactly_one_of_many_threads_creates_and_none_waits_for_another() {
    let directory = directory();
    let name = name_in(&directory, "x");
    for round in 0..200 {
        let makers: Vec<u32> = std::thread::scope(|scope| {
            let racer = |id| {
                let name = &name;
                move || {
                    Shared::open_or_create(name, || Claim::new(id))
                        .unwrap()
                        .join()
                }
            };
            let threads: Vec<_> = (1..=4).map(|id| scope.spawn(racer(id))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(
            makers.iter().all(|maker| *maker == makers[0]),
            "{makers:?} in round {round}"
        );
        assert_eq!(
            Shared::<Claim>::open(&name).unwrap().joined.load(Relaxed),
            4
        );
        assert_eq!(files_in(&directory), ["x"]);
        unlink(&name).unwrap();
    }
}

#[test]
fn another_process_opens_by_name() {
    let name = PosixName::new();
    let shared = Shared::create(&name.0, AtomicU64::new(77)).unwrap();
    assert_eq!(
        scene::answer(&mut scene::process("open", &name.0)),
        "Ok(77)"
    );
    drop(shared);
    assert_eq!(
        scene::answer(&mut scene::process("open", &name.0)),
        "Ok(77)"
    );
    unlink(&name.0).unwrap();
    let answer = scene::answer(&mut scene::process("open", &name.0));
    assert!(answer.starts_with("Err(NotFound "), "{answer}");
}

#[test]
fn an_anonymous_value_passes_by_descriptor() {
    let shared = Shared::anonymous(AtomicU64::new(41)).unwrap();
    for expected in ["41", "42"] {
        let stdin = shared.as_fd().try_clone_to_owned().unwrap();
        let answer = scene::answer(scene::process("stdin", "").stdin(stdin));
        assert_eq!(answer, expected);
    }
    assert_eq!(shared.load(Relaxed), 43);
}

#[test]
fn no_descriptor_is_inherited_by_exec() {
    let name = PosixName::new();
    let all: [Shared<u64>; 4] = [
        Shared::create(&name.0, 1).unwrap(),
        Shared::open(&name.0).unwrap(),
        Shared::open_or_create(&name.0, || 1).unwrap(),
        Shared::anonymous(1).unwrap(),
    ];
    for shared in &all {
        assert_eq!(fcntl_getfd(shared.as_fd()).unwrap(), FdFlags::CLOEXEC);
    }
    let list = std::process::Command::new("ls")
        .args(["-l", "/proc/self/fd"])
        .output()
        .unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(
        list.contains("/dev/null") || list.contains("/proc/"),
        "{list}"
    );
    assert!(
        !list.contains(&name.0) && !list.contains("memfd:procsync"),
        "{list}"
    );
}

#[test]
fn another_pid_namespace_is_refused() {
    let name = PosixName::new();
    let shared = Shared::create(&name.0, AtomicU64::new(1)).unwrap();
    let Some(starter) = namespaces("--pid") else {
        return;
    };
    let answer = scene::answer(&mut scene::under(starter, "open", &name.0));
    assert!(answer.starts_with("Err(ForeignPidNamespace "), "{answer}");
    assert_eq!(shared.load(Relaxed), 1);
}

#[test]
fn a_restarted_system_is_told_from_the_one_before() {
    let directory = directory();
    let Some(starter) = namespaces("--mount") else {
        return;
    };
    // Another boot's ID, as one process sees it.
    let id = "7e57ab1e-0000-4000-8000-00000000b007\n";
    std::fs::write(name_in(&directory, "boot"), id).unwrap();
    let mount = "mount --bind \"${PROCSYNC_TEST_NAME%/*}/boot\" /proc/sys/kernel/random/boot_id \
                 && exec \"$0\" \"$@\"";
    let starter = [starter, &["sh", "-c", mount]].concat();
    let before = name_in(&directory, "before");
    let shared = Shared::create(&before, AtomicU64::new(1)).unwrap();
    let answer = scene::answer(&mut scene::under(&starter, "open", &before));
    assert!(answer.starts_with("Err(StaleBoot "), "{answer}");
    let after = name_in(&directory, "after");
    let answer = scene::answer(&mut scene::under(&starter, "create", &after));
    assert_eq!(answer, "made");
    let opened = Shared::<AtomicU64>::open(&after);
    assert!(matches!(opened, Err(ShareError::StaleBoot)), "{opened:?}");
    assert_eq!(shared.load(Relaxed), 1);
}

#[test]
fn a_full_file_system_is_an_error_at_once() {
    let directory = directory();
    let Some(starter) = namespaces("--mount") else {
        return;
    };
    let name = name_in(&directory, "x");
    let mount =
        "mount -t tmpfs -o size=128k none \"${PROCSYNC_TEST_NAME%/*}\" && exec \"$0\" \"$@\"";
    let starter = [starter, &["sh", "-c", mount]].concat();
    let answer = scene::answer(&mut scene::under(&starter, "full", &name));
    assert!(answer.contains("make room on the file system"), "{answer}");
}

// How to start a program in a namespace of its own, where this user may.
fn namespaces(kind: &str) -> Option<&'static [&'static str]> {
    let starters: [&[&str]; 4] = [
        &["unshare", "--pid", "--fork"],
        &["unshare", "--user", "--map-root-user", "--pid", "--fork"],
        &["unshare", "--mount"],
        &["unshare", "--user", "--map-root-user", "--mount"],
    ];
    let works = |starter: &&&[&str]| {
        let mut command = std::process::Command::new(starter[0]);
        command
            .args(&starter[1..])
            .arg("true")
            .status()
            .is_ok_and(|status| status.success())
    };
    let found = starters
        .iter()
        .filter(|starter| starter.contains(&kind))
        .find(works)
        .copied();
    if found.is_none() {
        skipped(&format!("this user may not make namespaces: {kind}"));
    }
    found
}
