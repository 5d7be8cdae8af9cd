//! Events and conditions: the death of one who waits, asleep or just woken, and of one who sets.

use std::mem::ManuallyDrop;
use std::ops::Deref;

use super::actors::{Puppet, Trouble, asleep, goes_on};
use super::bell::{Bell, ByCondition, ByEvent};
use super::{Case, Outcome, Played, Row, python};
use crate::common::fork;
use crate::rivals::lists::{shared_events, shared_monitors};
use crate::traits::{Event, Monitor};

/// A death that does no harm at once may do it later.
const RINGS: usize = 8;

pub(super) fn waits_for_an_event() -> Case {
    fn row<H: Deref<Target: Event>>(library: &str, make: impl Fn() -> H + 'static) -> Row {
        Row::new(library, move || kill_a_sleeper(&ByEvent(make()), "set"))
    }
    let mut rows = shared_events!(row());
    rows.extend(python::rows(&[("Event", "event")]));
    Case {
        who: "One who waits for an event, asleep",
        how: "It is killed. Then, eight times: somebody falls asleep in wait for the event, another one sets it,\n\
              and who waited clears it. (`pthread flag` is a mutex, a condition variable, and a flag. CPython: once.)",
        rows,
    }
}

pub(super) fn waits_for_a_condition() -> Case {
    fn row<M: Monitor>(library: &str, make: impl Fn() -> M + 'static) -> Row {
        Row::new(library, move || {
            kill_a_sleeper(&*undestroyed(ByCondition::new(make())), "signal")
        })
    }
    let mut rows = shared_monitors!(row());
    rows.extend(python::rows(&[
        ("Condition, notify", "notify"),
        ("Condition, notify_all", "notify_all"),
    ]));
    Case {
        who: "One who waits for a condition, asleep",
        how: "It is killed. Then, eight times: somebody falls asleep in wait for the condition, and another one\n\
              signals it, holding the lock; who misses a signal waits for the next one. CPython: once with\n\
              somebody alive who waits, and if that went well, once without.",
        rows,
    }
}

/// To destroy a condition variable of pthread's is to wait for those who wait, the dead included.
fn undestroyed<B>(bell: B) -> ManuallyDrop<B> {
    ManuallyDrop::new(bell)
}

fn kill_a_sleeper(bell: &impl Bell, signal: &str) -> Played {
    asleep(|| bell.wait())?.kill();
    let mut waiter = asleep(|| bell.wait())?;
    let mut fates = Vec::new();
    while fates.len() < RINGS && fates.last() != Some(&Fate::Hangs) {
        let mut ringer = fork(|| bell.ring());
        if !goes_on(&mut ringer)? {
            fates.push(Fate::Hangs);
        } else if goes_on(&mut waiter)? {
            waiter = asleep(|| bell.wait())?;
            fates.push(Fate::Heard);
        } else {
            fates.push(Fate::Lost);
        }
    }
    let are_all_heard = fates.iter().all(|fate| *fate == Fate::Heard);
    Ok(Outcome::new(are_all_heard, describe(&fates, signal)))
}

/// What became of a signal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Heard,
    /// Whoever sent it went on, and who waits slept on.
    Lost,
    /// Whoever sent it did not go on.
    Hangs,
}

/// Which were heard, which not, in their order.
fn describe(fates: &[Fate], signal: &str) -> String {
    let mut parts = Vec::new();
    let mut count = 0;
    for alike in fates.chunk_by(|one, next| one == next) {
        let (first, last) = (count + 1, count + alike.len());
        count = last;
        let which = match alike {
            [_] => format!("{signal} {first}"),
            _ => format!("{signal}s {first} to {last}"),
        };
        parts.push(match alike[0] {
            Fate::Heard => format!("{which} heard"),
            Fate::Lost => format!("**{which} lost**"),
            Fate::Hangs => format!("**{which} hangs**"),
        });
    }
    parts.join(", ")
}

pub(super) fn woken_at_a_condition() -> Case {
    fn row<M: Monitor>(library: &str, make: impl Fn() -> M + 'static) -> Row {
        Row::new(library, move || {
            kill_the_woken(&*undestroyed(ByCondition::new(make())))
        })
    }
    Case {
        who: "One who waits for a condition, just woken",
        how: "Two sleep. One is signalled, and killed before its next instruction.",
        rows: shared_monitors!(row()),
    }
}

fn kill_the_woken(bell: &impl Bell) -> Played {
    let first = Puppet::asleep(|| bell.wait())?;
    let mut second = asleep(|| bell.wait())?;
    fork(|| bell.ring()).succeed();
    first.require_woken()?;
    first.kill();
    if goes_on(&mut second)? {
        return Ok(Outcome::new(true, "the second is woken"));
    }
    Ok(Outcome::new(
        false,
        "**the second sleeps on**: the signal died with the first",
    ))
}

pub(super) fn sets_an_event() -> Case {
    fn row<H: Deref<Target: Event>>(library: &str, make: impl Fn() -> H + 'static) -> Row {
        Row::new(library, move || kill_the_setter(&*make()))
    }
    Case {
        who: "One who sets an event",
        how: "Somebody sleeps in wait for it. Who sets it is killed before its first system call, which is to wake\n\
              the sleeper. Then another one sets it.",
        rows: shared_events!(row()),
    }
}

fn kill_the_setter(event: &impl Event) -> Played {
    // The first operation of a process may make system calls that no other makes.
    let once = || {
        event.set();
        event.clear();
    };
    let setter = Puppet::start(once, || event.set())?;
    let mut waiter = asleep(|| event.wait())?;
    if !setter.goes_to_a_system_call()? {
        return Err(Trouble(
            "a sleeper is woken without a system call".to_owned(),
        ));
    }
    setter.kill();
    if goes_on(&mut waiter)? {
        return Ok(Outcome::new(true, "it is set, and who waits is woken"));
    }
    let mut another = fork(|| event.set());
    let goes_on = (goes_on(&mut another)?, goes_on(&mut waiter)?);
    let text = match goes_on {
        (true, true) => "it is as if nobody had set it: the next set wakes who waits",
        (true, false) => "**who waits sleeps on**, whoever sets it",
        (false, _) => "**set hangs** for everybody",
    };
    Ok(Outcome::new(goes_on == (true, true), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_of_the_same_fate_are_told_together() {
        let fates = [Fate::Heard, Fate::Lost, Fate::Lost, Fate::Lost, Fate::Hangs];
        let text = "signal 1 heard, **signals 2 to 4 lost**, **signal 5 hangs**";
        assert_eq!(describe(&fates, "signal"), text);
    }
}
