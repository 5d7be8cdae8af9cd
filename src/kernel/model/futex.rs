//! Futexes: sleepers in queues, one a word.

use core::marker::PhantomData;
use std::collections::VecDeque;

use super::death::step;
use super::{AtomicU32, AtomicU64, ME, Sleeper, World, is_over, world};
use crate::deadline::Deadline;
use crate::kernel::{Expected, Waited};
use crate::sync::Ordering;

/// A futex word, as part of whatever it is part of.
#[derive(Clone, Copy)]
pub(crate) struct Futex<'word>(*const AtomicU32, PhantomData<&'word AtomicU32>);

pub(crate) fn whole(word: &AtomicU32) -> Futex<'_> {
    Futex(word, PhantomData)
}

pub(crate) fn low_half(word: &AtomicU64) -> Futex<'_> {
    let address: *const AtomicU64 = word;
    world(|world| world.wide.insert(address.expose_provenance()));
    Futex(address.cast(), PhantomData)
}

pub(crate) fn address(word: Futex<'_>) -> *const AtomicU32 {
    word.0
}

/// What the kernel does to a word before it does anything to its sleepers: loom sees it, and so
/// knows that one depends on the other. Answers the value.
pub(super) fn touch(word: *const AtomicU32) -> u32 {
    if is_over() {
        return 0;
    }
    // Also of the exit walk, which comes after the last step of its thread.
    world(|world| world.steps += 1);
    if let Some(word) = wide(word) {
        let value = word.current();
        #[expect(clippy::cast_possible_truncation, reason = "the low half")]
        return value as u32;
    }
    // SAFETY: models keep their words until the end of an execution.
    unsafe { (*word).current() }
}

/// The word of 64 bits that this is the low half of.
fn wide<'word>(word: *const AtomicU32) -> Option<&'word AtomicU64> {
    let is_wide = world(|world| world.wide.contains(&word.expose_provenance()));
    // SAFETY: `low_half` was called with it, and models keep all until the end of an execution.
    is_wide.then(|| unsafe { &*word.cast::<AtomicU64>() })
}

pub(crate) fn wait(word: Futex<'_>, expected: u32, deadline: Option<Deadline>) -> Waited {
    wait_any::<1>([(word, expected)], None, deadline).1
}

/// `futex_waitv`: the index of the word it was woken through, where it was; if through several, the
/// last. Those that are `unmoved` are looked at when it is in all queues.
///
/// A deadline passes when nobody else can go on, or with a later one.
pub(crate) fn wait_any<'word, const MAX: usize>(
    words: impl IntoIterator<Item = Expected<'word>>,
    unmoved: impl IntoIterator<Item = Expected<'word>>,
    deadline: Option<Deadline>,
) -> (usize, Waited) {
    if is_over() {
        return (0, Waited::Woken);
    }
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
    let mut first = None;
    for (index, (word, expected)) in words.into_iter().enumerate() {
        first.get_or_insert(word);
        if touch(word.0) != expected {
            leave_queues(id);
            // A wake-up that came through an earlier word must not be lost.
            return end_of_wait(id).map_or((index, Waited::Changed), |by| (by, Waited::Woken));
        }
        world(|world| {
            let address = word.0.expose_provenance();
            world.sleepers[id].words.push(address);
            world.queues.entry(address).or_default().push_back(id);
        });
        ME.with(|me| me.asleep.set(Some(id)));
    }
    for (word, expected) in unmoved {
        if touch(word.0) != expected {
            leave_queues(id);
            return end_of_wait(id).map_or((0, Waited::Changed), |by| (by, Waited::Woken));
        }
    }
    step();
    let still_asleep = || world(|world| world.sleepers[id].woken.is_none());
    if nap {
        touch(first.expect("a word at least").0);
    } else if let Some(deadline) = deadline {
        while still_asleep() && !has_passed(deadline) && others_go_on() {}
        step();
    } else {
        while still_asleep() {
            loom::thread::park();
        }
        step();
    }
    leave_queues(id);
    match (end_of_wait(id), deadline) {
        (Some(by), _) => (by, Waited::Woken),
        (None, Some(deadline)) => {
            world(|world| world.clock = world.clock.max(Some(deadline.as_timespec())));
            (0, Waited::TimedOut)
        }
        (None, None) => (0, Waited::Woken),
    }
}

fn has_passed(deadline: Deadline) -> bool {
    world(|world| world.clock >= Some(deadline.as_timespec()))
}

