//! Real PID namespaces, made here.

use std::os::fd::AsFd;

use nix::sched::CloneFlags;
use procsync::{Lock, ShareError, Shared};

use crate::common::fork;
use crate::common::namespace::{can_make, enter, fork_in_pid_namespace};
use crate::{name_in, open_to_all};

fn is_foreign<T>(result: Result<T, ShareError>) -> bool {
    matches!(result, Err(ShareError::ForeignPidNamespace))
}

#[test]
fn a_value_from_within_is_refused_outside() {
    if !can_make(CloneFlags::CLONE_NEWPID) {
        return;
    }
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    fork_in_pid_namespace(|| {
        drop(Shared::create(&name, Lock::new(1_u32)).unwrap());
        assert!(Shared::<Lock<u32>>::open(&name).is_ok());
    })
    .succeed();
    assert!(is_foreign(Shared::<Lock<u32>>::open(&name)));
    let made = Shared::open_or_create(&name, || -> Lock<u32> { unreachable!() });
    assert!(is_foreign(made));
}

#[test]
fn a_value_from_outside_is_refused_within_by_name_and_by_descriptor() {
    if !can_make(CloneFlags::CLONE_NEWPID) {
        return;
    }
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    let value = Shared::create(&name, Lock::new(1_u32)).unwrap();
    let anonymous = Shared::anonymous(Lock::new(1_u32)).unwrap();
    fork_in_pid_namespace(|| {
        assert!(is_foreign(Shared::<Lock<u32>>::open(&name)));
        for shared in [&value, &anonymous] {
            let fd = shared.as_fd().try_clone_to_owned().unwrap();
            assert!(is_foreign(Shared::<Lock<u32>>::from_fd(fd)));
        }
    })
    .succeed();
    assert_eq!(*value.acquire().unwrap(), 1);
}

#[test]
fn other_namespaces_do_not_matter() {
    let others = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS;
    if !can_make(others) {
        return;
    }
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    let value = Shared::create(&name, Lock::new(1_u32)).unwrap();
    fork(|| {
        enter(others);
        let theirs = Shared::<Lock<u32>>::open(&name).unwrap();
        *theirs.acquire().unwrap() += 1;
        std::mem::forget(theirs.acquire());
    })
    .succeed();
    assert!(value.is_poisoned());
    assert_eq!(*value.acquire_or_repair(|_| ()).unwrap(), 2);
}
