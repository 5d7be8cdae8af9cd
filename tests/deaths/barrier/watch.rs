//! Two die: one that waits alone and holds the watch, and one that comes just then and saw the watch while it was
//! free. Whoever comes next is told.

use std::sync::atomic::{AtomicU32, Ordering};

use libtest_mimic::{Failed, Trial};
use procsync::{Barrier, BarrierError};

use super::Square;
use crate::common::{Mapped, fork, until};
use crate::scene::{Trouble, ended_well, require};
use crate::stepper::{Cue, Step, Stepper, sleeps};

pub(super) fn trials() -> Vec<Trial> {
    vec![Trial::test(
        "barrier: two die at the watch",
        at_each_instruction,
    )]
}

/// The word of the watch, behind the state, the parties, the obituary and what spinning has learnt.
const WATCH_AT: usize = 24;

/// The TID of who holds the watch; 0: nobody.
fn watcher(square: &Square) -> u32 {
    const OWNER: u32 = 0x3fff_ffff;
    // SAFETY: within the barrier.
    let watch = unsafe { square.barrier.get().byte_add(WATCH_AT) };
    // SAFETY: an aligned word, and atomic, as all are in there.
    let word = unsafe { &*watch.cast::<AtomicU32>() };
    word.load(Ordering::SeqCst) & OWNER
}

fn at_each_instruction() -> Result<(), Failed> {
    let mut before = 0;
    while somebody_dies_after(before).map_err(|trouble| format!("after {before}: {trouble}"))? {
        before += 1;
    }
    if before == 0 {
        return Err("nobody died before the watch was taken".into());
    }
    Ok(())
}

/// Of the instructions of the second to come. `false`: by then it had the watch itself.
fn somebody_dies_after(before: usize) -> Result<bool, Trouble> {
    let square: Mapped<Square> = Mapped::zeroed();
    square.build();
    let cue: Mapped<Cue> = Mapped::zeroed();
    let second = Stepper::start(&cue, || {
        let _ = Barrier::new(1).wait(); // Warms up.
        cue.begin();
        let _ = square.barrier().wait();
        cue.end();
    })?;
    for _ in 0..before {
        second.step()?;
    }
    if watcher(&square) != 0 {
        second.kill();
        return Ok(false);
    }
    die_alone(&square)?;
    go_on_until_it_watches(&second, &square, &cue)?;
    let third = fork(|| assert_eq!(square.barrier().wait(), Err(BarrierError::Broken)));
    let settled = until(|| third.has_ended() || sleeps(third.pid(), third.pid()));
    second.kill();
    require(settled.is_ok(), || {
        "the third neither sleeps nor ends".into()
    })?;
    ended_well(third)?;
    Ok(true)
}

/// The first to come, who takes the watch.
fn die_alone(square: &Square) -> Result<(), Trouble> {
    let first = fork(|| {
        let _ = square.barrier().wait();
    });
    let waits = || watcher(square) == first.tid() && sleeps(first.pid(), first.pid());
    let came = until(waits);
    first.kill();
    came.map_err(|_| Trouble::Stuck("the first does not fall asleep with the watch".into()))
}

/// Or it has come to the end, or fallen asleep.
fn go_on_until_it_watches(second: &Stepper, square: &Square, cue: &Cue) -> Result<(), Trouble> {
    while watcher(square) != second.tid() && !cue.has_ended() && second.step()? == Step::Done {}
    Ok(())
}
