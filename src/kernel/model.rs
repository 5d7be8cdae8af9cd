//! The kernel as loom explores it: futexes, the robust list, and the deaths of threads.
//!
//! Each thread of a model stands for a process with one thread. What the kernel does to one word
//! under its lock is one step here, too: a read-modify-write of the word, by which loom knows that
//! two such steps depend on each other, and then a change of the queues, which loom does not see.
//! That access is Relaxed: no primitive may lean on the barriers of the kernel, but at a death.
//!
//! A thread dies before its `k`th step, for every `k`: loom explores all interleavings for each.
//! Then the kernel's exit walk goes over its robust list, step by step, racing with the others.
//! That a wait times out, or ends for no reason, is chosen in the same way: the `n`th wait of an
//! execution does, for every `n`.

use core::ffi::c_void;
use core::ptr::NonNull;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;

use loom::sync::atomic as explored;
use rustix::time::Timespec;

use super::{RobustHead, Waited};
use crate::deadline::Deadline;
use crate::robust::{OWNER, owner};
use crate::sync::Ordering;

const WAITERS: u32 = 0x8000_0000;
const OWNER_DIED: u32 = 0x4000_0000;
/// glibc's. Links are kept in a table, so nothing need lie there.
const DISTANCE: usize = 32;
/// `ROBUST_LIST_LIMIT`.
const LIST_LIMIT: usize = 2048;

/// What is to happen in an exploration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    /// The mortal thread dies before this step of its own.
    pub(crate) death: Option<usize>,
    /// This wait, counted over all threads, ends early: by its deadline, or for no reason.
    pub(crate) nap: Option<usize>,
}

/// Whether it did, in any execution of an exploration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Happened {
    pub(crate) death: bool,
    pub(crate) nap: bool,
    pub(crate) executions: usize,
}

#[derive(Default)]
struct World {
    /// Counts executions, each of which is other processes than the last.
    execution: u32,
    plan: Plan,
    happened: Happened,
    threads: u32,
    waits: usize,
    links: HashMap<usize, usize>,
    /// Entries that were in a pending slot: these have a word. Sentinels have none.
    entries: HashSet<usize>,
    queues: HashMap<usize, VecDeque<usize>>,
    sleepers: Vec<Sleeper>,
}

/// A wait.
struct Sleeper {
    thread: loom::thread::Thread,
    /// Through which of its words it was woken.
    woken: Option<usize>,
    words: Vec<usize>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

/// Not to be held across anything that loom can see.
fn world<R>(f: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| f(&mut world.borrow_mut()))
}

loom::thread_local! {
    static ME: Me = Me::new();
}

/// A thread of the model, as the kernel knows it.
struct Me {
    tid: u32,
    mortal: Cell<bool>,
    dead: Cell<bool>,
    steps: Cell<usize>,
    /// The wait it is in.
    asleep: Cell<Option<usize>>,
}

impl Me {
    fn new() -> Self {
        let tid = world(|world| {
            world.threads += 1;
            world.threads
        });
        Self {
            tid,
            mortal: Cell::new(false),
            dead: Cell::new(false),
            steps: Cell::new(0),
            asleep: Cell::new(None),
        }
    }

    /// Addresses that mean something to the table of links only.
    fn head(&self) -> RobustHead {
        let list = 0x1000 * self.tid as usize + 8;
        RobustHead {
            list,
            pending: list + 16,
            distance: DISTANCE,
        }
    }
}

/// Begins an exploration.
pub(crate) fn begin(plan: Plan) {
    world(|world| {
        world.plan = plan;
        world.happened = Happened::default();
    });
}

/// Begins one execution of it.
pub(crate) fn begin_execution() {
    world(|world| {
        *world = World {
            execution: world.execution + 1,
            plan: world.plan,
            happened: Happened {
                executions: world.happened.executions + 1,
                ..world.happened
            },
            ..World::default()
        };
    });
}

/// Ends an exploration.
pub(crate) fn happened() -> Happened {
    world(|world| world.happened)
}

// ---- Death ---------------------------------------------------------------------------------------

/// What a dead thread unwinds with.
struct Death;

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

