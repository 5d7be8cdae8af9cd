//! Futexes: sleepers in queues, one a word.

use std::collections::VecDeque;

use super::death::step;
use super::{AtomicU32, ME, Sleeper, World, world};
use crate::deadline::Deadline;
use crate::kernel::Waited;
use crate::sync::Ordering;

pub(crate) fn wait(word: &AtomicU32, expected: u32, deadline: Option<Deadline>) -> Waited {
    wait_any(&[(word, expected)], deadline).1
}

/// `futex_waitv`: the index of the word it was woken through, where it was.
pub(crate) fn wait_any(words: &[(&AtomicU32, u32)], deadline: Option<Deadline>) -> (usize, Waited) {
    step();
    // Fields out of range are EINVAL.
    assert!(
        deadline.is_none_or(|at| at.as_timespec().tv_sec >= 0),
        "{deadline:?}"
    );
    let nap = world(|world| {
        let nap = world.plan.nap == Some(world.waits);
        world.waits += 1;
        world.happened.nap |= nap;
        nap
    });
    let id = new_sleeper();
    for (index, &(word, expected)) in words.iter().enumerate() {
        let value = word.0.fetch_or(0, Ordering::Relaxed);
        if value != expected {
            leave_queues(id);
            // A wake-up that came through an earlier word must not be lost.
            return end_of_wait(id).map_or((index, Waited::Changed), |by| (by, Waited::Woken));
        }
        world(|world| {
            let address = core::ptr::from_ref(word).addr();
            world.sleepers[id].words.push(address);
            world.queues.entry(address).or_default().push_back(id);
        });
        ME.with(|me| me.asleep.set(Some(id)));
    }
    step();
    if !nap {
        while world(|world| world.sleepers[id].woken.is_none()) {
            loom::thread::park();
        }
        step();
    } else if let Some((word, _)) = words.first() {
        word.0.fetch_or(0, Ordering::Relaxed);
    }
    leave_queues(id);
    match (end_of_wait(id), deadline) {
        (Some(by), _) => (by, Waited::Woken),
        (None, Some(_)) => (0, Waited::TimedOut),
        (None, None) => (0, Waited::Woken),
    }
}

pub(super) fn new_sleeper() -> usize {
    let thread = loom::thread::current();
    world(|world| {
        world.sleepers.push(Sleeper {
            thread,
            woken: None,
            words: Vec::new(),
        });
        world.sleepers.len() - 1
    })
}

pub(super) fn end_of_wait(id: usize) -> Option<usize> {
    ME.with(|me| me.asleep.set(None));
    world(|world| world.sleepers[id].woken)
}

/// One queue after the other: until then, wakes through its other words land on a woken sleeper.
pub(super) fn leave_queues(id: usize) {
    let words = world(|world| world.sleepers[id].words.clone());
    for address in words {
        let queued = |world: &mut World| world.queues[&address].contains(&id);
        if world(queued) {
            let word: *const AtomicU32 = core::ptr::with_exposed_provenance(address);
            // SAFETY: the sleeper's reference to it is alive, here or up the stack.
            unsafe { (*word).0.fetch_or(0, Ordering::Relaxed) };
        }
        world(|world| {
            if let Some(queue) = world.queues.get_mut(&address) {
                queue.retain(|&sleeper| sleeper != id);
            }
        });
    }
}

pub(crate) fn wake(word: *const AtomicU32, count: usize) -> usize {
    step();
    // SAFETY: models keep their locks until the end of an execution.
    unsafe { (*word).0.fetch_or(0, Ordering::Relaxed) };
    wake_sleepers(word, count)
}

/// `FUTEX_WAKE_OP` with `FUTEX_OP_OR`: sets bits and wakes, in one step.
pub(crate) fn set_and_wake(word: &AtomicU32, bits: u32, count: usize) -> usize {
    step();
    word.0.fetch_or(bits, Ordering::AcqRel);
    wake_sleepers(word, count)
}

pub(super) fn wake_sleepers(word: *const AtomicU32, count: usize) -> usize {
    let woken: Vec<_> = world(|world| {
        let Some(queue) = world.queues.get_mut(&word.addr()) else {
            return Vec::new();
        };
        let count = count.min(queue.len());
        let ids: Vec<_> = queue.drain(..count).collect();
        ids.into_iter()
            .map(|id| {
                let sleeper = &mut world.sleepers[id];
                let index = sleeper
                    .words
                    .iter()
                    .position(|&address| address == word.addr());
                sleeper.woken = sleeper.woken.or(index);
                sleeper.thread.clone()
            })
            .collect()
    });
    for thread in &woken {
        thread.unpark();
    }
    woken.len()
}

pub(crate) fn count_sleepers(word: &AtomicU32) -> usize {
    step();
    word.0.fetch_or(0, Ordering::Relaxed);
    let address = core::ptr::from_ref(word).addr();
    world(|world| world.queues.get(&address).map_or(0, VecDeque::len))
}
