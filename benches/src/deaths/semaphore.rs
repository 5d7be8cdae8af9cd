//! Semaphores: the death of one who has just been woken, and of one who has a permit.

use std::ops::Deref;

use super::actors::{Puppet, asleep, goes_on, until_there};
use super::{Case, Outcome, Played, Row, python};
use crate::common::fork;
use crate::rivals::lists::shared_semaphores;
use crate::rivals::ours;
use crate::traits::Semaphore;

pub(super) fn woken() -> Case {
    fn row<H: Deref<Target: Semaphore>>(library: &str, make: impl Fn() -> H + 'static) -> Row {
        Row::new(library, move || kill_the_woken(&*make()))
    }
    Case {
        who: "One who waits for a semaphore, just woken",
        how: "There are no permits, and two sleep. A permit is released, which wakes the first of them. It is\n\
              killed before its next instruction.",
        rows: shared_semaphores!(0, row()),
    }
}

fn kill_the_woken(semaphore: &impl Semaphore) -> Played {
    let first = Puppet::asleep(|| semaphore.acquire())?;
    let mut second = asleep(|| semaphore.acquire())?;
    fork(|| semaphore.release()).succeed();
    first.require_woken()?;
    first.kill();
    if goes_on(&mut second)? {
        return Ok(Outcome::new(true, "the second gets the permit"));
    }
    let mut newcomer = fork(|| semaphore.acquire());
    let text = if goes_on(&mut newcomer)? {
        "**the second sleeps on**, though the permit is there: a newcomer gets it"
    } else {
        "**the second sleeps on**, and the permit is gone"
    };
    Ok(Outcome::new(false, text))
}

pub(super) fn with_a_permit() -> Case {
    fn row<H: Deref<Target: Semaphore>>(library: &str, make: impl Fn() -> H + 'static) -> Row {
        Row::new(library, move || kill_the_one_with_a_permit(&*make()))
    }
    let mut rows = shared_semaphores!(1, row());
    let bounded = || ours::shared(procsync::BoundedSemaphore::new(1));
    rows.insert(1, row("procsync BoundedSemaphore", bounded));
    rows.extend(python::rows(&[("Semaphore", "permit")]));
    Case {
        who: "One who has a permit",
        how: "There is one permit. Who has it is killed, and another one comes for it. Then somebody releases one\n\
              in the place of the dead.",
        rows,
    }
}

fn kill_the_one_with_a_permit(semaphore: &impl Semaphore) -> Played {
    until_there(|has_it| {
        semaphore.acquire();
        has_it.open();
    })?
    .kill();
    let mut next = fork(|| semaphore.acquire());
    if goes_on(&mut next)? {
        return Ok(Outcome::new(false, "the next one gets a permit"));
    }
    fork(|| semaphore.release()).succeed();
    let gets_it_then = goes_on(&mut next)?;
    let text = if gets_it_then {
        "the permit stays taken, the next one waits, until somebody releases one"
    } else {
        "**everybody hangs**, whoever releases one"
    };
    Ok(Outcome::new(gets_it_then, text))
}
