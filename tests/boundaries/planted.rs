//! What another user has put where a value was to be, in a directory for all.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use procsync::{ShareError, Shared, unlink};
use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::TempDir;

use crate::users::as_stranger;
use crate::{files_in, name_in, open_to_all};

/// As another user, if we may become one, plants something at a name.
fn plant(plant: impl Fn()) {
    if !as_stranger(&plant) {
        plant();
    }
}

/// Each operation gives an error, and at once, and what was planted stays what it was.
#[track_caller]
fn refused_everywhere(directory: &TempDir, what: &str) {
    let name = name_in(directory, what);
    let opened = Shared::<u64>::open(&name).map(drop);
    let made = Shared::open_or_create(&name, || -> u64 { unreachable!() }).map(drop);
    for result in [opened, made] {
        assert!(
            matches!(result, Err(ShareError::NotRegular)),
            "{what}: {result:?}"
        );
    }
    let created = Shared::create(&name, 1_u64);
    assert!(
        matches!(created, Err(ShareError::AlreadyExists)),
        "{what}: {created:?}"
    );
    assert_eq!(files_in(directory), [what]);
}

#[test]
fn a_link_to_where_nothing_is_makes_nothing_there() {
    let (directory, elsewhere) = (open_to_all(), open_to_all());
    let target = name_in(&elsewhere, "target");
    plant(|| symlink(&target, name_in(&directory, "link")).unwrap());
    refused_everywhere(&directory, "link");
    assert_eq!(files_in(&elsewhere), [""; 0]);
}

#[test]
fn a_link_to_a_value_is_not_followed_and_unlink_takes_the_link() {
    let (directory, elsewhere) = (open_to_all(), open_to_all());
    let target = name_in(&elsewhere, "target");
    let _value = Shared::create(&target, 5_u64).unwrap();
    plant(|| symlink(&target, name_in(&directory, "link")).unwrap());
    refused_everywhere(&directory, "link");
    unlink(&name_in(&directory, "link")).unwrap();
    assert_eq!(files_in(&directory), [""; 0]);
    assert_eq!(*Shared::<u64>::open(&target).unwrap(), 5);
}

#[test]
fn a_fifo_that_nobody_writes_to_is_not_waited_for() {
    let directory = open_to_all();
    let mode = Mode::from_raw_mode(0o666);
    plant(|| mkfifoat(CWD, name_in(&directory, "fifo"), mode).unwrap());
    refused_everywhere(&directory, "fifo");
}

#[test]
fn directories_and_sockets_are_refused() {
    let directory = open_to_all();
    plant(|| std::fs::create_dir(name_in(&directory, "directory")).unwrap());
    refused_everywhere(&directory, "directory");
    std::fs::remove_dir(name_in(&directory, "directory")).unwrap();
    plant(|| drop(UnixListener::bind(name_in(&directory, "socket")).unwrap()));
    refused_everywhere(&directory, "socket");
}

#[test]
fn a_link_to_a_terminal_or_a_device_does_nothing_to_it() {
    let directory = open_to_all();
    plant(|| symlink("/dev/ptmx", name_in(&directory, "device")).unwrap());
    refused_everywhere(&directory, "device");
}
