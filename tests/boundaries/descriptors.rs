//! Descriptors do not pass to programs that are started meanwhile, at whatever moment.

use std::process::{Command, Stdio};

use procsync::{Shared, inspect};
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::{name_in, open_to_all};

/// The files that a program has open which this process starts now.
fn inherited() -> String {
    let mut list = Command::new("ls");
    list.args(["-l", "/proc/self/fd"]).stdin(Stdio::null());
    String::from_utf8(list.output().unwrap().stdout).unwrap()
}

#[test]
fn none_is_inherited_not_even_while_a_value_is_made() {
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    let path = directory.path().to_str().unwrap();
    let make = || {
        let list = inherited();
        assert!(!list.contains(path), "{list}");
        7_u64
    };
    let made = Shared::open_or_create(&name, make).unwrap();
    let opened = Shared::<u64>::open(&name).unwrap();
    let report = inspect::open(&name).unwrap();
    let list = inherited();
    assert!(!list.contains(path), "{list}");
    drop((made, opened, report));
    // What is inherited is seen.
    let _kept = openat(CWD, &name, OFlags::RDONLY, Mode::empty()).unwrap();
    let list = inherited();
    assert!(list.contains(path), "{list}");
}
