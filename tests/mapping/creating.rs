//! Making values, and taking their names away.

use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use procsync::{ShareError, Shared, SharedOptions, unlink};
use rustix::fs::{SealFlags, fcntl_get_seals};

use crate::skipped::skipped;
use crate::{PosixName, directory, files_in, mapped, name_in, scene};

#[test]
fn a_posix_name_is_a_file_in_dev_shm() {
    let name = PosixName::new();
    let path = format!("/dev/shm{}", name.0);
    let shared = Shared::create(&name.0, AtomicU64::new(3)).unwrap();
    // A header, the value, and the name of its type.
    let len = 128 + 8 + 2 + "AtomicU64".len() as u64;
    assert_eq!(std::fs::metadata(&path).unwrap().len(), len);
    let same = Shared::<AtomicU64>::open(&path).unwrap();
    same.store(4, Relaxed);
    assert_eq!(shared.load(Relaxed), 4);
}

#[test]
fn relative_names_are_paths() {
    let directory = directory();
    let answer = scene::answer(scene::process("relative", "").current_dir(&directory));
    assert_eq!(answer, "9");
    assert_eq!(files_in(&directory), ["sub"]);
}

#[test]
fn bad_names_are_refused_by_every_operation() {
    for name in [
        "",
        "x",
        "/",
        "/.",
        "/..",
        "a/",
        "/a/..",
        "/\0",
        &"/x".repeat(4000),
    ] {
        let results = [
            Shared::create(name, 0_u64).map(drop),
            Shared::<u64>::open(name).map(drop),
            Shared::open_or_create(name, || -> u64 { unreachable!() }).map(drop),
            unlink(name),
        ];
        for result in results {
            assert!(
                matches!(result, Err(ShareError::InvalidName)),
                "{name:?}: {result:?}"
            );
        }
    }
}

#[test]
fn a_taken_name_is_left_as_it_is() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let first = Shared::create(&name, AtomicU64::new(1)).unwrap();
    let second = Shared::create(&name, AtomicU64::new(2));
    assert!(
        matches!(second, Err(ShareError::AlreadyExists)),
        "{second:?}"
    );
    std::fs::write(name_in(&directory, "other"), "text").unwrap();
    let other = Shared::create(&name_in(&directory, "other"), 2_u64);
    assert!(matches!(other, Err(ShareError::AlreadyExists)), "{other:?}");
    assert_eq!(first.load(Relaxed), 1);
    assert_eq!(Shared::<AtomicU64>::open(&name).unwrap().load(Relaxed), 1);
    assert_eq!(
        std::fs::read(name_in(&directory, "other")).unwrap(),
        b"text"
    );
}

#[test]
fn open_or_create_makes_no_value_where_there_is_one() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let first = Shared::open_or_create(&name, || AtomicU64::new(1)).unwrap();
    let second = Shared::open_or_create(&name, || -> AtomicU64 { unreachable!() }).unwrap();
    second.store(5, Relaxed);
    assert_eq!(first.load(Relaxed), 5);
}

#[test]
fn without_the_directory_nothing_is_found() {
    let directory = directory();
    let name = name_in(&directory, "none/x");
    let results = [
        Shared::create(&name, 0_u64).map(drop),
        Shared::<u64>::open(&name).map(drop),
        Shared::open_or_create(&name, || 0_u64).map(drop),
        unlink(&name),
    ];
    for result in results {
        assert!(matches!(result, Err(ShareError::NotFound)), "{result:?}");
    }
}

#[test]
fn an_unlinked_name_is_free_and_its_value_lives_on() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let old = Shared::create(&name, AtomicU64::new(1)).unwrap();
    unlink(&name).unwrap();
    assert!(matches!(unlink(&name), Err(ShareError::NotFound)));
    assert!(matches!(
        Shared::<AtomicU64>::open(&name),
        Err(ShareError::NotFound)
    ));
    let new = Shared::create(&name, AtomicU64::new(2)).unwrap();
    assert_eq!((old.load(Relaxed), new.load(Relaxed)), (1, 2));
}

#[test]
fn modes_are_exact_under_any_umask() {
    let directory = directory();
    let answer = scene::answer(&mut scene::process("modes", &name_in(&directory, "x")));
    assert_eq!(answer, "done");
}

#[test]
fn a_panic_while_the_value_is_made_leaves_nothing() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let make = || Shared::open_or_create(&name, || -> u64 { panic!("on purpose") });
    assert!(catch_unwind(AssertUnwindSafe(make)).is_err());
    assert_eq!(files_in(&directory), [""; 0]);
    assert_eq!(mapped(directory.path().to_str().unwrap()), 0);
    assert_eq!(*Shared::open_or_create(&name, || 6_u64).unwrap(), 6);
}

#[test]
fn nothing_is_visible_while_the_value_is_made() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let outer = Shared::open_or_create(&name, || {
        assert!(matches!(
            Shared::<AtomicU64>::open(&name),
            Err(ShareError::NotFound)
        ));
        assert_eq!(files_in(&directory), [""; 0]);
        // Another is faster: it wins, and this one's value is given up.
        Shared::create(&name, AtomicU64::new(1)).unwrap();
        AtomicU64::new(2)
    });
    assert_eq!(outer.unwrap().load(Relaxed), 1);
    assert_eq!(files_in(&directory), ["x"]);
}

#[test]
fn a_name_may_be_on_a_disk() {
    let directory = tempfile::tempdir().unwrap();
    let name = name_in(&directory, "x");
    let shared = Shared::create(&name, AtomicU64::new(8)).unwrap();
    let same = Shared::<AtomicU64>::open(&name).unwrap();
    shared.fetch_add(1, Relaxed);
    assert_eq!(same.load(Relaxed), 9);
}

#[test]
fn a_file_system_without_unnamed_files_is_named_as_the_reason() {
    if !rustix::process::geteuid().is_root() {
        skipped("only root gets as far");
        return;
    }
    match Shared::create("/proc/procsync-test", 0_u64) {
        Err(ShareError::Os(error)) => {
            assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
            assert!(error.to_string().contains("tmpfs"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_anonymous_value_cannot_be_shortened() {
    let shared = Shared::anonymous([7_u8; 5000]).unwrap();
    let seals = fcntl_get_seals(&shared).unwrap();
    assert!(
        seals.contains(SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL),
        "{seals:?}"
    );
    for len in [0, 64, 5000, 1 << 20] {
        assert_eq!(
            rustix::fs::ftruncate(&shared, len),
            Err(rustix::io::Errno::PERM)
        );
    }
    let same = Shared::<[u8; 5000]>::from_fd(shared.as_fd().try_clone_to_owned().unwrap()).unwrap();
    assert_eq!(*same, [7; 5000]);
}

#[test]
fn options_are_reusable() {
    let directory = directory();
    let options = SharedOptions::new().mode(0o640);
    for file in ["a", "b"] {
        let shared = options
            .clone()
            .create(&name_in(&directory, file), 1_u32)
            .unwrap();
        assert_eq!(rustix::fs::fstat(&shared).unwrap().st_mode & 0o7777, 0o640);
        assert_eq!(*options.open::<u32>(&name_in(&directory, file)).unwrap(), 1);
    }
}
