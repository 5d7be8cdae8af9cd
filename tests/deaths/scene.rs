//! Who else is there while the victim is stepped through its operation.

use std::fmt;
use std::ops::Deref;

use crate::common::{Child, End, Mapped, Waiting, until};
use crate::stepper::{Astray, Cue, Step, Stepper};

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

impl From<Astray> for Trouble {
    fn from(astray: Astray) -> Self {
        Self::Wrong(astray.0)
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
    /// They stand where they slept, whatever wakes them.
    puppets: Vec<(Stepper, Mapped<Cue>)>,
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
            puppets: Vec::new(),
            victim: 0,
            ended: false,
        }
    }

    /// Starts a process that plays `role` and is to end well by itself.
    pub(crate) fn start(&mut self, role: fn(&S)) {
        let peer = self.fork(role);
        self.peers.push(peer);
    }

    /// [`start`](Self::start), and waits until it sleeps. The victim may wake up meanwhile, so that a
    /// count of sleepers does not tell.
    pub(crate) fn start_asleep(&mut self, role: fn(&S)) -> Result<(), Trouble> {
        let peer = self.fork(role);
        let came = until(|| crate::stepper::sleeps(peer.pid(), peer.pid()));
        self.peers.push(peer);
        came.map_err(|_| Trouble::Stuck("not so: it sleeps".into()))
    }

    /// From now on it is to end well by itself.
    pub(crate) fn adopt(&mut self, peer: Child) {
        self.peers.push(peer);
    }

    /// Starts one that the caller answers for.
    pub(crate) fn fork(&self, role: fn(&S)) -> Child {
        crate::common::fork(|| {
            crate::processors::use_all();
            role(self.stage);
        })
    }

    /// Starts one and waits until it has ended well.
    pub(crate) fn run(&self, role: fn(&S)) -> Result<(), Trouble> {
        ended_well(self.fork(role))
    }

    /// Starts a process that falls asleep in `role` and, once woken, stands still: it will not run
    /// another instruction.
    pub(crate) fn start_puppet(&mut self, role: fn(&S, &Cue)) -> Result<(), Trouble> {
        let cue = Mapped::zeroed();
        let stepper = Stepper::start(&cue, || role(self.stage, &cue))?;
        while stepper.step()? != Step::Asleep {}
        self.puppets.push((stepper, cue));
        Ok(())
    }

    pub(crate) fn kill_puppets(&mut self) {
        for (stepper, _) in self.puppets.drain(..) {
            stepper.kill();
        }
    }

    /// They go on at full speed, to a good end.
    pub(crate) fn let_puppets_go(&mut self) -> Result<(), Trouble> {
        let stuck = |_: Waiting| Trouble::Stuck("a woken one does not go on".into());
        for (stepper, _cue) in self.puppets.drain(..) {
            stepper.finish_step()?.map_err(stuck)?;
            stepper.run_to_the_end()?.map_err(stuck)?;
        }
        Ok(())
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
    pub(crate) fn until(&self, what: &str, condition: impl Fn(&S) -> bool) -> Result<(), Trouble> {
        until(|| condition(self.stage)).map_err(|_| Trouble::Stuck(format!("not so: {what}")))
    }
}

pub(crate) fn ended_well(peer: Child) -> Result<(), Trouble> {
    if !peer.ends() {
        let what = format!("a survivor does not go on: {}", peer.describe());
        return Err(Trouble::Stuck(what));
    }
    match peer.join() {
        Ok(End::Exited(0)) => Ok(()),
        Ok(end) => Err(Trouble::Wrong(format!("a survivor ended with {end:?}"))),
        Err(_) => Err(Trouble::Stuck("a survivor does not go on".into())),
    }
}
