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
//! breaks the barrier. The mark stays until a *reset*: nobody takes the watch while it is there. (It goes unnoticed if the one that waits alone
//! came before the holder of the watch had left the meeting before. Then it counts as arrived, as it
//! had.)
//!
//! An action may use other primitives, which arm themselves. So who runs one holds another lock
//! meanwhile, the `leader`'s, with its `WAITERS` set: everybody sleeps beside its word, and the kernel
//! wakes one of them. Nobody waits for that lock but in this way, on a word that says that it is held, and
//! whoever is woken through it wakes all others.
//!
//! Of the watch's word, a sleeper only makes sure that the mark is not there when it is in the queue of
//! the obituary.

use core::fmt;
use std::time::{Duration, Instant};

use crate::barrier_state::{ARRIVED_MAX, Outcome, State};
use crate::deadline::{Patience, Timeout};
use crate::error::BarrierError;
use crate::on_drop::OnDrop;
use crate::raw_lock::{RawLock, Refusal};
use crate::robust::{self, Armed};
use crate::spin::Spin;
use crate::sync::{AtomicU64, Note, Ordering, const_fn, kernel};
use crate::wait::{Obituary, Seen, Woken};

/// A meeting point: threads of any number of processes wait there until so many have come, and go
/// on together; as Python's [`threading.Barrier`](crate::guide::from_python).
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
/// # Between two processes
///
/// One party is killed while it waits. The other is told, and meets a new one:
///
#[doc = include_str!("../docs/examples/barrier.md")]
///
/// # Waiting
///
/// The last to arrive does not wait, and makes a system call only if somebody sleeps. The others
/// look again for a while, if that has paid before, and then sleep in the kernel ([futex(2)],
/// [futex2]). Timeouts, deadlines and signals are as with a [`Lock`](crate::Lock#waiting).
///
/// All parties are released together; the order of their arrival is their
/// [`index`](BarrierWait::index).
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
/// Where `futex_waitv` ([futex2]) is missing (before Linux 5.16, or in a sandbox), those who sleep
/// do not notice deaths; use timeouts.
///
/// # Representation
///
/// `#[repr(C)]`: 104 bytes, aligned to 8. All-zero memory is a barrier for no parties, where every wait
/// is [`BarrierError::Broken`].
///
/// [futex(2)]: https://man7.org/linux/man-pages/man2/futex.2.html
/// [futex2]: https://docs.kernel.org/userspace-api/futex2.html
#[doc(alias("pthread_barrier_t", "CyclicBarrier", "rendezvous"))]
#[repr(C)]
pub struct Barrier {
    state: AtomicU64,
    /// Never changes.
    parties: Note,
    obituary: Obituary,
    spin: Spin,
    watch: RawLock,
    leader: RawLock,
}

/// What the words of a barrier say, for [`inspect`](crate::inspect).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BarrierSnapshot {
    /// How many parties meet.
    pub parties: u32,
    /// How many of them have arrived.
    pub arrived: u32,
    /// Whether every wait fails until somebody resets it.
    pub broken: bool,
    /// Whether a party has died since the last reset.
    pub party_died: bool,
    /// How many meetings have ended, one way or the other, modulo 2³⁰.
    pub generation: u32,
    /// The TID of the thread that runs its action.
    pub leader: Option<u32>,
    /// Whether the end of the meeting has to wake sleepers. It may be on where nobody sleeps.
    pub may_have_sleepers: bool,
}

/// How a party came to a meeting that took place. In each meeting every index is there once, and
/// the last is the leader's.
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

    /// Whether this was the last to arrive: exactly one of each meeting.
    #[doc(alias("PTHREAD_BARRIER_SERIAL_THREAD"))]
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}

/// Who has the leader's lock.
enum Lead<'barrier, Lock> {
    /// The caller.
    Taken(Lock),
    /// Another thread, which leads this generation, or has led the last and is about to let go: its lock,
    /// to sleep beside. `None`: it has let go meanwhile.
    Held(Option<Seen<'barrier>>),
    /// Nobody: the caller can hold no more locks. If it dies in its action, nobody hears of it.
    None,
}

/// No action.
const NO_ACTION: Option<fn()> = None;

impl Barrier {
    const_fn! {
        /// A barrier for so many parties. (A `const fn`, except under loom.) They may be 4,194,303,
        /// as many threads as Linux can have; of more, whoever comes after those gets
        /// [`Broken`](BarrierError::Broken).
        ///
        /// # Panics
        ///
        /// At 0.
        pub fn new(parties: u32) -> Self {
            assert!(parties > 0, "a barrier is for one party at least");
            Self {
                state: AtomicU64::new(0),
                parties: Note::new(parties),
                obituary: Obituary::new(),
                spin: Spin::new(),
                watch: RawLock::new(),
                leader: RawLock::new(),
            }
        }
    }

