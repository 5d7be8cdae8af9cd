//! A meeting point for a fixed number of parties.
//!
//! # The word
//!
//! 64 bits; parties sleep on the low half, which arrivals do not touch.
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0–30 | generation | how many ended |
//! | 31 | `BROKEN` | nobody may arrive until somebody resets |
//! | 32–53 | arrived | parties of this generation, so far |
//! | 54–63 | history | how the last ten generations ended; 1: released; the latest is bit 54 |
//!
//! Who may change what, each by one compare-and-swap:
//!
//! - *arrive*: arrived + 1. The last to arrive makes it the next generation instead, with nobody
//!   arrived, and notes in the history that it was released; or, if it has an action to run,
//!   arrives first, and does that afterwards. Meanwhile nobody else can arrive.
//! - *break* (timeout, abort, death, a panicking action): the next generation, `BROKEN`; the history says
//!   that it was not released. If nobody had arrived, only `BROKEN`.
//! - *reset*: breaks it, clears the mark of the `watch`, and takes `BROKEN` back; or ends what has begun
//!   since, without `BROKEN`.
//!
//! Whoever ends a generation then wakes all who sleep. A waiter learns from the history how its own
//! ended, whatever has happened since. If more than ten ended before it came to look, the last of which
//! are no witness, it takes its own for broken.
//!
//! # Deaths
//!
//! The [`obituary`](crate::wait) is armed for the whole of every operation. Whoever wakes through it,
//! breaks the generation if it is still its own, and in any case wakes everybody: the dead may have
//! ended a generation, and not have come to wake those who slept.
//!
//! A party that dies where nobody else sleeps wakes nobody. For those who come later, one of the parties
//! holds the `watch`, a lock: if it dies, the kernel marks it, and whoever comes finds the mark and
//! breaks the barrier. The mark stays until a *reset*. (It goes unnoticed if the one that waits alone
//! came before the holder of the watch had left the meeting before. Then it counts as arrived, as it
//! had.)

use core::fmt;
use std::time::{Duration, Instant};

use crate::deadline::{Patience, Timeout};
use crate::error::BarrierError;
use crate::on_drop::OnDrop;
use crate::raw_lock::RawLock;
use crate::sync::{AtomicU64, Note, Ordering, const_fn, kernel};
use crate::wait::{Obituary, Woken};

const BROKEN: u64 = 1 << 31;
const GENERATIONS: u64 = BROKEN - 1;
const ARRIVED_SHIFT: u32 = 32;
const ARRIVED_MAX: u64 = (1 << 22) - 1;
const HISTORY_SHIFT: u32 = 54;
const HISTORY_LENGTH: u32 = 10;

/// A copy of the word.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State(u64);

#[derive(Clone, Copy)]
enum Outcome {
    Released,
    NotReleased,
}

impl State {
    fn generation(self) -> u32 {
        u32::try_from(self.0 & GENERATIONS).unwrap_or_default()
    }

    /// What parties sleep on.
    #[expect(clippy::cast_possible_truncation, reason = "the low half")]
    fn low_half(self) -> u32 {
        self.0 as u32
    }

    fn is_broken(self) -> bool {
        self.0 & BROKEN != 0
    }

    fn arrived(self) -> u32 {
        u32::try_from(self.0 >> ARRIVED_SHIFT & ARRIVED_MAX).unwrap_or_default()
    }

    fn history(self) -> u64 {
        self.0 >> HISTORY_SHIFT
    }

    fn with_one_more(self) -> Self {
        Self(self.0 + (1 << ARRIVED_SHIFT))
    }

    /// The next generation, with nobody arrived, and not broken.
    fn after(self, outcome: Outcome) -> Self {
        let released = u64::from(matches!(outcome, Outcome::Released));
        let generation = (self.0 + 1) & GENERATIONS;
        Self((self.history() << 1 | released) << HISTORY_SHIFT | generation)
    }

