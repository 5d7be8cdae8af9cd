//! Death, and what the kernel does then.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::futex::{leave_queues, touch, wake_sleepers};
use super::{AtomicU32, DISTANCE, FORGET, ME, Me, world};
use crate::robust::{OWNER, owner};
use crate::sync::Ordering;

const WAITERS: u32 = 0x8000_0000;
const OWNER_DIED: u32 = 0x4000_0000;
/// `ROBUST_LIST_LIMIT`.
const LIST_LIMIT: usize = 2048;

/// What a dead thread unwinds with.
struct Death;

/// Whether the caller may start the mortal thread of this execution: there is none yet.
pub(crate) fn claim_mortal() -> bool {
    world(|world| !std::mem::replace(&mut world.has_mortal, true))
}

/// The TID of the dead.
pub(crate) fn victim() -> Option<u32> {
    world(|world| world.victim)
}

/// Runs `f` on a thread that dies when the plan says so; `None`: it did.
pub(crate) fn run_mortal<T>(f: impl FnOnce() -> T) -> Option<T> {
    ME.with(|me| me.mortal.set(true));
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => {
            ME.with(|me| me.mortal.set(false));
            Some(value)
        }
        Err(payload) => {
            let payload: Box<dyn Any + Send> = payload;
            if payload.is::<Death>() {
                None
            } else {
                resume_unwind(payload)
            }
        }
    }
}

/// Between any two steps of a mortal thread.
pub(crate) fn step() {
    world(|world| world.steps += 1);
    let dies = ME.with(|me| {
        if !me.mortal.get() || me.dead.get() {
            return false;
        }
        let step = me.steps.get();
        me.steps.set(step + 1);
        world(|world| world.plan.death == Some(step))
    });
    if dies {
        die();
    }
}

pub(super) fn die() -> ! {
    world(|world| world.happened.death = true);
    ME.with(|me| {
        me.dead.set(true);
        world(|world| world.victim = Some(me.tid));
        if let Some(id) = me.asleep.take() {
            leave_queues(id);
        }
        exit_walk(me);
        world(|world| world.gone.insert(me.tid));
    });
    if let Some(forget) = FORGET.get() {
        forget();
    }
    resume_unwind(Box::new(Death));
}

/// `exit_robust_list` of the kernel.
fn exit_walk(me: &Me) {
    let head = me.head();
    let link = |at: usize| world(|world| world.links.get(&at).copied().unwrap_or(0));
    let pending = link(head.pending);
    let mut entry = link(head.list);
    for _ in 0..LIST_LIMIT {
        if entry == 0 || entry == head.list {
            break;
        }
        look_at(entry);
        let next = link(entry);
        if entry != pending {
            mark_dead(me, entry, false);
        }
        entry = next;
    }
    if pending != 0 {
        mark_dead(me, pending, true);
    }
}

/// The word of an entry, unless it is a sentinel, a head, or nothing at all.
pub(super) fn word_of(entry: usize) -> Option<*const AtomicU32> {
    let known = world(|world| world.entries.contains(&entry));
    known.then(|| core::ptr::with_exposed_provenance(entry - DISTANCE))
}

/// An entry lies beside its word: for loom, who reads or writes it touches the word.
pub(super) fn look_at(entry: usize) {
    if let Some(word) = word_of(entry) {
        touch(word);
    }
}

/// `handle_futex_death` of the kernel.
fn mark_dead(me: &Me, entry: usize, pending: bool) {
    let Some(word) = word_of(entry) else { return };
    // SAFETY: models keep their locks until the end of an execution.
    let explored = unsafe { &(*word).0 };
    loop {
        let value = touch(word);
        if pending && value & OWNER == 0 {
            wake_sleepers(word, 1);
            return;
        }
        if owner(value) != me.tid {
            return;
        }
        let dead = (value & WAITERS) | OWNER_DIED;
        if explored
            .compare_exchange(value, dead, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
        {
            if value & WAITERS != 0 {
                touch(word);
                wake_sleepers(word, 1);
            }
            return;
        }
    }
}
