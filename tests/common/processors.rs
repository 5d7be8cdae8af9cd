//! Who runs where.

use std::sync::OnceLock;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

static ALL: OnceLock<CpuSet> = OnceLock::new();

const ME: Pid = Pid::from_raw(0);

/// How many processors there are for this process.
pub(crate) fn count() -> usize {
    sched_getaffinity(ME).map_or(1, |all| allowed(&all).count())
}

fn allowed(all: &CpuSet) -> impl Iterator<Item = usize> + '_ {
    (0..CpuSet::count()).filter(|&processor| all.is_set(processor).unwrap_or(false))
}

/// The stepper and the stepped take turns: on one processor, the `index`th of those there are, that is twice
/// as fast. To be called before there are any others, who get all processors by [`use_all`].
pub(crate) fn share_one(index: usize) {
    let Ok(all) = sched_getaffinity(ME) else {
        return;
    };
    let mut one = CpuSet::new();
    let chosen = allowed(&all).nth(index).map(|processor| one.set(processor));
    if chosen.is_some_and(|set| set.is_ok()) && sched_setaffinity(ME, &one).is_ok() {
        let _ = ALL.set(all);
    }
}

/// For a child of the process that called [`share_one`].
pub(crate) fn use_all() {
    if let Some(all) = ALL.get() {
        // Else it is slower.
        let _ = sched_setaffinity(ME, all);
    }
}

/// From now on the calling process, woken, does not push aside whoever runs.
pub(crate) fn yield_to_others() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: a valid argument. Should it fail, fewer races are won.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameters) };
}
