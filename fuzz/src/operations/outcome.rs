//! What comes of operations, to be compared.

use procsync::{
    AcquireError, BarrierError, BarrierWait, FutexWait, Poisoned, Reason, ReleaseError,
    TimerOutcome, TimerState, WaitError,
};

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Answer(bool),
    /// The value counts how often the lock was acquired.
    Acquired {
        value: u32,
        depth: u32,
        poisoned: bool,
    },
    Refused(Refusal),
    Added(Result<(), ReleaseError>),
    Notified(Result<bool, Poisoned>),
    /// With the index of the one that came, and whether it is the leader.
    Met(Result<(u32, bool), BarrierError>),
    /// The same, and whether its action ran.
    Acted(Result<(u32, bool), BarrierError>, bool),
    Panicked,
    /// `None`: it was started already.
    Ran(Option<TimerOutcome>),
    Timer(TimerState),
    Word(FutexWait),
    /// So many of those who slept on the word.
    Woke(usize),
    /// Which of the sources, and what it was.
    Any(Result<(usize, Got), WaitError>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    WouldBlock,
    TimedOut,
    Deadlock,
}

/// What one got that waited for any of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    Set,
    Permit,
    Finished(TimerState),
    Changed(u32),
}

impl Got {
    pub fn of(reason: &Reason<'_>) -> Self {
        match reason {
            Reason::Set => Self::Set,
            Reason::Permit(_) => Self::Permit,
            Reason::Finished(end) => Self::Finished(*end),
            Reason::Changed(value) => Self::Changed(*value),
            other => panic!("nothing has {other:?}"),
        }
    }
}

pub fn refused(error: AcquireError<()>) -> Outcome {
    Outcome::Refused(match error {
        AcquireError::WouldBlock => Refusal::WouldBlock,
        AcquireError::TimedOut => Refusal::TimedOut,
        AcquireError::Deadlock => Refusal::Deadlock,
        other => panic!("a lock cannot be acquired: {other}"),
    })
}

pub fn met(result: Result<BarrierWait, BarrierError>) -> Result<(u32, bool), BarrierError> {
    result.map(|meeting| (meeting.index(), meeting.is_leader()))
}
