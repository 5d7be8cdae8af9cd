//! [`Barrier`]: killed in every role.

mod deaths;
mod meetings;
mod watch;

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;
use procsync::{Barrier, BarrierError, BarrierWait};

use crate::common::{Plain, sleepers};
use crate::harness::{Outcome, Scenario};
use crate::scene::{Scene, Trouble, require};
use crate::stepper::Cue;

/// The most that any scenario has.
const PARTIES_MAX: usize = 4;

/// What the survivors of the victim's meeting are to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum Fate {
    /// The victim has not arrived: the meeting takes place without it, or breaks.
    Open = 0,
    /// It took place.
    Released,
    /// It breaks, and so does everything until a reset.
    Broken,
    /// It was ended by a reset, which may not be over.
    Ended,
    /// It was ended by a reset, which is over.
    Reset,
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = meetings::scenarios();
    all.extend(deaths::scenarios());
    let mut all = crate::as_trials(all);
    all.extend(watch::trials());
    all
}

#[repr(C)]
struct Square {
    barrier: UnsafeCell<Barrier>,
    /// How the survivors' waits ended.
    released: AtomicU32,
    broken: AtomicU32,
    /// How often each index was handed out.
    indexes: [AtomicU32; PARTIES_MAX],
    /// How often the action was run.
    acted: AtomicU32,
    /// How the victim's wait ended.
    victims: AtomicU32,
    fate: Cell<Fate>,
    /// Survivors who are of the victim's meeting, and of the one after it.
    others: Cell<u32>,
    early: Cell<u32>,
    /// One of those who waited was killed.
    is_doomed: Cell<u32>,
}

// SAFETY: zeros are a barrier for nobody, numbers, and a fate.
unsafe impl Plain for Square {}

const MET: u32 = 1;
const FAILED: u32 = 2;

impl Square {
    /// All zeros are a barrier for nobody.
    fn build_for(&self, parties: u32) {
        // SAFETY: the stage is in nobody's use yet.
        unsafe { self.barrier.get().write(Barrier::new(parties)) };
    }

    fn build(&self) {
        self.build_for(3);
    }

    fn parties(&self) -> u32 {
        self.barrier().parties()
    }

    fn barrier(&self) -> &Barrier {
        // SAFETY: once built, all share it.
        unsafe { &*self.barrier.get() }
    }

