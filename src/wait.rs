//! What conditions, barriers and timers have in common: sleeping so that no death goes unnoticed. (Events need
//! none of this, and the word of a [semaphore](crate::permits) is its own obituary.)
//!
//! # The obituary
//!
//! Beside its state, a primitive has a second word, which is always 0. Whoever is about to change the
//! state and then wake somebody, or to sleep, or was just woken, has *armed* it: the obituary is in
//! the thread's pending slot, and if the thread dies, the kernel wakes one sleeper of it
//! ([`robust::arm`]). Sleepers sleep on `[state == what I saw, …, obituary]` at once
//! (`futex_waitv(2)`). One that is woken through the obituary learns [`Woken::ByDeath`]: somebody died
//! who may have owed a wake-up, and now the debt is its own. It looks at the state again and passes on
//! what it finds; it is armed itself, so the debt survives its death, too.
//!
//! Three things that matter:
//!
//! - The state must be in the wait: a death's wake-up that comes before one is asleep is lost, and only
//!   the changed state keeps one from falling asleep then.
//! - The kernel compares a word and enters its queue, and then goes on to the next. Somebody may change
//!   the state and die just between the two. So the state is compared once more at the end, and so is any
//!   other word in which a death may leave a mark ([`kernel::wait_any`]).
//! - A sleeper that was woken through one word is still in the queues of the others until it runs, and
//!   may swallow a wake-up there. The kernel tells the last that it was woken through: that is why the
//!   obituary comes last. And a sleeper looks at the state whatever it is told. One that is woken through
//!   the word of a lock beside the state ([`Woken::ByLock`]) may have swallowed the wake-up of another who
//!   sleeps beside it, and wakes them all.
//!
//! Where `futex_waitv(2)` is missing (before Linux 5.16, or kept away by a sandbox), a sleeper sleeps on
//! the state alone, and looks again ten times a second.
//!
//! Here is also what all words need, those of locks and events, too: to say in a word that somebody sleeps,
//! and to sleep on what it holds then.

use core::ptr;
use core::time::Duration;

use crate::deadline::Deadline;
use crate::kernel::{Expected, Futex, Waited};
use crate::robust::{self, Armed};
use crate::sync::{AtomicU32, Ordering, const_fn, kernel};

/// The second word of a primitive; see above.
#[repr(transparent)]
pub(crate) struct Obituary(AtomicU32);

/// How often a sleeper looks around for what no wake-up tells it.
pub(crate) const ROUND: Duration = Duration::from_secs(1);

/// A word, and what was seen in it.
pub(crate) type Seen<'word> = (&'word AtomicU32, u32);

/// How a sleep ended. Whatever it says, the state may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Through the state, or for no reason.
    ByState,
    /// Through the word of a lock beside it.
    ByLock,
    /// Nobody slept: the state had changed.
    NotAsleep,
    /// Somebody died.
    ByDeath,
    /// The deadline passed.
    ByTime,
    /// By itself, to look around for what it cannot be woken by.
    ToLook,
}

impl Obituary {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self(AtomicU32::new(0))
        }
    }

    /// From now on, should this thread die, one sleeper wakes up, by death.
    pub(crate) fn arm(&self) -> Option<Armed> {
        robust::arm(ptr::from_ref(&self.0))
    }

    /// Sleeps while `state` holds `expected`. The caller has armed this.
    pub(crate) fn sleep(
        &self,
        state: Futex<'_>,
        expected: u32,
        deadline: Option<Deadline>,
    ) -> Woken {
        let words = [(state, expected), self.undisturbed()];
        judge::<2>(kernel::wait_any::<3>(words, [words[0]], deadline))
    }

    /// Sleeps while `state` holds `expected`, and `lock` what was seen in it: the word of a lock whose
    /// holder's release, or death, wakes one of those who sleep beside it. That one is to wake the others.
    ///
    /// `unmoved`: a word, and what is in it when all the queues are entered, or nobody sleeps.
    pub(crate) fn sleep_beside(
        &self,
        lock: Seen<'_>,
        unmoved: Option<Seen<'_>>,
        state: Futex<'_>,
        expected: u32,
        deadline: Option<Deadline>,
    ) -> Woken {
        let whole = |(word, seen)| (kernel::whole(word), seen);
        let words = [(state, expected), whole(lock), self.undisturbed()];
        let unmoved = [Some(words[0]), unmoved.map(whole)].into_iter().flatten();
        judge::<3>(kernel::wait_any::<5>(words, unmoved, deadline))
    }

    /// Passes a death on to one more sleeper.
    pub(crate) fn wake_one(&self) {
        kernel::wake(&raw const self.0, 1);
    }

    /// Memory that was scribbled over may hold another number than 0. Then deaths go unnoticed, but
    /// nobody spins.
    pub(crate) fn undisturbed(&self) -> Expected<'_> {
        (kernel::whole(&self.0), self.0.load(Ordering::Relaxed))
    }
}

/// Sets `bits` in a word that held `seen`, for those who are to know that somebody sleeps; what it holds
/// then, to sleep on. `Err`: it holds something else, and what.
///
/// The bits speak of no other memory, and the kernel compares the word itself, with barriers of its own.
pub(crate) fn announce(word: &AtomicU32, seen: u32, bits: u32) -> Result<u32, u32> {
    let announced = seen | bits;
    if seen != announced {
        exchange(word, seen, announced)?;
    }
    Ok(announced)
}

/// What to sleep on while a word holds `seen`, after setting `bits` in it. `None`: it holds something else.
pub(crate) fn watch(word: &AtomicU32, seen: u32, bits: u32) -> Option<Expected<'_>> {
    let announced = announce(word, seen, bits).ok()?;
    Some((kernel::whole(word), announced))
}

/// Sleeps on a word alone while it holds `seen`, after setting `bits` in it.
pub(crate) fn sleep_on(
    word: &AtomicU32,
    seen: u32,
    bits: u32,
    deadline: Option<Deadline>,
) -> Waited {
    watch(word, seen, bits).map_or(Waited::Changed, |(word, announced)| {
        kernel::wait(word, announced, deadline)
    })
}

/// A compare-and-swap of a word that orders nothing. `Err`: what it holds.
pub(crate) fn exchange(word: &AtomicU32, from: u32, to: u32) -> Result<u32, u32> {
    word.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
}

fn judge<const N: usize>((through, end): (usize, Waited)) -> Woken {
    let by_obituary = through == N - 1;
    let by_state = through == 0;
    match end {
        Waited::TimedOut => Woken::ByTime,
        Waited::Changed => Woken::NotAsleep,
        Waited::Recheck => Woken::ToLook,
        Waited::Woken if by_obituary => Woken::ByDeath,
        Waited::Woken if by_state => Woken::ByState,
        Waited::Woken => Woken::ByLock,
    }
}
