//! Processes from which system calls are kept away. For the targets that name this file.

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

/// From now on `calls` answer `errno`, in the calling thread and in what it starts.
pub(crate) fn forbid(calls: &[libc::c_long], errno: i32) {
    let rules: BTreeMap<_, _> = calls.iter().map(|&call| (call, Vec::new())).collect();
    let allow = SeccompAction::Allow;
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    let here = std::env::consts::ARCH.try_into().expect("a known machine");
    let filter = SeccompFilter::new(rules, allow, refuse, here).expect("a filter");
    let program: BpfProgram = filter.try_into().expect("a program");
    apply_filter(&program).expect("filters can be had");
}