    fn note(&self, result: Result<BarrierWait, BarrierError>) {
        match result {
            Ok(meeting) => {
                assert_eq!(meeting.is_leader(), meeting.index() + 1 == self.parties());
                self.indexes[meeting.index() as usize].fetch_add(1, Ordering::SeqCst);
                self.released.fetch_add(1, Ordering::SeqCst);
            }
            Err(BarrierError::Broken) => {
                self.broken.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => panic!("a survivor, who is patient: {error}"),
        }
    }

    fn note_victims(&self, result: Result<BarrierWait, BarrierError>) {
        let how = if result.is_ok() { MET } else { FAILED };
        self.victims.store(how, Ordering::SeqCst);
    }

    fn victim_met(&self) -> bool {
        self.victims.load(Ordering::SeqCst) == MET
    }

    fn released(&self) -> u32 {
        self.released.load(Ordering::SeqCst)
    }

    fn broken(&self) -> u32 {
        self.broken.load(Ordering::SeqCst)
    }

    fn sleepers(&self) -> u32 {
        u32::try_from(sleepers(self.barrier())).expect("few sleep")
    }

    /// Nobody is there any more.
    fn start_afresh(&self) {
        let counts = [&self.released, &self.broken];
        for count in counts.into_iter().chain(&self.indexes) {
            count.store(0, Ordering::SeqCst);
        }
    }
}

const fn scenario(name: &'static str, victim: fn(&Square, &Cue)) -> Scenario<Square> {
    Scenario {
        before: |scene| {
            scene.build();
            Ok(())
        },
        look,
        after: everybody_goes_on,
        show,
        ..Scenario::new(name, victim)
    }
}

fn show(square: &Square) -> String {
    let Square { fate, others, .. } = square;
    format!(
        "{:?}, {} released, {} broken, of {}, {:?}",
        fate.get(),
        square.released(),
        square.broken(),
        others.get(),
        square.barrier(),
    )
}

// ---- Roles -----------------------------------------------------------------------------------------

fn party(square: &Square) {
    square.note(square.barrier().wait());
}

fn asleep_at_first(scene: &mut Scene<'_, Square>, count: u32) -> Outcome {
    scene.build();
    fall_asleep(scene, count)
}

/// They are of the victim's meeting.
fn fall_asleep(scene: &mut Scene<'_, Square>, count: u32) -> Outcome {
    let all = scene.sleepers() + count;
    for _ in 0..count {
        scene.start(party);
        scene.others.set(scene.others.get() + 1);
    }
    scene.until("they sleep", |square| square.sleepers() == all)
}

/// The place of the watch was looked up already: hundreds of instructions less, which the first of
/// three goes through.
fn used_before(scene: &mut Scene<'_, Square>, parties: u32) -> Outcome {
    scene.build_for(parties);
    scene.run(|square| {
        let _ = square.barrier().wait_timeout(Duration::ZERO);
        square.barrier().reset();
    })
}

fn last_one_comes(scene: &mut Scene<'_, Square>) -> Outcome {
    scene.start(party);
    scene.others.set(scene.others.get() + 1);
    scene.until("they are released", |square| {
        square.released() == square.others.get()
    })
}

fn killed_asleep(scene: &mut Scene<'_, Square>) -> Outcome {
    scene.build();
    let alone = scene.fork(party);
    scene.until("it sleeps", |square| square.sleepers() == 1)?;
    alone.kill();
    scene.is_doomed.set(1);
    Ok(())
}

/// So that the thread's first steps are not the victim's.
fn warm_up() {
    let elsewhere = crate::common::Mapped::<procsync::Lock<()>>::zeroed();
    let _ = elsewhere.acquire();
}

fn wait(square: &Square, cue: &Cue) {
    warm_up();
    cue.begin();
    let result = square.barrier().wait();
    square.note_victims(result);
    cue.end();
}

// ---- What the verdicts rest on -----------------------------------------------------------------------

fn look(scene: &mut Scene<'_, Square>) -> Outcome {
    scene.fate.set(fate_of_meeting(scene));
    let met = scene.fate.get() == Fate::Released;
    require(!scene.ended || scene.victim_met() == met, || {
        format!("the victim's wait ended with {:?}", scene.victims)
    })
}

fn fate_of_meeting(square: &Square) -> Fate {
    let barrier = square.barrier();
    let victim_waits = barrier.waiting() > square.others.get();
    if barrier.is_broken() || square.is_doomed.get() != 0 || victim_waits {
        Fate::Broken
    } else if barrier.waiting() == square.others.get() {
        Fate::Open
    } else {
        Fate::Released
    }
}

fn everybody_goes_on(scene: &mut Scene<'_, Square>) -> Outcome {
    let others = scene.others.get();
    match scene.fate.get() {
        Fate::Open => all_or_none_meet(scene, others, 0)?,
        Fate::Released => {
            scene.until("all are released", |square| square.released() >= others)?;
            let early = scene.early.get();
            all_or_none_meet(scene, early, others)?;
        }
        Fate::Broken => {
            all_is_broken(scene)?;
            all_or_none_meet(scene, 0, 0)?;
            require(scene.released() == 0, || "it was mended".into())?;
        }
        Fate::Ended => {
            all_is_broken(scene)?;
            all_or_none_meet(scene, 0, 0)?;
        }
        Fate::Reset => {
            all_is_broken(scene)?;
            all_meet(scene, 0, 0)?;
        }
    }
    after_a_reset_all_meet(scene)
}

fn all_is_broken(scene: &mut Scene<'_, Square>) -> Outcome {
    let others = scene.others.get();
    scene.until("all is broken", |square| square.broken() >= others)?;
    require(scene.released() == 0, || "broken, and released".into())?;
    scene.start_afresh();
    Ok(())
}

fn after_a_reset_all_meet(scene: &mut Scene<'_, Square>) -> Outcome {
    scene.start_afresh();
    scene.run(|square| square.barrier().reset())?;
    all_meet(scene, 0, 0)?;
    let handed_out = &scene.indexes[..scene.parties() as usize];
    let once_each = handed_out
        .iter()
        .all(|count| count.load(Ordering::SeqCst) == 1);
    require(once_each, || format!("the indexes were {handed_out:?}"))?;
    require(scene.sleepers() == 0, || "somebody sleeps".into())
}

/// Fresh ones come, so that with those who are `there` already it is a full meeting. `released` are
/// of an earlier one.
fn come(scene: &mut Scene<'_, Square>, there: u32, released: u32) -> Result<(u32, u32), Trouble> {
    for _ in there..scene.parties() {
        scene.start(party);
    }
    scene.join_all()?;
    Ok((scene.released() - released, scene.broken()))
}

fn all_or_none_meet(scene: &mut Scene<'_, Square>, there: u32, released: u32) -> Outcome {
    let parties = scene.parties();
    let seen = come(scene, there, released)?;
    require([(parties, 0), (0, parties)].contains(&seen), || {
        format!("some met, some did not: {seen:?}")
    })
}

fn all_meet(scene: &mut Scene<'_, Square>, there: u32, released: u32) -> Outcome {
    let parties = scene.parties();
    let seen = come(scene, there, released)?;
    require(seen == (parties, 0), || format!("not all met: {seen:?}"))
}