    /// The same where nobody had arrived, so that there is no generation to end.
    fn after_if_any(self, outcome: Outcome) -> Self {
        if self.arrived() == 0 {
            Self(self.0 & !BROKEN)
        } else {
            self.after(outcome)
        }
    }

    fn broken(self) -> Self {
        Self(self.after_if_any(Outcome::NotReleased).0 | BROKEN)
    }

    /// How a generation ended that is over.
    fn outcome_of(self, generation: u32) -> Outcome {
        let mask = u32::try_from(GENERATIONS).unwrap_or_default();
        let since = self.generation().wrapping_sub(generation) & mask;
        let known = (1..=HISTORY_LENGTH).contains(&since);
        if known && self.history() >> (since - 1) & 1 != 0 {
            Outcome::Released
        } else {
            Outcome::NotReleased
        }
    }
}

/// A meeting point: threads of any number of processes wait there until so many have come, and go on
/// together; as Python's `threading.Barrier`.
///
/// ```
/// use procsync::Barrier;
///
/// let barrier = Barrier::new(3);
/// std::thread::scope(|threads| {
///     for _ in 0..3 {
///         threads.spawn(|| {
///             // … the first phase …
///             let meeting = barrier.wait().unwrap();
///             // … the second phase: everybody has done the first.
///             assert!(meeting.index() < 3);
///         });
///     }
/// });
/// ```
///
/// It can be used again at once: those who come are of the next meeting.
///
/// # Broken
///
/// A party that gives up, because its timeout has passed, because it [`abort`](Self::abort)s, because
/// its action panics, or because it dies, *breaks* the barrier: all who wait get
/// [`BarrierError::Broken`] at once, and so does everybody who comes, until somebody calls
/// [`reset`](Self::reset). What was released stays released: a party that has not yet returned from
/// [`wait`](Self::wait) still gets `Ok`. (It may be unable to tell, and take it for broken, if it does not
/// run while ten more meetings end.)
///
/// # Memory ordering
///
/// What any party did before it arrived is visible to all who are released with it, and what the action
/// did, too.
///
/// # Death
///
/// A party that dies while it waits breaks the barrier, at once, for all who wait, and if it was alone,
/// for those who come. A party that dies after it has arrived, before any other of them is asleep,
/// may count as arrived. There are never fewer arrivals than parties. The death of one that resets or
/// aborts may count as that of a party.
///
/// Where `futex_waitv(2)` is missing (before Linux 5.16, or in a sandbox), those who sleep do not notice
/// deaths; use timeouts.
///
/// # Representation
///
/// `#[repr(C)]`: 56 bytes, aligned to 8. All-zero memory is a barrier for no parties, where every wait
/// is [`BarrierError::Broken`].
#[repr(C)]
pub struct Barrier {
    state: AtomicU64,
    /// Never changes.
    parties: Note,
    obituary: Obituary,
    watch: RawLock,
}

/// How a party came to a meeting that took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BarrierWait {
    index: u32,
    is_leader: bool,
}

impl BarrierWait {
    /// How many had arrived before: 0 for the first, [`parties`](Barrier::parties) − 1 for the last.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Whether this was the last to arrive.
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}

/// No action.
const NO_ACTION: Option<fn()> = None;

impl Barrier {
    const_fn! {
        /// A barrier for so many parties. (A `const fn`, except under loom.)
        ///
        /// # Panics
        ///
        /// At 0.
        pub fn new(parties: u32) -> Self {
            assert!(parties > 0, "a barrier for nobody");
            Self {
                state: AtomicU64::new(0),
                parties: Note::new(parties),
                obituary: Obituary::new(),
                watch: RawLock::new(),
            }
        }
    }

    /// Arrives, and waits for all others, as long as it takes.
    ///
    /// # Errors
    ///
    /// [`Broken`](BarrierError::Broken).
    pub fn wait(&self) -> Result<BarrierWait, BarrierError> {
        self.meet(Timeout::Forever, NO_ACTION)
    }

