//! A system that has nothing left, or is not as it should be.

use std::os::fd::AsFd;

use nix::mount::{MsFlags, mount};
use nix::sched::CloneFlags;
use procsync::{ShareError, Shared};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::common::fork;
use crate::common::namespace::{can_make, enter};

/// Runs `body` while this process may have no more of a resource than `limit`.
fn limited<R>(resource: Resource, limit: u64, body: impl FnOnce() -> R) -> R {
    let before = getrlimit(resource);
    let maximum = before.maximum;
    let current = Some(limit);
    setrlimit(resource, Rlimit { current, maximum }).unwrap();
    let result = body();
    setrlimit(resource, before).unwrap();
    result
}

fn text_of<T>(result: Result<T, ShareError>) -> String {
    match result {
        Ok(_) => panic!("there is enough"),
        Err(error) => error.to_string(),
    }
}

/// Puts an empty directory in its place, for this process alone.
fn hide(directory: &str) {
    let nothing = None::<&str>;
    let alone = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(nothing, "/", nothing, alone, nothing).unwrap();
    let empty = Some("tmpfs");
    mount(empty, directory, empty, MsFlags::empty(), nothing).unwrap();
}

#[test]
fn no_descriptor_is_left() {
    fork(|| {
        let results = limited(Resource::Nofile, 0, || {
            [
                Shared::anonymous(0_u32),
                Shared::create("/procsync-errors-files", 0_u32),
                Shared::<u32>::open("/procsync-errors-files"),
            ]
        });
        for result in results {
            let text = text_of(result);
            assert!(
                text.ends_with("close some files, or raise the limit"),
                "{text}"
            );
        }
    })
    .succeed();
}

#[test]
fn no_address_space_is_left() {
    fork(|| {
        let value = Shared::anonymous([0_u8; 1 << 16]).unwrap();
        let fd = value.as_fd().try_clone_to_owned().unwrap();
        let again = limited(Resource::As, 1, || Shared::<[u8; 1 << 16]>::from_fd(fd));
        let text = text_of(again);
        assert!(
            text.ends_with("the address space or its limit is used up"),
            "{text}"
        );
        drop(Shared::anonymous(1_u32).unwrap());
    })
    .succeed();
}

#[test]
fn there_is_no_dev_shm() {
    if !can_make(CloneFlags::CLONE_NEWNS) {
        return;
    }
    fork(|| {
        enter(CloneFlags::CLONE_NEWNS);
        hide("/dev");
        let results = [
            Shared::create("/procsync-errors-shm", 0_u32),
            Shared::<u32>::open("/procsync-errors-shm"),
            Shared::open_or_create("/procsync-errors-shm", || 0),
        ];
        for result in results {
            assert!(matches!(result, Err(ShareError::NotFound)), "{result:?}");
            assert!(text_of(result).contains("/dev/shm"));
        }
        // Without a name it goes on.
        assert_eq!(*Shared::anonymous(1_u32).unwrap(), 1);
    })
    .succeed();
}

#[test]
fn a_file_stands_where_a_directory_should() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let name = format!("{}/x", file.path().display());
    for result in [Shared::create(&name, 0_u32), Shared::open(&name)] {
        let text = text_of(result);
        assert!(text.ends_with("must be a directory"), "{text}");
    }
}
