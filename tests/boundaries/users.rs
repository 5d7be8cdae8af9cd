//! Another user, who has nothing to do with it.

use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;

use procsync::{Lock, ShareError, Shared, SharedOptions, inspect, unlink};

use crate::common::{fork, skipped};
use crate::{files_in, name_in, open_to_all};

/// Neither root nor the one who runs the tests.
pub(crate) const STRANGER: u32 = 65534;

/// Runs `body` as another user, in a child; `false`: this user may not.
pub(crate) fn as_stranger(body: impl FnOnce()) -> bool {
    if !rustix::process::geteuid().is_root() {
        skipped("only root can become another user");
        return false;
    }
    fork(|| {
        become_stranger();
        body();
    })
    .succeed();
    true
}

fn become_stranger() {
    let (user, group) = (
        nix::unistd::Uid::from_raw(STRANGER),
        nix::unistd::Gid::from_raw(STRANGER),
    );
    nix::unistd::setgroups(&[]).unwrap();
    nix::unistd::setresgid(group, group, group).unwrap();
    nix::unistd::setresuid(user, user, user).unwrap();
}

fn is_denied<T>(result: Result<T, ShareError>) -> bool {
    matches!(result, Err(ShareError::PermissionDenied))
}

#[test]
fn by_default_nobody_else_may_open_look_or_unlink() {
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    let value = Shared::create(&name, Lock::new(5_u32)).unwrap();
    as_stranger(|| {
        assert!(is_denied(Shared::<Lock<u32>>::open(&name)));
        let made = Shared::open_or_create(&name, || -> Lock<u32> { unreachable!() });
        assert!(is_denied(made));
        assert!(is_denied(inspect::open(&name)));
        assert!(is_denied(unlink(&name)));
        let created = Shared::create(&name, Lock::new(6_u32));
        assert!(matches!(created, Err(ShareError::AlreadyExists)));
    });
    assert_eq!(*value.acquire().unwrap(), 5);
    assert_eq!(files_in(&directory), ["x"]);
}

#[test]
fn who_may_only_read_may_only_look() {
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    let options = SharedOptions::new().mode(0o604);
    let value = options.create(&name, Lock::new(5_u32)).unwrap();
    as_stranger(|| {
        assert!(is_denied(Shared::<Lock<u32>>::open(&name)));
        let report = inspect::open(&name).unwrap().to_string();
        assert!(report.contains("free"), "{report}");
    });
    drop(value);
}

#[test]
fn whom_the_mode_lets_in_shares_locks_and_deaths() {
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    let options = SharedOptions::new().mode(0o606);
    let value = options.create(&name, Lock::new(5_u32)).unwrap();
    let dies_holding = || {
        let theirs = Shared::<Lock<u32>>::open(&name).unwrap();
        *theirs.acquire().unwrap() += 1;
        std::mem::forget(theirs.acquire());
    };
    if as_stranger(dies_holding) {
        assert!(value.is_poisoned());
        let six = value.acquire_or_repair(|_| ()).unwrap();
        assert_eq!(*six, 6);
    }
}

#[test]
fn what_a_user_makes_is_the_users() {
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    let made = as_stranger(|| drop(Shared::create(&name, 7_u64).unwrap()));
    if made {
        let metadata = std::fs::metadata(&name).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (STRANGER, STRANGER));
        assert_eq!(metadata.mode() & 0o7777, 0o600);
    }
}

#[test]
fn who_was_first_in_a_directory_for_all_can_be_told() {
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    let for_all = SharedOptions::new().mode(0o666);
    let squat = || drop(for_all.create(&name, 7_u64).unwrap());
    if as_stranger(squat) {
        let mine = Shared::create(&name, 8_u64);
        assert!(matches!(mine, Err(ShareError::AlreadyExists)), "{mine:?}");
        let theirs = Shared::<u64>::open(&name).unwrap();
        assert_eq!(rustix::fs::fstat(&theirs).unwrap().st_uid, STRANGER);
    }
}

#[test]
fn a_name_that_somebody_else_took_first_is_refused_on_demand() {
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    let me = rustix::process::geteuid().as_raw();
    let mine = SharedOptions::new().expect_owner(me);
    let theirs = SharedOptions::new().expect_owner(STRANGER);
    let for_all = SharedOptions::new().mode(0o666);
    let squat = || drop(for_all.create(&name, 7_u64).unwrap());
    if !as_stranger(squat) {
        return;
    }
    let wrong = |result: Result<Shared<u64>, ShareError>| match result {
        Err(ShareError::WrongOwner { found, expected }) => (found, expected) == (STRANGER, me),
        _ => false,
    };
    assert!(wrong(mine.open(&name)));
    assert!(wrong(mine.open_or_create(&name, || unreachable!())));
    assert_eq!(*theirs.open::<u64>(&name).unwrap(), 7);
    unlink(&name).unwrap();
    // Also where the name is taken while the value is made.
    let taken = mine.open_or_create(&name, || {
        as_stranger(squat);
        8
    });
    assert!(wrong(taken));
    unlink(&name).unwrap();
    let made = mine.open_or_create(&name, || 9).unwrap();
    assert_eq!(*mine.open::<u64>(&name).unwrap(), *made);
}

/// Before anything in it is looked at.
#[test]
fn a_wrong_owner_is_told_before_a_wrong_content() {
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    std::fs::write(&name, "text").unwrap();
    let me = rustix::process::geteuid().as_raw();
    let other = SharedOptions::new().expect_owner(me + 1).open::<u64>(&name);
    assert!(
        matches!(other, Err(ShareError::WrongOwner { .. })),
        "{other:?}"
    );
}

#[test]
fn an_anonymous_value_is_not_reached_through_another_users_process() {
    let value = Shared::anonymous(Lock::new(1_u32)).unwrap();
    let fd = value.as_fd().as_raw_fd();
    let path = format!("/proc/{}/fd/{fd}", std::process::id());
    assert!(inspect::open(&path).is_ok());
    as_stranger(|| assert!(is_denied(inspect::open(&path))));
}