    /// Arrives, and waits for all others, for `timeout` at most, by the monotonic clock. Zero succeeds
    /// for the last to arrive only; what the clock cannot express is for ever.
    ///
    /// # Errors
    ///
    /// [`Broken`](BarrierError::Broken), and [`TimedOut`](BarrierError::TimedOut), which has broken it.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<BarrierWait, BarrierError> {
        self.meet(Timeout::For(timeout), NO_ACTION)
    }

    /// Arrives, and waits for all others, until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout).
    pub fn wait_until(&self, deadline: Instant) -> Result<BarrierWait, BarrierError> {
        self.meet(Timeout::Until(deadline), NO_ACTION)
    }

    /// [`wait`](Self::wait); the last to arrive runs its own action once all have arrived, before any of
    /// them goes on.
    ///
    /// If the barrier breaks while the action runs, because another party does not wait that long, the
    /// action was run, and all get [`Broken`](BarrierError::Broken).
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// As `action` does; that breaks the barrier.
    pub fn wait_with_action(&self, action: impl FnOnce()) -> Result<BarrierWait, BarrierError> {
        self.meet(Timeout::Forever, Some(action))
    }

    /// [`wait_with_action`](Self::wait_with_action), waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout).
    ///
    /// # Panics
    ///
    /// As [`wait_with_action`](Self::wait_with_action).
    pub fn wait_with_action_until(
        &self,
        deadline: Instant,
        action: impl FnOnce(),
    ) -> Result<BarrierWait, BarrierError> {
        self.meet(Timeout::Until(deadline), Some(action))
    }

    fn meet(
        &self,
        timeout: Timeout,
        action: Option<impl FnOnce()>,
    ) -> Result<BarrierWait, BarrierError> {
        let _watching = self.take_watch();
        let _armed = self.obituary.arm();
        let patience = timeout.start();
        let parties = self.parties();
        let arrival = self.arrive(patience, action.is_some())?;
        let index = arrival.arrived();
        let is_leader = index + 1 == parties;
        match action {
            Some(action) if is_leader => self.run(action, arrival.with_one_more())?,
            None if is_leader => {
                if index > 0 {
                    self.wake_everybody();
                }
            }
            _ => self.wait_for_the_end(arrival.generation(), patience)?,
        }
        Ok(BarrierWait { index, is_leader })
    }

    /// Counts in; what the state was before.
    fn arrive(&self, patience: Patience, has_action: bool) -> Result<State, BarrierError> {
        let parties = self.parties();
        loop {
            let state = self.load();
            if state.is_broken() || parties == 0 {
                return Err(BarrierError::Broken);
            }
            if self.watch.is_poisoned() {
                self.break_up(state.generation());
            } else if state.arrived() >= parties {
                // The action of the last generation runs.
                self.sleep_until_it_ends(state, patience)?;
            } else {
                let is_last = state.arrived() + 1 == parties;
                let next = if is_last && !has_action {
                    state.after(Outcome::Released)
                } else {
                    state.with_one_more()
                };
                if self.replace(state, next) {
                    return Ok(state);
                }
            }
        }
    }

    /// The last to arrive, in a generation that nobody else can join.
    fn run(&self, action: impl FnOnce(), full: State) -> Result<(), BarrierError> {
        let breaker = OnDrop::new(|| {
            self.break_up(full.generation());
        });
        action();
        breaker.forget();
        if self.replace(full, full.after(Outcome::Released)) {
            self.wake_everybody();
            Ok(())
        } else {
            Err(BarrierError::Broken)
        }
    }

    fn wait_for_the_end(&self, generation: u32, patience: Patience) -> Result<(), BarrierError> {
        loop {
            let state = self.load();
            if state.generation() != generation {
                return match state.outcome_of(generation) {
                    Outcome::Released => Ok(()),
                    Outcome::NotReleased => Err(BarrierError::Broken),
                };
            }
            let gave_up = self.sleep_until_it_ends(state, patience).is_err();
            if gave_up && self.break_up(generation) {
                return Err(BarrierError::TimedOut);
            }
        }
    }

    /// Sleeps while it is this generation; may return before. A death breaks the generation.
    fn sleep_until_it_ends(&self, state: State, patience: Patience) -> Result<(), BarrierError> {
        if let Patience::Spent = patience {
            return Err(BarrierError::TimedOut);
        }
        let watched = self.watch.watched();
        let somebody_died = self.watch.is_poisoned() || {
            let word = kernel::low_half(&self.state);
            let low_half = state.low_half();
            match self
                .obituary
                .sleep_beside(watched, word, low_half, patience.deadline())
            {
                Woken::ByTime => return Err(BarrierError::TimedOut),
                woken => woken == Woken::ByDeath,
            }
        };
        if somebody_died {
            self.break_up(state.generation());
            self.wake_everybody();
        }
        Ok(())
    }

    /// Breaks this generation; `false`: it was over.
    fn break_up(&self, generation: u32) -> bool {
        loop {
            let state = self.load();
            if state.generation() != generation || state.is_broken() {
                return false;
            }
            if self.replace(state, state.broken()) {
                self.wake_everybody();
                return true;
            }
        }
    }

    /// Ends the meeting that is under way, if any: those who wait get
    /// [`Broken`](BarrierError::Broken). The barrier is as new then, broken or not before.
    pub fn reset(&self) {
        let _armed = self.obituary.arm();
        // First nobody is arrived, and nobody can arrive: else, if this thread died, one that died alone
        // would count, with its mark gone.
        self.abort();
        self.watch.clear_poison();
        loop {
            let state = self.load();
            if self.replace(state, state.after_if_any(Outcome::NotReleased)) {
                break;
            }
        }
        self.wake_everybody();
    }

    /// Breaks the barrier, for all who wait and all who come, until somebody resets it.
    pub fn abort(&self) {
        let _armed = self.obituary.arm();
        loop {
            let state = self.load();
            if state.is_broken() || self.break_up(state.generation()) {
                return;
            }
        }
    }

    /// How many parties meet here.
    pub fn parties(&self) -> u32 {
        self.parties.load(Ordering::Relaxed)
    }

    /// How many parties wait now; 0 once they are released, or the barrier is broken. It may have
    /// changed by the time you look.
    pub fn waiting(&self) -> u32 {
        if self.is_broken() {
            return 0;
        }
        self.load().arrived().min(self.parties())
    }

    /// Whether it is broken, so that every wait fails until somebody resets it.
    pub fn is_broken(&self) -> bool {
        self.load().is_broken() || self.watch.is_poisoned() || self.parties() == 0
    }

    fn load(&self) -> State {
        // ORDERING: Acquire pairs with the Release of each arrival, and of the end of a generation.
        State(self.state.load(Ordering::Acquire))
    }

    fn replace(&self, state: State, next: State) -> bool {
        // ORDERING: Release: what an arriver did before is visible to whoever sees the end of the
        // generation. Acquire: the last to arrive sees what all others did.
        self.state
            .compare_exchange(state.0, next.0, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    fn wake_everybody(&self) {
        kernel::wake(kernel::address(kernel::low_half(&self.state)), usize::MAX);
    }

    /// One of the parties holds it, if it was free when that one came, and there is room for a lock.
    ///
    /// The mark of a death stays for all to see: to take it over is to hide it for an instant.
    fn take_watch(&self) -> Option<OnDrop<impl FnOnce()>> {
        let is_free = self.watch.owner().is_none() && !self.watch.is_poisoned();
        let taken = is_free && self.watch.acquire(Timeout::Zero).is_ok();
        taken.then(|| OnDrop::new(|| self.watch.release()))
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("parties", &self.parties())
            .field("waiting", &self.waiting())
            .field("is_broken", &self.is_broken())
            .finish_non_exhaustive()
    }
}
