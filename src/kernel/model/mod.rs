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

pub(crate) mod atomic;
mod death;
mod futex;
mod memory;

use core::ffi::c_void;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::OnceLock;

use rustix::time::Timespec;

use super::RobustHead;

pub(crate) use atomic::{AtomicU32, AtomicU64};
pub(crate) use death::{claim_mortal, run_mortal, step, victim};
pub(crate) use futex::{
    Futex, add_and_wake, address, asleep, count_sleepers, low_half, make_and_wake_all,
    nobody_sleeps, requeue, set_bit_and_wake_all, tids_asleep, wait, wait_any, wake, whole,
};
pub(crate) use memory::{
    is_shared, load_link, publish_link, store_entry, store_link, zeroed_memory,
};

/// glibc's. Links are kept in a table, so nothing need lie there.
const DISTANCE: usize = 32;

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
    /// Whether this is an exploration.
    exploring: bool,
    threads: u32,
    /// Whether one of them may die.
    has_mortal: bool,
    /// The one that did.
    victim: Option<u32>,
    waits: usize,
    /// Of all threads.
    steps: usize,
    /// The latest deadline that has passed.
    clock: Option<Timespec>,
    links: HashMap<usize, usize>,
    /// Entries that were in a pending slot: these have a word. Sentinels have none.
    entries: HashSet<usize>,
    /// Addresses of words of 64 bits.
    wide: HashSet<usize>,
    queues: HashMap<usize, VecDeque<usize>>,
    /// TIDs of the dead whose lists were walked.
    gone: HashSet<u32>,
    sleepers: Vec<Sleeper>,
    /// Locks lie in private memory.
    private: bool,
}

/// A wait.
struct Sleeper {
    thread: loom::thread::Thread,
    tid: u32,
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

/// Begins to explore a plan.
pub(crate) fn begin(plan: Plan) {
    world(|world| {
        assert!(!world.exploring, "an exploration within an exploration");
        world.plan = plan;
        world.happened = Happened::default();
        world.exploring = true;
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
            exploring: true,
            ..World::default()
        };
    });
}

/// Ends what [`begin`] began.
pub(crate) fn end() -> Happened {
    world(|world| {
        world.exploring = false;
        world.happened
    })
}

/// Outside there are no threads, and what was made there belongs to no execution.
#[track_caller]
pub(crate) fn must_be_exploring() {
    assert!(
        world(|world| world.exploring),
        "used outside of an exploration: under `--cfg loom`, procsync works only inside the closure that \
         `procsync::model::Exploration::run` is given, and everything is to be made in there"
    );
}

/// For the rest of the execution.
pub(crate) fn be_private() {
    world(|world| world.private = true);
}

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

pub(crate) fn register_head(_: usize) -> (RobustHead, bool) {
    unreachable!("every thread of a model has a list")
}

/// The dead do nothing more, and a test that fails takes its threads apart in no order. All threads of a
/// model are one to std: as one unwinds, none may come to loom, where another would go on.
pub(crate) fn is_over() -> bool {
    std::thread::panicking()
}

pub(crate) fn yield_now() {
    unreachable!("models do not look again")
}

pub(crate) fn current_tid() -> u32 {
    ME.with(|me| me.tid)
}

pub(crate) fn is_gone(tid: u32) -> bool {
    step();
    world(|world| world.gone.contains(&tid))
}

/// The dead are as if they had been forked: what they have left does nothing.
pub(crate) fn incarnation() -> u32 {
    if ME.with(|me| me.dead.get()) { 2 } else { 1 }
}

pub(crate) fn begin_incarnations() {}

pub(crate) fn begin_incarnation() {}

/// Every execution is another process: what the last one left behind is free to take.
pub(crate) fn process_id() -> u32 {
    world(|world| world.execution)
}

const START: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// Time passes when a deadline does.
pub(crate) fn now() -> Timespec {
    world(|world| world.clock).unwrap_or(START)
}

pub(crate) fn elapsed() -> std::time::Duration {
    (now() - START).try_into().unwrap_or_default()
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
