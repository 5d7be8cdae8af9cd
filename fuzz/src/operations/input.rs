//! The input, decoded: who does what.

use arbitrary::Arbitrary;

/// A world, and what is done in it.
#[derive(Arbitrary, Debug)]
pub struct Sequence {
    /// In a mapping that other processes could have, too.
    pub shared: bool,
    pub workers: Workers,
    pub parties: Parties,
    /// The permits of the semaphore at first.
    pub permits: Count,
    /// The bound of the bounded semaphore.
    pub bound: Bound,
    pub steps: Vec<Step>,
}

/// Who does it: that worker, or if it is asleep, the next that is not.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Step {
    pub worker: u8,
    pub operation: Operation,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Workers {
    Two,
    Three,
    Four,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Parties {
    One,
    Two,
    Three,
    /// More than ever come.
    Many,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Bound {
    None,
    One,
    Three,
    Most,
}

/// How many, where the edges are.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Count {
    Zero,
    One,
    Two,
    Three,
    /// As many permits there can be, less one.
    AlmostMost,
    Most,
    /// More than that.
    All,
}

/// A `Lock`, or an `RLock`.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockName {
    First,
    Second,
    Nested,
    OtherNested,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SemaphoreName {
    Plain,
    Bounded,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    Forever,
    Try,
    Zero,
    Past,
    /// A moment, in which nobody does anything.
    Brief,
}

/// What the last to arrive at the barrier does, or who runs the timer.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Returns,
    Panics,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicate {
    Holds,
    /// From the second time on that it is asked.
    HoldsLater,
    NeverHolds,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    Zero,
    Brief,
    /// Until it is cancelled.
    Long,
}

/// What a word holds.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    Zero,
    One,
    Most,
}

/// What one takes a word to hold that waits for it to change: it has looked at once, or long ago.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    WhatItHolds,
    Another,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceName {
    Event,
    Permit(SemaphoreName),
    Timer,
    Word(Expected),
}

/// What to wait for, the first that is there, and some maybe twice. Up to four are few to the crate, and five
/// are many.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sources([Option<SourceName>; 5]);

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Operation {
    Acquire(LockName, Patience),
    AcquireOrRepair(LockName),
    Release(LockName),
    /// Releases one level by a panic.
    Panic(LockName),
    /// Forgets a guard, and makes it once more.
    RemakeGuard(LockName),
    /// Forgets a guard, and releases by force.
    ForceRelease(LockName),
    ClearPoison(LockName),

    TakePermit(SemaphoreName, Patience),
    ReturnPermit(SemaphoreName),
    ForgetPermit(SemaphoreName),
    AddPermits(SemaphoreName, Count),

    Set,
    Clear,
    AwaitEvent(Patience),

    /// With the lock that it names, if the worker holds it.
    AwaitNotify(LockName, Patience),
    AwaitPredicate(LockName, Predicate, Patience),
    Notify(Count),

    Meet(Patience),
    MeetWithAction(Patience, Action),
    Abort,
    ResetBarrier,

    RunTimer(Interval, Action),
    Cancel,
    ResetTimer,
    AwaitTimer(Patience),

    /// Wakes so many, too. With the value that the word has, no more than that.
    StoreInWord(Value, Count),
    AddToWord,
    SetBit(u8),
    AwaitWord(Expected, Patience),

    AwaitAny(Sources, Patience),
}

impl Workers {
    pub fn count(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        }
    }
}

impl Parties {
    pub fn count(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Many => 1 << 30,
        }
    }
}

/// As many permits there can be.
pub const MOST: u32 = procsync::Semaphore::MAX_PERMITS;

impl Bound {
    pub fn count(self) -> u32 {
        match self {
            Self::None => 0,
            Self::One => 1,
            Self::Three => 3,
            Self::Most => MOST,
        }
    }
}

impl Count {
    pub fn count(self) -> u32 {
        match self {
            Self::Zero => 0,
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::AlmostMost => MOST - 1,
            Self::Most => MOST,
            Self::All => u32::MAX,
        }
    }
}

impl Value {
    pub fn value(self) -> u32 {
        match self {
            Self::Zero => 0,
            Self::One => 1,
            Self::Most => u32::MAX,
        }
    }
}

impl Expected {
    /// Of a word that holds this.
    pub fn value(self, held: u32) -> u32 {
        match self {
            Self::WhatItHolds => held,
            Self::Another => !held,
        }
    }
}

impl SourceName {
    /// Such a word as one may fall asleep on.
    pub const WORD: Self = Self::Word(Expected::WhatItHolds);
}

impl Sources {
    pub fn names(self) -> impl Iterator<Item = SourceName> {
        self.0.into_iter().flatten()
    }

    pub fn position(self, name: SourceName) -> Option<usize> {
        self.names().position(|other| other == name)
    }

    pub fn count(self, name: SourceName) -> usize {
        self.names().filter(|&other| other == name).count()
    }
}

impl LockName {
    pub const ALL: [Self; 4] = [Self::First, Self::Second, Self::Nested, Self::OtherNested];

    pub fn is_nested(self) -> bool {
        matches!(self, Self::Nested | Self::OtherNested)
    }
}

impl SemaphoreName {
    pub const ALL: [Self; 2] = [Self::Plain, Self::Bounded];
}
