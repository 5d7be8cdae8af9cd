//! Who else is there while the victim is stepped through its operation.

use std::fmt;
use std::ops::Deref;

use crate::common::{Child, End, Mapped, until};

/// What must never happen.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Somebody who should have gone on did not, within the bound.
    Stuck(String),
    /// Somebody got a wrong answer.
    Wrong(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stuck(what) => write!(f, "STUCK: {what}"),
            Self::Wrong(what) => write!(f, "WRONG: {what}"),
        }
    }
}

/// Answers [`Trouble::Wrong`] unless `right`.
pub(crate) fn require(right: bool, what: impl FnOnce() -> String) -> Result<(), Trouble> {
    if right {
        Ok(())
    } else {
        Err(Trouble::Wrong(what()))
    }
}

/// The stage, and the processes on it. Those that are left are killed at its end.
pub(crate) struct Scene<'stage, S: 'static> {
    stage: &'stage Mapped<S>,
    peers: Vec<Child>,
    pub(crate) victim: u32,
    /// The operation was done before the victim was killed.
    pub(crate) ended: bool,
}

impl<S> Deref for Scene<'_, S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.stage
    }
}

impl<'stage, S> Scene<'stage, S> {
    pub(crate) fn new(stage: &'stage Mapped<S>) -> Self {
        Self {
            stage,
            peers: Vec::new(),
            victim: 0,
            ended: false,
        }
    }

    /// Starts a process that plays `role` and is to end well by itself.
    pub(crate) fn start(&mut self, role: fn(&S)) {
        let peer = self.fork(role);
        self.peers.push(peer);
    }

    /// Starts one that the caller answers for.
    pub(crate) fn fork(&self, role: fn(&S)) -> Child {
        crate::common::fork(|| role(self.stage))
    }

    /// Starts one and waits until it has ended well.
    pub(crate) fn run(&self, role: fn(&S)) -> Result<(), Trouble> {
        ended_well(self.fork(role))
    }

    /// Kills the peer that was started as the `index`th of those still there.
    pub(crate) fn kill_peer(&mut self, index: usize) {
        self.peers.remove(index).kill();
    }

    /// Waits until all peers have ended well.
    pub(crate) fn join_all(&mut self) -> Result<(), Trouble> {
        for peer in std::mem::take(&mut self.peers) {
            ended_well(peer)?;
        }
        Ok(())
    }

    /// Waits until `condition` holds.
    pub(crate) fn until(
        &self,
        what: &str,
        condition: impl Fn(&S) -> bool,
    ) -> Result<(), Trouble> {
        until(|| condition(self.stage)).map_err(|_| Trouble::Stuck(format!("not so: {what}")))
    }
}

pub(crate) fn ended_well(peer: Child) -> Result<(), Trouble> {
    match peer.join() {
        Ok(End::Exited(0)) => Ok(()),
        Ok(end) => Err(Trouble::Wrong(format!("a survivor ended with {end:?}"))),
        Err(_) => Err(Trouble::Stuck("a survivor does not go on".into())),
    }
}
