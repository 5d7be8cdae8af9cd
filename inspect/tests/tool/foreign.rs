//! Values of another PID namespace, of before a restart, of another version.

use std::fs::OpenOptions;
use std::mem::forget;
use std::os::unix::fs::FileExt;

use nix::sched::CloneFlags;
use procsync::{Lock, Shared, Timer};

use crate::common::namespace::{can_make, fork_in_pid_namespace};
use crate::common::{Gate, Mapped, until};
use crate::{Name, parts, printed, refused};

procsync::shareable! { struct State { lock: Lock<u32>, timer: Timer } }

fn state() -> State {
    State {
        lock: Lock::new(8),
        timer: Timer::new(),
    }
}

#[test]
fn a_value_of_another_pid_namespace_is_shown_and_its_tids_are_not_mistaken() {
    if !can_make(CloneFlags::CLONE_NEWPID) {
        return;
    }
    let name = Name::new("namespace");
    let gates = Mapped::<[Gate; 2]>::zeroed();
    let inside = fork_in_pid_namespace(|| {
        let value = Shared::create(&name.0, state()).unwrap();
        let guard = value.lock.acquire().unwrap();
        gates[0].open();
        gates[1].wait();
        drop(guard);
    });
    until(|| gates[0].is_open()).unwrap();
    let report = printed(&["inspect", &name.0]);
    // There the process is the first, and here that is another one.
    assert!(
        report.contains("ago by 1; all TIDs are of another PID namespace"),
        "{report}"
    );
    assert_eq!(parts(&report)[0], "lock Lock held by 1");
    gates[1].open();
    inside.succeed();
}

#[test]
fn a_value_of_before_a_restart_is_nobodys() {
    let name = Name::new("boot");
    let value = Shared::create(&name.0, state()).unwrap();
    forget(value.lock.acquire());
    let file = OpenOptions::new().write(true).open(name.path()).unwrap();
    file.write_all_at(&[7; 16], 40).unwrap();
    let report = printed(&["inspect", &name.0]);
    assert!(
        report.contains("before the last restart of the system"),
        "{report}"
    );
    let lines = parts(&report);
    let tid = value.lock.owner().unwrap();
    assert_eq!(lines[0], format!("lock Lock held by {tid}, which is gone"));
}

#[test]
fn another_version_is_refused_with_both_numbers() {
    let name = Name::new("version");
    let _value = Shared::create(&name.0, state()).unwrap();
    let file = OpenOptions::new().write(true).open(name.path()).unwrap();
    file.write_all_at(&77_u32.to_ne_bytes(), 8).unwrap();
    let error = refused(&["inspect", &name.0]);
    assert!(
        error.contains("version 77 of the representation"),
        "{error}"
    );
}
