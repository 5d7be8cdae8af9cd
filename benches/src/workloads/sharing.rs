//! Making and opening a page of shared memory with a name.

use std::ptr::{NonNull, null_mut};
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use procsync::Shared;
use rustix::fs::{fstat, ftruncate};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::shm::{self, Mode, OFlags};

use crate::measure::{Entry, Sample, Workload, nanoseconds};

const ROUND: [u64; 2] = [2, 50];
const BY_HAND: &str = "shm_open and mmap";

type Value = [AtomicU64; 512];

fn zeros() -> Value {
    [const { AtomicU64::new(0) }; 512]
}

pub(super) fn all() -> Vec<Workload> {
    vec![
        Workload::new("create shared memory", "ns a value", BY_HAND, ROUND, create),
        Workload::new("open shared memory", "ns a value", BY_HAND, ROUND, open),
    ]
}

fn name(what: &str) -> String {
    format!("/procsync-benches-{what}-{}", std::process::id())
}

/// Measures `make` alone: what it makes goes away afterwards.
fn entry<T>(rival: &str, make: impl Fn() -> T + 'static, unmake: impl Fn(T) + 'static) -> Entry {
    Entry::new(rival, move |times| {
        let mut time = Duration::ZERO;
        for _ in 0..times {
            let start = Instant::now();
            let made = make();
            time += start.elapsed();
            unmake(made);
        }
        Sample::of(nanoseconds(time), times)
    })
}

fn create() -> Vec<Entry> {
    let (ours, theirs) = (name("ours"), name("theirs"));
    let (our_name, their_name) = (ours.clone(), theirs.clone());
    vec![
        entry(
            "procsync Shared::create",
            move || Shared::create(&ours, zeros()).expect("a new name"),
            move |shared| {
                drop(shared);
                procsync::unlink(&our_name).expect("it was made");
            },
        ),
        entry(
            BY_HAND,
            move || Mapped::create(&theirs),
            move |mapped| {
                drop(mapped);
                shm::unlink(&*their_name).expect("it was made");
            },
        ),
    ]
}

/// A name that goes away with its entry.
struct Name(String, fn(&str));

impl Drop for Name {
    fn drop(&mut self) {
        (self.1)(&self.0);
    }
}

fn open() -> Vec<Entry> {
    let ours = Name(name("ours"), |name| {
        procsync::unlink(name).expect("it was made");
    });
    let theirs = Name(name("theirs"), |name| {
        shm::unlink(name).expect("it was made");
    });
    drop(Shared::create(&ours.0, zeros()).expect("a new name"));
    drop(Mapped::create(&theirs.0));
    vec![
        entry(
            "procsync Shared::open",
            move || Shared::<Value>::open(&ours.0).expect("it was made"),
            drop,
        ),
        entry(BY_HAND, move || Mapped::open(&theirs.0), drop),
    ]
}

/// What one does without a library.
struct Mapped(NonNull<Value>);

impl Mapped {
    fn create(name: &str) -> Self {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR;
        let file = shm::open(name, flags, Mode::RUSR | Mode::WUSR).expect("a new name");
        ftruncate(&file, size_of::<Value>() as u64).expect("a page");
        let mapped = Self::map(&file);
        // SAFETY: mapped, aligned to a page, and nobody else's yet.
        unsafe { mapped.0.write(zeros()) };
        mapped
    }

    fn open(name: &str) -> Self {
        let file = shm::open(name, OFlags::RDWR, Mode::empty()).expect("it was made");
        let length = fstat(&file).expect("a file").st_size;
        assert_eq!(usize::try_from(length), Ok(size_of::<Value>()));
        Self::map(&file)
    }

    fn map(file: &std::os::fd::OwnedFd) -> Self {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: without an address and MAP_FIXED it does not touch other mappings.
        let start = unsafe { mmap(null_mut(), size_of::<Value>(), access, flags, file, 0) };
        let start = start.expect("a mapping").cast();
        Self(NonNull::new(start).expect("not at address zero"))
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: mapped in `map` with this length; nobody has a reference to it.
        let unmapped = unsafe { munmap(self.0.as_ptr().cast(), size_of::<Value>()) };
        unmapped.expect("it was mapped");
    }
}