fn die() -> ! {
    world(|world| world.happened.death = true);
    ME.with(|me| {
        me.dead.set(true);
        if let Some(id) = me.asleep.take() {
            leave_queues(id);
        }
        exit_walk(me);
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
fn word_of(entry: usize) -> Option<*const AtomicU32> {
    let known = world(|world| world.entries.contains(&entry));
    known.then(|| core::ptr::with_exposed_provenance(entry - DISTANCE))
}

/// An entry lies beside its word: for loom, who reads or writes it touches the word.
fn look_at(entry: usize) {
    if let Some(word) = word_of(entry) {
        // SAFETY: models keep their locks until the end of an execution.
        unsafe { (*word).0.fetch_or(0, Ordering::Relaxed) };
    }
}

/// `handle_futex_death` of the kernel.
fn mark_dead(me: &Me, entry: usize, pending: bool) {
    let Some(word) = word_of(entry) else { return };
    // SAFETY: models keep their locks until the end of an execution.
    let explored = unsafe { &(*word).0 };
    loop {
        let value = explored.fetch_or(0, Ordering::Relaxed);
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
                explored.fetch_or(0, Ordering::Relaxed);
                wake_sleepers(word, 1);
            }
            return;
        }
    }
}

// ---- Memory ----------------------------------------------------------------------------------------

/// loom's, with a possible death before every access.
///
/// A store is a swap: the kernel looks at the one current value, which loom knows only where every
/// change of an atomic saw the change before it.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct AtomicU32(explored::AtomicU32);

impl AtomicU32 {
    pub(crate) fn new(value: u32) -> Self {
        Self(explored::AtomicU32::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> u32 {
        step();
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: u32, order: Ordering) {
        step();
        self.0.swap(value, order);
    }

    pub(crate) fn compare_exchange(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        step();
        self.0.compare_exchange(current, new, success, failure)
    }
}

pub(crate) unsafe fn store_link(at: usize, value: usize) {
    step();
    look_at(at);
    let pending = ME.with(|me| me.head().pending);
    world(|world| {
        world.links.insert(at, value);
        if at == pending && value != 0 {
            world.entries.insert(value);
        }
    });
}

pub(crate) unsafe fn store_entry(at: usize, value: usize) {
    // SAFETY: the caller's promise.
    unsafe { store_link(at, value) };
}

pub(crate) unsafe fn load_link(at: usize) -> usize {
    let head = ME.with(|me| me.head().list);
    world(|world| {
        world
            .links
            .get(&at)
            .copied()
            .unwrap_or(if at == head { head } else { 0 })
    })
}

pub(crate) fn zeroed_memory(bytes: usize) -> Option<NonNull<c_void>> {
    let layout = std::alloc::Layout::from_size_align(bytes, 64).ok()?;
    // SAFETY: the layout is not of size 0.
    NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) }.cast())
}

#[expect(clippy::unnecessary_wraps, reason = "the real kernel may not tell")]
pub(crate) fn is_shared(_address: usize) -> Option<bool> {
    Some(true)
}

// ---- Futexes ---------------------------------------------------------------------------------------

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

fn new_sleeper() -> usize {
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

fn end_of_wait(id: usize) -> Option<usize> {
    ME.with(|me| me.asleep.set(None));
    world(|world| world.sleepers[id].woken)
}

/// One queue after the other: until then, wakes through its other words land on a woken sleeper.
fn leave_queues(id: usize) {
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

fn wake_sleepers(word: *const AtomicU32, count: usize) -> usize {
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

// ---- Threads ---------------------------------------------------------------------------------------

static FORGET: OnceLock<extern "C" fn()> = OnceLock::new();

/// A death makes the thread forget, as a fork does, so that its guards are inert as it unwinds.
pub(crate) fn install_hooks(in_child: extern "C" fn(), _: extern "C" fn(*mut c_void)) -> bool {
    FORGET.get_or_init(|| in_child);
    true
}

/// Models end their threads with all guards dropped.
pub(crate) fn exit_hook_wanted() {}

#[expect(clippy::unnecessary_wraps, reason = "the real kernel may have none")]
pub(crate) fn robust_head() -> Option<RobustHead> {
    Some(ME.with(Me::head))
}

pub(crate) fn register_head(_: usize) -> RobustHead {
    unreachable!("every thread of a model has a list")
}

pub(crate) fn current_tid() -> u32 {
    ME.with(|me| me.tid)
}

/// Every execution is another process: what the last one left behind is free to take.
pub(crate) fn process_id() -> u32 {
    world(|world| world.execution)
}

pub(crate) fn now() -> Timespec {
    Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    }
}

pub(crate) fn spawn_detached(_: extern "C" fn(*mut c_void) -> *mut c_void, _: *mut c_void) -> bool {
    unreachable!("models leak no guards")
}

pub(crate) fn wait_for_flag(_: &core::sync::atomic::AtomicU32) {
    unreachable!("models leak no guards")
}

pub(crate) fn raise_flag(_: &core::sync::atomic::AtomicU32) {
    unreachable!("models leak no guards")
}

pub(crate) fn sleep_for_ever() -> ! {
    unreachable!("models leak no guards")
}
