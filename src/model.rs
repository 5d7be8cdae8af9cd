//! Model checking with deaths: only under `--cfg loom`.
//!
//! Build with `RUSTFLAGS="--cfg loom"`, and every primitive runs on loom's atomics and on a modelled
//! kernel. A thread of a model stands for a process with one thread.
//!
//! ```ignore
//! procsync::model::Exploration::default().run(|| {
//!     let lock = Arc::new(Lock::new(0));
//!     let theirs = lock.clone();
//!     let victim = procsync::model::spawn_mortal(move || drop(theirs.acquire()));
//!     drop(lock.acquire());
//!     victim.join(); // None: it died
//! });
//! ```
//!
//! Threads share the primitives by `std::sync::Arc`: loom's own would be one more thing to explore,
//! and is not made for threads that die.

use crate::kernel::model::{self as kernel, Plan};

/// What to explore: all interleavings, with a death before each step of the mortal thread, and with
/// each wait ending early.
#[derive(Clone, Copy, Debug)]
pub struct Exploration {
    /// How often a thread may be interrupted where it could go on, in one execution. `None`: any
    /// number. Two or three find nearly everything, in a fraction of the time.
    pub preemptions: Option<usize>,
    /// Whether the mortal thread dies.
    pub deaths: bool,
    /// Whether waits end early: by their deadline if they have one, or else for no reason.
    pub naps: bool,
}

impl Default for Exploration {
    fn default() -> Self {
        Self {
            preemptions: Some(3),
            deaths: true,
            naps: true,
        }
    }
}

/// How much an exploration explored.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Explored {
    /// Steps before which the mortal thread died.
    pub deaths: usize,
    /// Waits that ended early.
    pub naps: usize,
    /// Executions in all.
    pub executions: usize,
}

impl Exploration {
    /// The same with another bound on preemptions.
    #[must_use]
    pub const fn within(self, preemptions: usize) -> Self {
        Self {
            preemptions: Some(preemptions),
            ..self
        }
    }

    /// Runs `scenario` in every way. Panics as it panics, and if all its threads wait for ever.
    pub fn run(self, scenario: impl Fn() + Send + Sync + 'static) -> Explored {
        let scenario = std::sync::Arc::new(scenario);
        let mut explored = Explored::default();
        for nap in choices(self.naps) {
            for death in choices(self.deaths) {
                let plan = Plan { death, nap };
                let happened = self.run_plan(plan, scenario.clone(), &mut explored);
                if death.is_some() && !happened.death {
                    break;
                }
                if death.is_none() && nap.is_some() && !happened.nap {
                    return explored;
                }
                explored.deaths += usize::from(death.is_some());
                explored.naps += usize::from(nap.is_some() && death.is_none());
            }
        }
        explored
    }

    fn run_plan(
        self,
        plan: Plan,
        scenario: std::sync::Arc<impl Fn() + Send + Sync + 'static>,
        explored: &mut Explored,
    ) -> kernel::Happened {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = self.preemptions;
        builder.max_branches = 10_000;
        kernel::begin(plan);
        builder.check(move || {
            kernel::begin_execution();
            scenario();
        });
        let happened = kernel::happened();
        explored.executions += happened.executions;
        happened
    }
}

/// Not at all, and, if wanted, at 0, 1, 2, …
fn choices(wanted: bool) -> impl Iterator<Item = Option<usize>> {
    core::iter::once(None).chain((0..).map(Some).take_while(move |_| wanted))
}

/// Does `f` as a signal handler does it that has interrupted another operation of the thread.
pub fn in_a_handler<T>(f: impl FnOnce() -> T) -> T {
    let interrupted = Box::leak(Box::new(crate::sync::AtomicU32::new(0)));
    let _armed = crate::robust::arm(interrupted);
    f()
}

/// The locks of this execution lie in private memory, and die with their process: who waits under them
/// minds no deaths. To be called before the first of them is acquired.
pub fn be_private() {
    kernel::be_private();
}

/// A place to die between two plain accesses of the mortal thread's own. Every operation of this
/// crate has its own.
pub fn step() {
    kernel::step();
}

/// How many threads are asleep in the modelled kernel now.
///
/// A scenario that wants others to be asleep first yields, and then looks here.
pub fn asleep() -> usize {
    kernel::asleep()
}

/// How much time has passed in this execution: none, as long as no deadline did. A wait whose wake-up
/// was lost ends by its deadline all the same; this tells.
pub fn elapsed() -> std::time::Duration {
    kernel::elapsed()
}

/// A thread that may die. A scenario has one at most.
#[derive(Debug)]
pub struct Mortal<T>(loom::thread::JoinHandle<Option<T>>);

/// Starts the thread that dies before its `k`th step, for every `k`.
///
/// Its locals are dropped, as a panic drops them, but the guards among them do nothing.
pub fn spawn_mortal<T: 'static>(f: impl FnOnce() -> T + 'static) -> Mortal<T> {
    Mortal(loom::thread::spawn(move || kernel::run_mortal(f)))
}

impl<T> Mortal<T> {
    /// Waits for its end; `None`: it died.
    pub fn join(self) -> Option<T> {
        match self.0.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// A bare futex word on the modelled kernel, to check the model itself by what the real one does.
#[derive(Debug)]
pub struct Word(crate::sync::AtomicU32);

impl Word {
    /// A word that holds `value`.
    pub fn new(value: u32) -> Self {
        Self(crate::sync::AtomicU32::new(value))
    }

    /// The value.
    pub fn load(&self) -> u32 {
        self.0.load(crate::sync::Ordering::Acquire)
    }

    /// Replaces the value.
    pub fn store(&self, value: u32) {
        self.0.store(value, crate::sync::Ordering::Release);
    }

    /// `FUTEX_WAIT`: sleeps if the word holds `expected`. `false`: it did not.
    pub fn wait(&self, expected: u32) -> bool {
        kernel::wait(kernel::whole(&self.0), expected, None) != crate::kernel::Waited::Changed
    }

    /// `futex_waitv`: sleeps if each word holds what is expected; the index of the word that it was
    /// woken through, `None` if one held something else.
    pub fn wait_any<const N: usize>(words: [(&Self, u32); N]) -> Option<usize> {
        let words = words.map(|(word, expected)| (kernel::whole(&word.0), expected));
        let (index, end) = kernel::wait_any::<N>(words, words.first().copied(), None);
        (end != crate::kernel::Waited::Changed).then_some(index)
    }

    /// `FUTEX_WAKE`; how many were woken.
    pub fn wake(&self, count: usize) -> usize {
        kernel::wake(&raw const self.0, count)
    }

    /// `FUTEX_WAKE_OP` with `FUTEX_OP_OR`: no death comes between the change and the wake.
    pub fn set_and_wake_all(&self, bit: u16) {
        kernel::set_bit_and_wake_all(&self.0, bit);
    }

    /// How many sleep on the word.
    pub fn count_sleepers(&self) -> usize {
        kernel::count_sleepers(&self.0)
    }

    /// Calls `f` with the word in the thread's pending slot: should it die meanwhile, and the word's
    /// low 30 bits be 0, the kernel wakes one sleeper.
    ///
    /// # Panics
    ///
    /// If the thread cannot have a robust list; models always can.
    pub fn armed<R>(&self, f: impl FnOnce() -> R) -> R {
        crate::robust::with(|thread| {
            thread
                .prepare()
                .expect("a model's thread has a robust list");
            let _armed = thread.arm(thread.entry_of(&raw const self.0));
            f()
        })
    }
}
