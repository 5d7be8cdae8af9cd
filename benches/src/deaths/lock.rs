//! Locks: the death of the holder, and of one who has just been woken.

use std::ops::Deref;

use super::actors::{Asked, Puppet, asleep, goes_on, require, until_there};
use super::{Case, Outcome, Played, Row, python};
use crate::common::{Gate, Mapped, fork};
use crate::rivals::lists::shared_locks;
use crate::rivals::ours;
use crate::traits::Lock;

pub(super) fn holder() -> Case {
    fn row<H: Deref<Target: Lock>>(library: &str, make: impl Fn() -> H + 'static) -> Row {
        Row::new(library, move || kill_the_holder(&*make()))
    }
    let mut rows = shared_locks!(row());
    rows.insert(1, row("procsync RLock", our_rlock));
    rows.extend(python::rows(&[("Lock", "lock"), ("RLock", "rlock")]));
    Case {
        who: "The holder of a lock",
        how: "One process holds the lock, and another one, the heir, sleeps in wait for it. The holder is killed.\n\
              When the heir is done, or has had its time, a newcomer tries.",
        rows,
    }
}

fn our_rlock() -> impl Deref<Target = procsync::RLock> {
    ours::shared(procsync::RLock::new(()))
}

fn kill_the_holder(lock: &impl Lock) -> Played {
    let holder = until_there(|has_it| {
        std::mem::forget(lock.lock());
        has_it.open();
    })?;
    let mut heir = Asked::asleep(|| lock.tells_of_death())?;
    holder.kill();
    let inherited = heir.answer()?;
    let newcomer = Asked::start(|| lock.tells_of_death()).answer()?;
    let text = match (inherited, newcomer) {
        (Some(true), Some(false)) => "the heir gets it, and is told of the death",
        (Some(false), Some(false)) => "the heir gets it, and is not told of the death",
        (None, None) => "**everybody hangs**",
        (None, Some(_)) => "**the heir sleeps on**, a newcomer gets it",
        (Some(_), None) => "the heir gets it, **a newcomer hangs**",
        (_, Some(true)) => "a newcomer is told of the death once more",
    };
    let is_told_once = (inherited, newcomer) == (Some(true), Some(false));
    Ok(Outcome::new(is_told_once, text))
}

pub(super) fn woken() -> Case {
    fn row<H: Deref<Target: Lock>>(library: &str, make: impl Fn() -> H + 'static) -> Row {
        Row::new(library, move || kill_the_woken(&*make()))
    }
    let mut rows = shared_locks!(row());
    rows.insert(1, row("procsync RLock", our_rlock));
    Case {
        who: "One who waits for a lock, just woken",
        how: "Two sleep. The owner releases the lock, which wakes the first of them, and takes it once more before\n\
              that one has run. The first is killed before its next instruction, and the owner releases.",
        rows,
    }
}

/// What the owner does, and when.
#[derive(Default)]
#[repr(C)]
struct Owner {
    has_it: Gate,
    may_release: Gate,
    has_it_again: Gate,
    may_end: Gate,
}

// SAFETY: gates, which are closed as zeros.
unsafe impl crate::common::Plain for Owner {}

impl Owner {
    fn play(&self, lock: &impl Lock) {
        let guard = lock.lock();
        self.has_it.open();
        self.may_release.wait();
        drop(guard);
        let guard = lock.lock();
        self.has_it_again.open();
        self.may_end.wait();
        drop(guard);
    }
}

fn kill_the_woken(lock: &impl Lock) -> Played {
    let signs: Mapped<Owner> = Mapped::zeroed();
    let mut owner = fork(|| signs.play(lock));
    require("the owner has it", || signs.has_it.is_open())?;
    let first = Puppet::asleep(|| drop(lock.lock()))?;
    let mut second = asleep(|| drop(lock.lock()))?;
    signs.may_release.open();
    require("the owner has it again", || signs.has_it_again.is_open())?;
    first.require_woken()?;
    first.kill();
    signs.may_end.open();
    if !goes_on(&mut owner)? {
        return Ok(Outcome::new(false, "**the owner cannot release it**"));
    }
    if goes_on(&mut second)? {
        return Ok(Outcome::new(true, "the second gets it"));
    }
    let newcomer = Asked::start(|| lock.tells_of_death()).answer()?;
    let text = match newcomer {
        Some(_) => "**the second sleeps on**, though the lock is free: a newcomer gets it",
        None => "**everybody hangs**",
    };
    Ok(Outcome::new(false, text))
}