/// Lets them; whether they did.
fn others_go_on() -> bool {
    let before = world(|world| world.steps);
    loom::thread::yield_now();
    world(|world| world.steps) != before
}

fn new_sleeper() -> usize {
    let thread = loom::thread::current();
    let tid = ME.with(|me| me.tid);
    world(|world| {
        world.sleepers.push(Sleeper {
            thread,
            tid,
            woken: None,
            words: Vec::new(),
        });
        world.sleepers.len() - 1
    })
}

fn end_of_wait(id: usize) -> Option<usize> {
    ME.with(|me| me.asleep.set(None));
    world(|world| world.sleepers[id].woken)
}

/// How many threads sleep and were not woken.
pub(crate) fn asleep() -> usize {
    tids_asleep().len()
}

/// Which.
pub(crate) fn tids_asleep() -> Vec<u32> {
    world(|world| {
        let queued = world.queues.values().flatten();
        let mut tids: Vec<_> = queued.map(|&id| world.sleepers[id].tid).collect();
        tids.sort_unstable();
        tids.dedup();
        tids
    })
}

/// One queue after the other: until then, wakes through its other words land on a woken sleeper.
pub(super) fn leave_queues(id: usize) {
    let words = world(|world| world.sleepers[id].words.clone());
    for address in words {
        let queued = |world: &mut World| world.queues[&address].contains(&id);
        if world(queued) {
            touch(core::ptr::with_exposed_provenance(address));
        }
        world(|world| {
            if let Some(queue) = world.queues.get_mut(&address) {
                queue.retain(|&sleeper| sleeper != id);
            }
        });
    }
}

pub(crate) fn wake(word: *const AtomicU32, count: usize) -> usize {
    if is_over() {
        return 0;
    }
    step();
    touch(word);
    wake_sleepers(word, count)
}

/// `FUTEX_WAKE_OP` with `FUTEX_OP_OR`: sets a bit and wakes, in one step.
pub(crate) fn set_bit_and_wake_all(word: &AtomicU32, bit: u16) {
    if is_over() {
        return;
    }
    step();
    word.0.fetch_or(1 << bit, Ordering::Relaxed);
    wake_sleepers(word, usize::MAX);
}

/// `FUTEX_WAKE_OP` with `FUTEX_OP_ADD`.
pub(crate) fn add_and_wake(word: &AtomicU32, addend: u16, count: u32, never: u16) -> usize {
    if is_over() {
        return 0;
    }
    step();
    let before = word.0.fetch_add(u32::from(addend), Ordering::Relaxed);
    let once_more = u32::from(before == u32::from(never));
    wake_sleepers(word, (count.max(1).saturating_add(once_more)) as usize)
}

/// `FUTEX_WAKE_OP` with `FUTEX_OP_SET`, of the low half of a word.
pub(crate) fn make_and_wake_all(word: Futex<'_>, bit: u16) {
    if is_over() {
        return;
    }
    step();
    let halves = wide(word.0).expect("a half");
    let made = |value: u64| value >> 32 << 32 | 1 << bit;
    let mut value = halves.current();
    while let Err(now) =
        halves
            .0
            .compare_exchange(value, made(value), Ordering::Relaxed, Ordering::Relaxed)
    {
        value = now;
    }
    wake_sleepers(word.0, usize::MAX);
}

/// `FUTEX_REQUEUE` that wakes nobody.
pub(crate) fn requeue(from: &AtomicU32, to: &AtomicU32) {
    if is_over() {
        return;
    }
    step();
    touch(from);
    touch(to);
    let [from, to] = [from, to].map(|word| core::ptr::from_ref(word).expose_provenance());
    world(|world| {
        let moved = world.queues.remove(&from).unwrap_or_default();
        for &id in &moved {
            let words = &mut world.sleepers[id].words;
            words
                .iter_mut()
                .filter(|word| **word == from)
                .for_each(|word| *word = to);
        }
        world.queues.entry(from).or_default();
        world.queues.entry(to).or_default().extend(moved);
    });
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
                sleeper.woken = sleeper.woken.max(index);
                sleeper.thread.clone()
            })
            .collect()
    });
    for thread in &woken {
        thread.unpark();
    }
    woken.len()
}

pub(crate) fn nobody_sleeps(word: &AtomicU32) -> bool {
    count_sleepers(word) == 0
}

pub(crate) fn count_sleepers(word: &AtomicU32) -> usize {
    if is_over() {
        return 0;
    }
    step();
    touch(word);
    let address = core::ptr::from_ref(word).addr();
    world(|world| world.queues.get(&address).map_or(0, VecDeque::len))
}
