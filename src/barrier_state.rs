//! The state of a [`Barrier`](crate::Barrier).
//!
//! # The word
//!
//! 64 bits; parties sleep on the low half, which arrivals do not touch.
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0–29 | generation | how many ended |
//! | 30 | `SLEEPERS` | somebody may be asleep |
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
//! - *reset*: breaks it, clears the marks of the dead, and takes `BROKEN` back; or ends what has begun
//!   since, without `BROKEN`.
//!
//! - *sleep*: sets `SLEEPERS`, and sleeps on the low half as it is then. It goes with the generation.
//!
//! Whoever ends a generation with `SLEEPERS` then wakes all who sleep. A waiter learns from the history how its own
//! ended, whatever has happened since. If more than ten ended before it came to look, the last of which
//! are no witness, it takes its own for broken.

const BROKEN: u64 = 1 << 31;
const SLEEPERS: u64 = 1 << 30;
const GENERATIONS: u64 = SLEEPERS - 1;
const ARRIVED_SHIFT: u32 = 32;
pub(crate) const ARRIVED_MAX: u32 = (1 << 22) - 1;
const HISTORY_SHIFT: u32 = 54;
const HISTORY_LENGTH: u32 = 10;

/// A copy of the word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct State(pub(crate) u64);

#[derive(Clone, Copy)]
pub(crate) enum Outcome {
    Released,
    NotReleased,
}

impl State {
    pub(crate) fn generation(self) -> u32 {
        u32::try_from(self.0 & GENERATIONS).unwrap_or_default()
    }

    /// What parties sleep on.
    #[expect(clippy::cast_possible_truncation, reason = "the low half")]
    pub(crate) fn low_half(self) -> u32 {
        self.0 as u32
    }

    pub(crate) fn is_broken(self) -> bool {
        self.0 & BROKEN != 0
    }

    pub(crate) fn has_sleepers(self) -> bool {
        self.0 & SLEEPERS != 0
    }

    pub(crate) fn with_sleepers(self) -> Self {
        Self(self.0 | SLEEPERS)
    }

    pub(crate) fn arrived(self) -> u32 {
        u32::try_from(self.0 >> ARRIVED_SHIFT & u64::from(ARRIVED_MAX)).unwrap_or_default()
    }

    fn history(self) -> u64 {
        self.0 >> HISTORY_SHIFT
    }

    pub(crate) fn with_one_more(self) -> Self {
        Self(self.0.wrapping_add(1 << ARRIVED_SHIFT))
    }

    /// The next generation, with nobody arrived, and not broken.
    pub(crate) fn after(self, outcome: Outcome) -> Self {
        let released = u64::from(matches!(outcome, Outcome::Released));
        let generation = self.0.wrapping_add(1) & GENERATIONS;
        Self((self.history() << 1 | released) << HISTORY_SHIFT | generation)
    }

    /// The same where nobody had arrived, so that there is no generation to end.
    pub(crate) fn after_if_any(self, outcome: Outcome) -> Self {
        if self.arrived() == 0 {
            Self(self.0 & !(BROKEN | SLEEPERS))
        } else {
            self.after(outcome)
        }
    }

    pub(crate) fn broken(self) -> Self {
        Self(self.after_if_any(Outcome::NotReleased).0 | BROKEN)
    }

    /// How a generation ended that is over.
    pub(crate) fn outcome_of(self, generation: u32) -> Outcome {
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
