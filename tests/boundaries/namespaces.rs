//! Real PID namespaces, made here.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sched::CloneFlags;
use procsync::{Event, Lock, ShareError, Shared, Timer};

use crate::common::namespace::{can_make, enter, fork_in_pid_namespace};
use crate::common::{fork, until};
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

/// How far its monotonic clock is ahead.
const AHEAD: Duration = Duration::from_secs(500);

/// From now on the children of this process have another clock; `false`: this user may not.
fn put_children_ahead() -> bool {
    // SAFETY: asks for no memory.
    if unsafe { libc::unshare(libc::CLONE_NEWTIME) } != 0 {
        eprintln!("SKIPPED: this kernel does not let this user make time namespaces");
        return false;
    }
    let offset = format!("monotonic {} 0", AHEAD.as_secs());
    std::fs::write("/proc/self/timens_offsets", offset).expect("an offset can be set");
    true
}

#[test]
fn in_another_time_namespace_waits_last_as_long_and_a_timer_seems_nearer() {
    const INTERVAL: Duration = Duration::from_secs(1000);
    let timer = Shared::anonymous(Timer::new()).unwrap();
    let never = Shared::anonymous(Event::new()).unwrap();
    let runner = fork(|| drop(timer.run(INTERVAL, || ())));
    until(|| timer.remaining().is_some()).unwrap();
    fork(|| {
        if !put_children_ahead() {
            return;
        }
        fork(|| {
            let patience = Duration::from_millis(20);
            let started = Instant::now();
            assert!(!never.wait_timeout(patience));
            assert!((patience..AHEAD).contains(&started.elapsed()));
            let remaining = timer.remaining().expect("it is armed");
            assert!(remaining <= INTERVAL - AHEAD, "{remaining:?}");
            assert!(timer.cancel());
        })
        .succeed();
    })
    .succeed();
    runner.kill();
}
