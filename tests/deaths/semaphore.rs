//! [`Semaphore`] and [`BoundedSemaphore`]: killed in every role.
//!
//! Survivors keep the permits that they get, so that the account is exact: permits that are free and
//! permits that were kept, together, are those that were given, and what the victim did counts wholly
//! or not at all. And nobody sleeps while a permit is free.

mod acquiring;
mod releasing;

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;
use procsync::{BoundedSemaphore, Permit, ReleaseError, Semaphore};

use crate::common::{Plain, sleepers};
use crate::harness::{Outcome, Scenario};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

/// What both kinds can do.
trait Counter: 'static {
    const NAME: &'static str;
    fn set_up(stock: &Stock<Self>)
    where
        Self: Sized;
    fn acquire(&self) -> Permit<'_>;
    fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>>;
    fn release(&self, n: u32) -> Result<(), ReleaseError>;
    fn available(&self) -> u32;
}

/// Of the bounded one; enough for all whom a scenario lets in.
const BOUND: u32 = 6;

impl Counter for Semaphore {
    const NAME: &'static str = "semaphore";

    fn set_up(_: &Stock<Self>) {}

    fn acquire(&self) -> Permit<'_> {
        self.acquire()
    }

    fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.acquire_timeout(timeout)
    }

    fn release(&self, n: u32) -> Result<(), ReleaseError> {
        self.release(n)
    }

    fn available(&self) -> u32 {
        self.available_permits()
    }
}

impl Counter for BoundedSemaphore {
    const NAME: &'static str = "bounded semaphore";

    /// It starts full, and is to be empty.
    fn set_up(stock: &Stock<Self>) {
        // SAFETY: nobody else is there yet.
        unsafe { stock.permits.get().write(Self::new(BOUND)) };
        (0..BOUND).for_each(|_| stock.permits().acquire().forget());
    }

    fn acquire(&self) -> Permit<'_> {
        self.acquire()
    }

    fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.acquire_timeout(timeout)
    }

    fn release(&self, n: u32) -> Result<(), ReleaseError> {
        self.release(n)
    }

    fn available(&self) -> u32 {
        self.available_permits()
    }
}

#[repr(C)]
struct Stock<P> {
    permits: UnsafeCell<P>,
    warm: Semaphore,
    /// What survivors have given.
    given: AtomicI32,
    /// Survivors who came for a permit, and those who have got it.
    takers: AtomicU32,
    kept: AtomicU32,
    /// What the victim's operation adds to the permits.
    stake: AtomicI32,
    /// And what in the middle.
    passing: AtomicI32,
}

// SAFETY: zeros are semaphores, the bounded one with a bound of 0; the others are atomics.
unsafe impl<P: Counter> Plain for Stock<P> {}

impl<P: Counter> Stock<P> {
    fn permits(&self) -> &P {
        // SAFETY: written only in `set_up`, when nobody else is there.
        unsafe { &*self.permits.get() }
    }

    /// Those who sleep for a permit.
    fn asleep(&self) -> usize {
        sleepers(&self.permits)
    }

    /// What the victim has added, once all is settled.
    fn change(&self) -> i32 {
        let all = self.permits().available() + self.kept.load(Ordering::SeqCst);
        all as i32 - self.given.load(Ordering::SeqCst)
    }

    /// Every survivor has a permit, or sleeps for one, and there is none. The count can only fall
    /// meanwhile, so if it is the same before and after, it was so in between.
    fn is_settled(&self) -> bool {
        let free = self.permits().available();
        let kept = self.kept.load(Ordering::SeqCst) as usize;
        let asleep = self.asleep();
        let all = self.takers.load(Ordering::SeqCst) as usize;
        kept + asleep == all && (free == 0 || asleep == 0) && self.permits().available() == free
    }
}

fn scenario<P: Counter>(name: &str, victim: fn(&Stock<P>, &Cue)) -> Scenario<Stock<P>> {
    let name = format!("{}: {name}", P::NAME);
    Scenario {
        before: set_up,
        look: the_bound_holds,
        after: everybody_goes_on,
        show,
        // As many as there are scenarios.
        ..Scenario::new(name.leak(), victim)
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = of::<Semaphore>();
    all.extend(of::<BoundedSemaphore>());
    all.extend(crate::as_trials(releasing::at_the_bound()));
    all
}

fn of<P: Counter>() -> Vec<Trial> {
    let mut all = releasing::alone::<P>();
    all.extend(releasing::with_sleepers());
    all.extend(releasing::with_a_newcomer());
    all.extend(acquiring::alone());
    all.extend(acquiring::woken());
    all.extend(acquiring::giving_up());
    crate::as_trials(all)
}

// ---- Roles -----------------------------------------------------------------------------------------

fn set_up<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    scene.run(P::set_up)
}

