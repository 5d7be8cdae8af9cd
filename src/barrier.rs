//! A meeting point for a fixed number of parties.
//!
//! The word, and who may change what in it, is in [`barrier_state`](crate::barrier_state).
//!
//! # Deaths
//!
//! The [`obituary`](crate::wait) is armed for the whole of every operation. Whoever wakes through it,
//! breaks the generation if it is still its own, and wakes everybody: the dead may have ended a
//! generation, and not have come to wake those who slept. One whose generation is over passes the death
//! on to the next sleeper, whose own it may concern.
//!
//! A party that dies where nobody else sleeps wakes nobody. For those who come later, one of the parties
//! holds the `watch`, a lock: if it dies, the kernel marks it, and whoever comes finds the mark and
//! breaks the barrier. The mark stays until a *reset*. (It goes unnoticed if the one that waits alone
//! came before the holder of the watch had left the meeting before. Then it counts as arrived, as it
//! had.)
//!
//! An action may use other primitives, which arm themselves. So who runs one holds another lock
//! meanwhile, the `leader`'s, with its `WAITERS` set: everybody sleeps beside its word, and the kernel
//! wakes one of them.

use core::fmt;
use std::time::{Duration, Instant};

use crate::barrier_state::{ARRIVED_MAX, Outcome, State};
use crate::deadline::{Patience, Timeout};
use crate::error::BarrierError;
use crate::on_drop::OnDrop;
use crate::raw_lock::RawLock;
use crate::robust::{self, Armed};
use crate::sync::{AtomicU64, Note, Ordering, const_fn, kernel};
use crate::wait::{Obituary, Woken};

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
/// `#[repr(C)]`: 96 bytes, aligned to 8. All-zero memory is a barrier for no parties, where every wait
/// is [`BarrierError::Broken`].
#[repr(C)]
pub struct Barrier {
    state: AtomicU64,
    /// Never changes.
    parties: Note,
    obituary: Obituary,
    watch: RawLock,
    leader: RawLock,
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
                leader: RawLock::new(),
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
        let armed = self.obituary.arm();
        let patience = timeout.start();
        let mut lead = None;
        let arrival = loop {
            let state = self.enter(patience)?;
            let is_last = state.arrived() + 1 == self.parties();
            let next = match &action {
                Some(_) if is_last => {
                    lead = Some(self.take_the_lead(&armed));
                    state.with_one_more()
                }
                None if is_last => state.after(Outcome::Released),
                _ => state.with_one_more(),
            };
            if self.replace(state, next) {
                break state;
            }
            lead = None;
        };
        let index = arrival.arrived();
        let is_leader = index + 1 == self.parties();
        match action {
            Some(action) if is_leader => {
                self.run(action, &armed, lead, arrival.with_one_more())?;
            }
            None if is_leader => {
                if index > 0 {
                    self.wake_everybody();
                }
            }
            _ => self.wait_for_the_end(arrival.generation(), patience)?,
        }
        Ok(BarrierWait { index, is_leader })
    }

    /// Waits until one more may arrive; the state then.
    fn enter(&self, patience: Patience) -> Result<State, BarrierError> {
        loop {
            let state = self.load();
            if state.is_broken() || self.parties() == 0 || state.arrived() == ARRIVED_MAX {
                return Err(BarrierError::Broken);
            }
            if self.somebody_died() {
                self.break_up(state.generation());
            } else if state.arrived() < self.parties() {
                return Ok(state);
            } else {
                // The action of the last generation runs.
                self.sleep_until_it_ends(state, patience)?;
            }
        }
    }

    /// For the one that is about to be the last to arrive, with an action.
    fn take_the_lead(&self, armed: &Option<Armed>) -> Option<OnDrop<impl FnOnce()>> {
        let leads = self.leader.acquire(Timeout::Forever).is_ok();
        if leads {
            self.leader.awaited();
        }
        // The lock's acquisition has taken the slot.
        renew(armed);
        leads.then(|| OnDrop::new(|| self.leader.release()))
    }

    /// The last to arrive, in a generation that nobody else can join.
    fn run<Lead>(
        &self,
        action: impl FnOnce(),
        armed: &Option<Armed>,
        lead: Lead,
        full: State,
    ) -> Result<(), BarrierError> {
        let incarnation = robust::incarnation();
        let breaker = OnDrop::new(|| {
            renew(armed);
            self.break_up(full.generation());
        });
        action();
        breaker.forget();
        if robust::incarnation() != incarnation {
            // A child that the action has forked: the meeting is the parent's.
            return Err(BarrierError::Broken);
        }
        // The action may have used other primitives, which have left the slot empty.
        renew(armed);
        if !self.replace(full, full.after(Outcome::Released)) {
            return Err(BarrierError::Broken);
        }
        self.wake_everybody();
        // Not before: the slot is the lock's meanwhile.
        drop(lead);
        Ok(())
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
        let locks = [self.watch.watched(), self.leader.watched()];
        let [watch, leader] = locks;
        let woken = if self.watch.was_poisoned_at(watch) || self.leader.was_poisoned_at(leader) {
            Woken::ByDeath
        } else {
            let word = kernel::low_half(&self.state);
            self.obituary
                .sleep_beside_both(locks, word, state.low_half(), patience.deadline())
        };
        match woken {
            Woken::ByTime => return Err(BarrierError::TimedOut),
            Woken::ByDeath => {
                if !self.break_up(state.generation()) {
                    self.wake_everybody();
                    self.obituary.wake_one();
                }
            }
            Woken::ByState | Woken::NotAsleep | Woken::ToLook => {}
        }
        Ok(())
    }

    /// Whether one of those who can be told of later has died.
    fn somebody_died(&self) -> bool {
        self.watch.is_poisoned() || self.leader.is_poisoned()
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
        self.leader.clear_poison();
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
        self.load().is_broken() || self.somebody_died() || self.parties() == 0
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

/// Something that was done meanwhile has taken the slot.
fn renew(armed: &Option<Armed>) {
    if let Some(armed) = armed {
        armed.renew();
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
