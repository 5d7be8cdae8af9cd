//! Who takes part in a scene, and waits that end.

use std::fmt;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::common::stepper::{Astray, Cue, Step, Stepper, sleeps};
use crate::common::{Child, End, Gate, Mapped, fork, until};

/// Whoever should go on and has not within this time is stuck; the report names it.
pub(super) const BOUND: Duration = Duration::from_secs(2);

/// A scene that could not be played to its end: it tells nothing of the library.
#[derive(Debug)]
pub(super) struct Trouble(pub(super) String);

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Astray> for Trouble {
    fn from(astray: Astray) -> Self {
        Self(astray.0)
    }
}

/// Waits for what happens unless the scene is wrong.
pub(super) fn require(what: &str, happened: impl FnMut() -> bool) -> Result<(), Trouble> {
    until(happened).map_err(|_| Trouble(format!("not within the bound: {what}")))
}

/// One who plays `role`, and sleeps in it.
pub(super) fn asleep(role: impl FnOnce()) -> Result<Child, Trouble> {
    let sleeper = fork(role);
    let pid = sleeper.pid();
    require("it falls asleep", || {
        sleeper.has_ended() || sleeps(pid, pid)
    })?;
    if sleeper.has_ended() {
        return Err(Trouble("it did not wait".to_owned()));
    }
    Ok(sleeper)
}

/// One who plays `role` up to where it opens the gate, and then stays there.
pub(super) fn until_there(role: impl FnOnce(&Gate)) -> Result<Child, Trouble> {
    let there: Mapped<Gate> = Mapped::zeroed();
    let actor = fork(|| {
        role(&there);
        stay();
    });
    require("it gets there", || there.is_open() || actor.has_ended())?;
    if actor.has_ended() {
        return Err(Trouble("it ended before it was there".to_owned()));
    }
    Ok(actor)
}

fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

/// Whether it plays its role to the end; `false`: it is stuck. It is left so, since to kill it would be
/// another death.
pub(super) fn goes_on(actor: &mut Child) -> Result<bool, Trouble> {
    match actor.end_within(BOUND) {
        Ok(End::Exited(0)) => Ok(true),
        Ok(end) => Err(Trouble(format!("a survivor ended with {end:?}"))),
        Err(_) => Ok(false),
    }
}

/// One who answers a question at the end of its role.
pub(super) struct Asked {
    actor: Child,
    answer: Mapped<AtomicU32>,
}

impl Asked {
    pub(super) fn start(role: impl FnOnce() -> bool) -> Self {
        let answer = Mapped::zeroed();
        let actor = fork(|| note(&answer, role()));
        Self { actor, answer }
    }

    pub(super) fn asleep(role: impl FnOnce() -> bool) -> Result<Self, Trouble> {
        let answer = Mapped::zeroed();
        let actor = asleep(|| note(&answer, role()))?;
        Ok(Self { actor, answer })
    }

    /// `None`: it is stuck, and left so.
    pub(super) fn answer(&mut self) -> Result<Option<bool>, Trouble> {
        let is_done = goes_on(&mut self.actor)?;
        Ok(is_done.then(|| self.answer.load(SeqCst) == 1))
    }
}

fn note(answer: &AtomicU32, yes: bool) {
    answer.store(u32::from(yes), SeqCst);
}

/// One who stands still wherever its strings, those of ptrace(2), hold it.
pub(super) struct Puppet {
    stepper: Stepper,
    _cue: Mapped<Cue>,
}

impl Puppet {
    /// After `before`, and before its role.
    pub(super) fn start(before: impl FnOnce(), role: impl FnOnce()) -> Result<Self, Trouble> {
        let cue: Mapped<Cue> = Mapped::zeroed();
        let stepper = Stepper::start(&cue, || {
            before();
            cue.begin();
            role();
        })?;
        Ok(Self { stepper, _cue: cue })
    }

    /// In its role, until it sleeps. It stops as soon as it is woken, before its next instruction.
    pub(super) fn asleep(role: impl FnOnce()) -> Result<Self, Trouble> {
        let puppet = Self::start(|| (), role)?;
        loop {
            match puppet.stepper.step()? {
                Step::Done => {}
                Step::Asleep => return Ok(puppet),
                Step::Gone => return Err(Trouble("it did not wait".to_owned())),
            }
        }
    }

    /// Lets it go on to before its next system call; `false`: it has ended.
    pub(super) fn goes_to_a_system_call(&self) -> Result<bool, Trouble> {
        loop {
            match self.stepper.step()? {
                Step::Done if self.stepper.is_at_a_system_call() => return Ok(true),
                Step::Done => {}
                Step::Asleep => return Err(Trouble("it sleeps".to_owned())),
                Step::Gone => return Ok(false),
            }
        }
    }

    /// Waits until it has been woken.
    pub(super) fn require_woken(&self) -> Result<(), Trouble> {
        let woken = self.stepper.finish_step()?;
        let asleep = |_| Trouble("another one was woken".to_owned());
        woken.map(drop).map_err(asleep)
    }

    pub(super) fn kill(self) {
        self.stepper.kill();
    }
}