    /// Arrives, and [waits](Self#waiting) for all others, as long as it takes.
    ///
    /// # Errors
    ///
    /// [`Broken`](BarrierError::Broken): it is [broken](Self#broken), or was while this party
    /// waited, or somebody reset it.
    #[doc(alias("pthread_barrier_wait"))]
    pub fn wait(&self) -> Result<BarrierWait, BarrierError> {
        self.meet(Timeout::Forever, NO_ACTION)
    }

    /// Arrives, and waits for all others, for `timeout` at most. Zero succeeds for the last to
    /// arrive only; what the clock cannot express is [for ever](crate::Lock#waiting).
    ///
    /// # Errors
    ///
    /// [`Broken`](BarrierError::Broken), and [`TimedOut`](BarrierError::TimedOut), which has broken it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use procsync::{Barrier, BarrierError};
    ///
    /// let barrier = Barrier::new(2);
    /// let alone = barrier.wait_timeout(Duration::from_millis(1));
    /// assert_eq!(alone, Err(BarrierError::TimedOut));
    /// assert_eq!(barrier.wait(), Err(BarrierError::Broken)); // for all, until a reset
    /// ```
    pub fn wait_timeout(&self, timeout: Duration) -> Result<BarrierWait, BarrierError> {
        self.meet(Timeout::For(timeout), NO_ACTION)
    }