/// Takes a permit for good.
fn taker<P: Counter>(stock: &Stock<P>) {
    stock.permits().acquire().forget();
    stock.kept.fetch_add(1, Ordering::SeqCst);
}

fn giver<P: Counter, const N: u32>(stock: &Stock<P>) {
    stock.given.fetch_add(N as i32, Ordering::SeqCst);
    assert_eq!(stock.permits().release(N), Ok(()));
}

/// So that the thread's first steps are not the victim's.
fn warm_up<P>(stock: &Stock<P>) {
    assert_eq!(stock.warm.release(1), Ok(()));
    stock.warm.acquire().forget();
    assert!(stock.warm.try_acquire().is_none());
}

/// The operation in `during` adds so many permits.
fn stepped<P>(stock: &Stock<P>, cue: &Cue, stake: i32, during: impl FnOnce()) {
    warm_up(stock);
    stock.stake.store(stake, Ordering::SeqCst);
    cue.begin();
    during();
    cue.end();
}

/// A survivor gives permits.
fn give<P: Counter, const N: u32>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    scene.run(giver::<P, N>)
}

/// So many come for a permit, one after the other, when there is none.
fn fall_asleep<P: Counter>(scene: &mut Scene<'_, Stock<P>>, count: u32) -> Outcome {
    (0..count).try_for_each(|_| one_more_comes(scene))
}

/// A taker, who then sleeps, or has got a permit.
fn one_more_comes<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    let others = scene.asleep();
    scene.takers.fetch_add(1, Ordering::SeqCst);
    let taker = scene.fork(taker);
    let is_placed = |stock: &Stock<P>| stock.asleep() > others || taker.has_ended();
    scene.until("it sleeps or is done", is_placed)?;
    scene.adopt(taker);
    Ok(())
}

// ---- The verdict -------------------------------------------------------------------------------------

fn the_bound_holds<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    let free = scene.permits().available();
    require(free <= BOUND, || format!("{free} permits"))
}

/// The victim's operation counts, or not; if it was done, it counts.
fn everybody_goes_on<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    scene.until("permits or sleepers, not both", Stock::is_settled)?;
    let (change, stake) = (scene.change(), scene.stake.load(Ordering::SeqCst));
    let passing = scene.passing.load(Ordering::SeqCst);
    let allowed = change == stake || !scene.ended && [0, passing].contains(&change);
    require(allowed, || {
        format!("the count has changed by {change}, not {stake}")
    })?;
    all_get_one(scene)?;
    newcomers_do(scene)?;
    the_bound_holds(scene)?;
    require(scene.change() == change, || "permits got lost".into())
}

/// The same where the victim was spared: then its operation counts.
fn everybody_goes_on_all_done<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    scene.ended = true;
    everybody_goes_on(scene)
}

/// As many permits as are missing, one by one.
fn all_get_one<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    while scene.asleep() > 0 {
        give::<P, 1>(scene)?;
        scene.until("one more goes on", Stock::is_settled)?;
    }
    scene.join_all()
}

/// One who finds a permit, and one who sleeps until it gets one.
fn newcomers_do<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    if scene.permits().available() == 0 {
        give::<P, 1>(scene)?;
    }
    while scene.permits().available() > 0 {
        one_more_comes(scene)?;
        scene.join_all()?;
    }
    one_more_comes(scene)?;
    require(scene.asleep() == 1, || {
        "one has got what was not there".into()
    })?;
    all_get_one(scene)
}

fn show<P: Counter>(stock: &Stock<P>) -> String {
    let load = |count: &AtomicU32| count.load(Ordering::SeqCst);
    format!(
        "{} free, {} asleep, {} of {} have got one, {} given",
        stock.permits().available(),
        stock.asleep(),
        load(&stock.kept),
        load(&stock.takers),
        stock.given.load(Ordering::SeqCst)
    )
}
