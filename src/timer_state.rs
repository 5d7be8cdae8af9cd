//! The state of a [`Timer`](crate::Timer).
//!
//! `state`: bits 0–2 say which; bits 3–5 the last end, which outlives a reset; bits 6–31 count how often
//! the timer was armed, so that nobody who looked at one run changes another.
//!
//! ```text
//!            ┌──────── cancel ───────→ CALLED_OFF ──── run ───┐
//! IDLE ─────┤                                                 ↓
//!  ↑        └─ run → ARMED ─────── cancel ────────────→ CANCELLED ──┐
//!  │                  │  └─ deadline → RUNNING ─ f returns → FIRED ──┤
//!  │                  └── the thread dies ──┴─ dies, or f panics → ABANDONED
//!  └──────────────────────────── reset ─────────────────────────────┘
//! ```
//!
//! Each arrow is one compare-and-swap; so `cancel` and the deadline are decided by one step.

pub(crate) const IDLE: u32 = 0;
pub(crate) const ARMED: u32 = 1;
pub(crate) const RUNNING: u32 = 2;
pub(crate) const FIRED: u32 = 3;
pub(crate) const CANCELLED: u32 = 4;
pub(crate) const ABANDONED: u32 = 5;
/// Cancelled before it was armed.
pub(crate) const CALLED_OFF: u32 = 6;

const PHASE: u32 = 7;
const LAST_END_SHIFT: u32 = 3;
const LAST_END: u32 = PHASE << LAST_END_SHIFT;
pub(crate) const ONE_RUN: u32 = 1 << 6;

pub(crate) fn phase(state: u32) -> u32 {
    state & PHASE
}

pub(crate) fn at(phase: u32, state: u32) -> u32 {
    state & !PHASE | phase
}

pub(crate) fn run_of(state: u32) -> u32 {
    state & !(PHASE | LAST_END)
}

/// The idle state after a finished one, which it remembers.
pub(crate) fn reset_of(state: u32) -> u32 {
    run_of(state) | phase(state) << LAST_END_SHIFT | IDLE
}

pub(crate) fn is_under_way(state: u32) -> bool {
    matches!(phase(state), ARMED | RUNNING)
}

/// What a [`Timer`](crate::Timer) is doing. The last three are ends: see
/// [`is_finished`](Self::is_finished).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimerState {
    /// Nobody has armed it since it was made, or reset.
    Idle,
    /// A thread waits for its deadline.
    Armed,
    /// The deadline has passed, and the function runs.
    Running,
    /// The function has returned.
    Fired,
    /// Somebody cancelled it, and the function has not run and will not.
    Cancelled,
    /// The thread that ran it died, or the function panicked: before the call, in the middle of it,
    /// or after it. Whether the function did its work is not known.
    Abandoned,
}

impl TimerState {
    /// Whether it is over: it stays so until somebody resets the timer.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Fired | Self::Cancelled | Self::Abandoned)
    }

    /// Scribbled memory may hold anything.
    pub(crate) fn of(state: u32) -> Self {
        Self::of_phase(phase(state))
    }

    pub(crate) fn last_end_of(state: u32) -> Self {
        Self::of_phase((state & LAST_END) >> LAST_END_SHIFT)
    }

    fn of_phase(phase: u32) -> Self {
        match phase {
            IDLE => Self::Idle,
            ARMED => Self::Armed,
            RUNNING => Self::Running,
            FIRED => Self::Fired,
            CANCELLED | CALLED_OFF => Self::Cancelled,
            _ => Self::Abandoned,
        }
    }
}

/// How a run of a [`Timer`](crate::Timer) ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimerOutcome {
    /// The deadline passed, and the function was called and returned.
    Fired,
    /// Somebody cancelled it before. The function was not called.
    Cancelled,
}