    /// Arrives, and waits for all others, until `deadline` at most. One that has passed succeeds
    /// for the last to arrive only.
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout).
    pub fn wait_until(&self, deadline: Instant) -> Result<BarrierWait, BarrierError> {
        self.meet(Timeout::Until(deadline), NO_ACTION)
    }

    /// [`wait`](Self::wait); the last to arrive runs its own action once all have arrived, before
    /// any of them goes on. The others' actions are dropped.
    ///
    /// If the barrier breaks while the action runs, because another party does not wait that long,
    /// the action was run, and all get [`Broken`](BarrierError::Broken). So do the others if the
    /// one that runs it dies. (But if its thread can hold no more locks, and the action uses other primitives,
    /// its death in there may go unnoticed: see [`TooManyHeld`](crate::AcquireError::TooManyHeld) and
    /// [`NoRobustList`](crate::AcquireError::NoRobustList).) An action that waits at the same barrier waits for
    /// itself.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// As `action` does; that breaks the barrier.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// use procsync::Barrier;
    ///
    /// let (barrier, round) = (Barrier::new(3), AtomicU32::new(0));
    /// std::thread::scope(|threads| {
    ///     for _ in 0..3 {
    ///         threads.spawn(|| {
    ///             let next = || round.store(1, Relaxed); // by one of the three
    ///             barrier.wait_with_action(next).unwrap();
    ///             assert_eq!(round.load(Relaxed), 1); // for all of them
    ///         });
    ///     }
    /// });
    /// ```
    pub fn wait_with_action(&self, action: impl FnOnce()) -> Result<BarrierWait, BarrierError> {
        self.meet(Timeout::Forever, Some(action))
    }

    /// [`wait_with_action`](Self::wait_with_action), waiting at most for `timeout`. The action may take
    /// longer; but others who wait with a deadline may not.
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout).
    ///
    /// # Panics
    ///
    /// As [`wait_with_action`](Self::wait_with_action).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use procsync::{Barrier, BarrierError};
    ///
    /// let barrier = Barrier::new(2);
    /// let action = || unreachable!("the other one does not come");
    /// let met = barrier.wait_with_action_timeout(Duration::from_millis(1), action);
    /// assert_eq!(met.err(), Some(BarrierError::TimedOut));
    /// ```
    pub fn wait_with_action_timeout(
        &self,
        timeout: Duration,
        action: impl FnOnce(),
    ) -> Result<BarrierWait, BarrierError> {
        self.meet(Timeout::For(timeout), Some(action))
    }

    /// [`wait_with_action_timeout`](Self::wait_with_action_timeout), waiting until `deadline` at most.
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
        let mut state = self.load();
        let arrival = loop {
            state = self.enter(state, patience)?;
            let is_last = state.arrived() + 1 == self.parties();
            let next = match &action {
                Some(_) if is_last => {
                    lead = Some(match self.take_the_lead(&armed) {
                        Lead::Taken(lead) => Some(lead),
                        Lead::None => None,
                        Lead::Held(Some(leader)) => {
                            state = self.sleep_beside(leader, state, patience)?;
                            continue;
                        }
                        Lead::Held(None) => {
                            state = self.load();
                            continue;
                        }
                    });
                    state.with_one_more()
                }
                None if is_last => state.after(Outcome::Released),
                _ => state.with_one_more(),
            };
            match self.replace(state, next) {
                Ok(()) => break state,
                Err(now) => state = now,
            }
            lead = None;
        };
        let index = arrival.arrived();
        let is_leader = index + 1 == self.parties();
        match action {
            Some(action) if is_leader => {
                self.run(action, &armed, lead, arrival.with_one_more())?;
            }
            None if is_leader => self.wake_sleepers_of(arrival),
            _ => self.wait_for_the_end(arrival.with_one_more(), patience)?,
        }
        Ok(BarrierWait { index, is_leader })
    }

    /// Waits until one more may arrive; the state then.
    fn enter(&self, mut state: State, patience: Patience) -> Result<State, BarrierError> {
        loop {
            if state.is_broken() || self.parties() == 0 || state.arrived() == ARRIVED_MAX {
                return Err(BarrierError::Broken);
            }
            if self.somebody_died() {
                self.break_up(state.generation());
                state = self.load();
            } else if state.arrived() < self.parties() {
                return Ok(state);
            } else {
                // The action of the last generation runs.
                state = self.sleep_until_it_ends(state, patience)?;
            }
        }
    }

    /// For the one that is about to be the last to arrive, with an action.
    fn take_the_lead(&self, armed: &Option<Armed>) -> Lead<'_, OnDrop<impl FnOnce()>> {
        let taken = self.leader.acquire(Timeout::Zero);
        // Of the holder, whoever it is, those who sleep beside the word are to hear.
        let awaited = self.leader.awaited();
        // The lock's acquisition has taken the slot.
        renew(armed);
        match taken {
            Ok(()) => Lead::Taken(OnDrop::new(|| self.leader.release())),
            Err(Refusal::Held) => Lead::Held(awaited),
            Err(_) => Lead::None,
        }
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
        // A child that the action has forked is none: the meeting is the parent's.
        let is_a_party = || robust::incarnation() == incarnation;
        let breaker = OnDrop::new(|| {
            if is_a_party() {
                renew(armed);
                self.break_up(full.generation());
            }
        });
        action();
        breaker.forget();
        if !is_a_party() {
            return Err(BarrierError::Broken);
        }
        // The action may have used other primitives, which have left the slot empty.
        renew(armed);
        if !self.end(full.generation(), |state| state.after(Outcome::Released)) {
            return Err(BarrierError::Broken);
        }
        // Not before: the slot is the lock's meanwhile.
        drop(lead);
        Ok(())
    }

    /// `state`: as it was when this party had arrived.
    fn wait_for_the_end(&self, mut state: State, patience: Patience) -> Result<(), BarrierError> {
        let generation = state.generation();
        let is_over = || self.load().generation() != generation;
        if self.spin.until(patience, is_over) {
            state = self.load();
        }
        loop {
            if state.generation() != generation {
                return match state.outcome_of(generation) {
                    Outcome::Released => Ok(()),
                    Outcome::NotReleased => Err(BarrierError::Broken),
                };
            }
            match self.sleep_until_it_ends(state, patience) {
                Ok(now) => state = now,
                Err(_) if self.break_up(generation) => return Err(BarrierError::TimedOut),
                Err(_) => state = self.load(),
            }
        }
    }

    /// Sleeps while it is this generation, and answers with the state after; may return before. A death
    /// breaks the generation.
    fn sleep_until_it_ends(&self, state: State, patience: Patience) -> Result<State, BarrierError> {
        self.sleep_beside(self.leader.watched(), state, patience)
    }

    /// The same, and while nothing happens to the leader's lock. Who waits for that has seen it held.
    fn sleep_beside(
        &self,
        leader: Seen<'_>,
        state: State,
        patience: Patience,
    ) -> Result<State, BarrierError> {
        if let Patience::Spent = patience {
            return Err(BarrierError::TimedOut);
        }
        let watch = self.watch.watched();
        let announced = state.with_sleepers();
        if state != announced {
            if let Err(now) = self.replace(state, announced) {
                return Ok(now);
            }
        }
        let woken = if self.watch.was_poisoned_at(watch) || self.leader.was_poisoned_at(leader) {
            Woken::ByDeath
        } else {
            self.spin
                .learn_from(|| self.sleep(announced, watch, leader, patience))
        };
        match woken {
            Woken::ByTime => return Err(BarrierError::TimedOut),
            Woken::ByDeath => {
                if !self.break_up(state.generation()) {
                    self.wake_everybody();
                    self.obituary.wake_one();
                }
                self.leader.wake_watchers();
            }
            Woken::ByLock => self.leader.wake_watchers(),
            Woken::ByState | Woken::NotAsleep | Woken::ToLook => {}
        }
        Ok(self.load())
    }

    fn sleep(&self, state: State, watch: Seen<'_>, leader: Seen<'_>, patience: Patience) -> Woken {
        let word = kernel::low_half(&self.state);
        let (expected, deadline) = (state.low_half(), patience.deadline());
        self.obituary
            .sleep_beside(leader, Some(watch), word, expected, deadline)
    }

    /// Whether one of those who can be told of later has died.
    fn somebody_died(&self) -> bool {
        self.watch.is_poisoned() || self.leader.is_poisoned()
    }

    /// Breaks this generation; `false`: it was over.
    fn break_up(&self, generation: u32) -> bool {
        self.end(generation, State::broken)
    }

    /// Ends this generation; `false`: it was over.
    fn end(&self, generation: u32, next: impl Fn(State) -> State) -> bool {
        let mut state = self.load();
        while state.generation() == generation && !state.is_broken() {
            match self.replace(state, next(state)) {
                Ok(()) => {
                    self.wake_sleepers_of(state);
                    return true;
                }
                Err(now) => state = now,
            }
        }
        false
    }

    /// Ends the meeting that is under way, if any: those who wait get
    /// [`Broken`](BarrierError::Broken). The barrier is as new then, broken or not before. Never
    /// waits.
    ///
    /// Best called by one, once all the others know that it was broken: a reset ends the next
    /// meeting, too, for those who have come to it.
    ///
    /// # Examples
    ///
    /// ```
    /// use procsync::Barrier;
    ///
    /// let barrier = Barrier::new(1);
    /// barrier.abort();
    /// assert!(barrier.is_broken() && barrier.wait().is_err());
    /// barrier.reset();
    /// assert!(barrier.wait().unwrap().is_leader());
    /// ```
    pub fn reset(&self) {
        let _armed = self.obituary.arm();
        // First nobody is arrived, and nobody can arrive: else, if this thread died, one that died alone
        // would count, with its mark gone.
        self.abort();
        self.watch.clear_poison();
        self.leader.clear_poison();
        let mut state = self.load();
        while let Err(now) = self.replace(state, state.after_if_any(Outcome::NotReleased)) {
            state = now;
        }
        self.wake_sleepers_of(state);
    }

    /// Breaks the barrier, for all who wait and all who come, until somebody resets it. Never
    /// waits. For a party that knows that it will not come.
    #[doc(alias("break"))]
    pub fn abort(&self) {
        let _armed = self.obituary.arm();
        loop {
            let state = self.load();
            if state.is_broken() || self.break_up(state.generation()) {
                return;
            }
        }
    }

    /// How many parties meet here. It never changes.
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

    /// Changes nothing, and asks nobody. Of a copy as good as of the barrier itself.
    #[cfg_attr(loom, allow(dead_code, reason = "models are not inspected"))]
    pub(crate) fn snapshot(&self) -> BarrierSnapshot {
        let state = self.load();
        BarrierSnapshot {
            parties: self.parties(),
            arrived: state.arrived(),
            broken: self.is_broken(),
            party_died: self.somebody_died(),
            generation: state.generation(),
            leader: self.leader.owner(),
            may_have_sleepers: state.has_sleepers(),
        }
    }

    fn load(&self) -> State {
        // ORDERING: Acquire pairs with the Release of each arrival, and of the end of a generation.
        State(self.state.load(Ordering::Acquire))
    }

    /// `Err`: what it is instead.
    fn replace(&self, state: State, next: State) -> Result<(), State> {
        // ORDERING: Release: what an arriver did before is visible to whoever sees the end of the
        // generation. Acquire: the last to arrive sees what all others did; who sees the end, too.
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        self.state
            .compare_exchange(state.0, next.0, success, failure)
            .map(drop)
            .map_err(State)
    }

    /// For whoever has ended the generation of this state.
    fn wake_sleepers_of(&self, state: State) {
        if state.has_sleepers() {
            self.wake_everybody();
        }
    }

    fn wake_everybody(&self) {
        kernel::wake(kernel::address(kernel::low_half(&self.state)), usize::MAX);
    }

    /// One of the parties holds it, if it was free when that one came, and there is room for a lock.
    ///
    /// The mark of a death stays for all to see: to take it over is to hide it for an instant.
    fn take_watch(&self) -> Option<OnDrop<impl FnOnce()>> {
        let taken = !self.watch.is_poisoned_while_held() && self.watch.acquire_untouched();
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
