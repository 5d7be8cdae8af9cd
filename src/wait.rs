//! What the unowned primitives have in common: sleeping so that no death goes unnoticed.
//!
//! # The obituary
//!
//! Beside its state, a primitive has a second word, which is always 0. Whoever is about to change the
//! state and then wake somebody, or to sleep, or was just woken, has *armed* it: the obituary is in
//! the thread's pending slot, and if the thread dies, the kernel wakes one sleeper of it
//! ([`robust::arm`]). Sleepers sleep on `[state == what I saw, obituary]` at once (`futex_waitv(2)`).
//! One that is woken through the obituary learns [`Woken::ByDeath`]: somebody died who may have owed a
//! wake-up, and now the debt is its own. It looks at the state again and passes on what it finds; it
//! is armed itself, so the debt survives its death, too.
//!
//! The state must be in the wait: a death's wake-up that comes before one is asleep is lost, and only
//! the changed state keeps one from falling asleep then.
//!
//! A sleeper that was woken through one word is still in the queue of the other until it runs, and
//! may swallow a wake-up there. So whoever wakes up looks at the state, whatever woke it.
//!
//! Where `futex_waitv(2)` is missing (before Linux 5.16, or kept away by a sandbox), a sleeper sleeps on
//! the state alone, and looks again ten times a second.

use core::ptr;

use crate::deadline::Deadline;
use crate::kernel::{Futex, NO_WORD, Waited};
use crate::robust::{self, DeadMansArm};
use crate::sync::{AtomicU32, Ordering, const_fn, kernel};

/// The second word of a primitive; see above.
#[repr(transparent)]
pub(crate) struct Obituary(AtomicU32);

/// How a sleep ended. Whatever it says, the state may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Through the state, or for no reason.
    ByState,
    /// For no reason: to look at what it does not sleep on.
    ToLook,
    /// Nobody slept: the state had changed.
    NotAsleep,
    /// Somebody died.
    ByDeath,
    /// The deadline passed.
    ByTime,
}

impl Obituary {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self(AtomicU32::new(0))
        }
    }

    /// From now on, should this thread die, one sleeper wakes up, by death.
    pub(crate) fn arm(&self) -> DeadMansArm {
        robust::arm(ptr::from_ref(&self.0))
    }

    /// Sleeps while `state` holds `expected`. The caller has armed this.
    pub(crate) fn sleep(
        &self,
        state: Futex<'_>,
        expected: u32,
        deadline: Option<Deadline>,
    ) -> Woken {
        judge(kernel::wait_any(
            [(state, expected), self.undisturbed()],
            deadline,
        ))
    }

    /// Sleeps while `state` holds `expected`, and `lock` what was seen in it: the word of a lock whose
    /// holder's death counts, too.
    pub(crate) fn sleep_beside(
        &self,
        lock: (&AtomicU32, u32),
        state: Futex<'_>,
        expected: u32,
        deadline: Option<Deadline>,
    ) -> Woken {
        let lock = (kernel::whole(lock.0), lock.1);
        judge(kernel::wait_any(
            [(state, expected), self.undisturbed(), lock],
            deadline,
        ))
    }

    /// Memory that was scribbled over may hold another number than 0. Then deaths go unnoticed, but
    /// nobody spins.
    fn undisturbed(&self) -> (Futex<'_>, u32) {
        (kernel::whole(&self.0), self.0.load(Ordering::Relaxed))
    }
}

fn judge((through, end): (usize, Waited)) -> Woken {
    match (end, through) {
        (Waited::TimedOut, _) => Woken::ByTime,
        (Waited::Changed, _) => Woken::NotAsleep,
        (Waited::Woken, 0) => Woken::ByState,
        (Waited::Woken, NO_WORD) => Woken::ToLook,
        (Waited::Woken, _) => Woken::ByDeath,
    }
}
