//! Model checking with deaths, for this crate and for those who use it: only under `--cfg loom`.
//!
//! Build with `RUSTFLAGS="--cfg loom"`, and every primitive runs on [loom]'s atomics and on a modelled
//! kernel. A thread of a model stands for a process with one thread. How such models are written, line by
//! line, and what they cannot see: [`guide::models`](crate::guide::models).
//!
//! ```ignore
//! use std::sync::Arc;
//!
//! use procsync::Lock;
//! use procsync::model::{Exploration, spawn_mortal};
//!
//! Exploration::DEATHS.run(|| {
//!     let lock = Arc::new(Lock::new(0));
//!     let theirs = lock.clone();
//!     let victim = spawn_mortal(move || drop(theirs.acquire()));
//!     drop(lock.acquire());
//!     victim.join(); // None: it died
//! });
//! ```
//!
//! | for | take |
//! |---|---|
//! | numbers that threads change | [`AtomicU32`], [`AtomicU64`]: std's API, with a place to die before each access |
//! | plain data | [`loom::cell::Cell`], [`loom::cell::UnsafeCell`], whose accesses loom checks, with [`step`] between them |
//! | sharing among threads | [`std::sync::Arc`]: loom's own is one more thing to explore, and not made for threads that die |
//! | a thread that may die | [`spawn_mortal`], once a scenario |
//! | other threads | [`loom::thread::spawn`]: with the scenario's own and the mortal one, 5 at most |
//! | a structure with `shareable!` | the same: in models it is a plain struct |

mod exploration;

use crate::FutexWord;
use crate::kernel::model as kernel;

/// The loom that this crate runs on, for what it has besides: threads, cells, fences. Users need no
/// dependency of their own, whose version might differ.
pub use loom;

pub use crate::kernel::model::atomic::{AtomicU32, AtomicU64};
pub use exploration::{Exploration, Explored};

/// As outside of models, without `Shareable`: there the structure is one of loom's atomics, which no other
/// process could read.
#[macro_export]
macro_rules! shareable {
    ($( $(#[$attribute:meta])* $vis:vis struct $name:ident { $($fields:tt)* } )*) => { $(
        $(#[$attribute])*
        $vis struct $name { $($fields)* }
    )* };
}

/// Does `f` as a signal handler does it that has interrupted another operation of the thread.
#[doc(hidden)]
pub fn in_a_handler<T>(f: impl FnOnce() -> T) -> T {
    let interrupted = Box::leak(Box::new(crate::sync::AtomicU32::new(0)));
    let _armed = crate::robust::arm(interrupted);
    f()
}

/// The locks of this execution lie in private memory, and die with their process: who waits under them
/// minds no deaths. To be called before the first of them is acquired.
#[doc(hidden)]
pub fn be_private() {
    kernel::be_private();
}

/// A place to die between two plain accesses of the mortal thread's own. Every operation of this crate,
/// and every access to an atomic of this module, has its own. On other threads it does nothing.
///
/// # Panics
///
/// Outside of an exploration.
#[track_caller]
pub fn step() {
    kernel::must_be_exploring();
    kernel::step();
}

/// How many threads are asleep in the modelled kernel now.
///
/// A scenario that wants others to be asleep first yields ([`loom::thread::yield_now`]), and then looks
/// here. In some executions they are not, and it has to do without.
///
/// # Panics
///
/// Outside of an exploration.
#[track_caller]
pub fn asleep() -> usize {
    kernel::must_be_exploring();
    kernel::asleep()
}

/// How much time has passed in this execution: none, as long as no deadline did. A wait whose wake-up
/// was lost ends by its deadline all the same; this tells.
///
/// # Panics
///
/// Outside of an exploration.
#[track_caller]
pub fn elapsed() -> std::time::Duration {
    kernel::must_be_exploring();
    kernel::elapsed()
}

/// A thread that may die. A scenario has one at most.
#[derive(Debug)]
#[must_use = "whether it died is for the scenario to learn, by `join`"]
pub struct Mortal<T>(loom::thread::JoinHandle<Option<T>>);

/// Starts the thread that dies before its `k`th step, for every `k`, if the exploration has deaths.
///
/// It does not vanish, as a killed process does, but unwinds: its locals are dropped. Guards and permits among
/// them do nothing, and its accesses to atomics of this module have no effect. Destructors of your own should
/// do nothing to what others share by other means.
///
/// # Panics
///
/// If it is called twice in a scenario, or outside of an exploration.
#[track_caller]
pub fn spawn_mortal<T: 'static>(f: impl FnOnce() -> T + 'static) -> Mortal<T> {
    kernel::must_be_exploring();
    assert!(
        kernel::claim_mortal(),
        "a scenario has one mortal thread: the others are to be started with `loom::thread::spawn`"
    );
    Mortal(loom::thread::spawn(move || kernel::run_mortal(f)))
}

impl<T> Mortal<T> {
    /// Waits for its end; `None`: it died.
    ///
    /// # Panics
    ///
    /// As it panicked, if it did.
    pub fn join(self) -> Option<T> {
        match self.0.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// `futex_waitv(2)` as it is: sleeps if each word holds what is expected; the index of the word that it was
/// woken through, `None` if one held something else.
#[doc(hidden)]
pub fn futex_waitv<const N: usize>(words: [(&FutexWord, u32); N]) -> Option<usize> {
    let words = words.map(|(word, expected)| word.watch(expected));
    let (index, end) = kernel::wait_any::<N>(words, words.first().copied(), None);
    (end != crate::kernel::Waited::Changed).then_some(index)
}
