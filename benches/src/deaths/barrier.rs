//! Barriers: the death of a party that waits.

use std::ops::Deref;

use super::actors::{Asked, asleep};
use super::{Case, Outcome, Played, Row, python};
use crate::rivals::lists::shared_barriers;
use crate::traits::Barrier;

const PARTIES: u32 = 3;

pub(super) fn party() -> Case {
    fn row<H: Deref<Target: Barrier>>(library: &str, make: impl Fn() -> H + 'static) -> Row {
        Row::new(library, move || kill_a_party(&*make()))
    }
    let mut rows = shared_barriers!(PARTIES, row());
    rows.extend(python::rows(&[
        ("Barrier, wait", "barrier_wait"),
        ("Barrier, abort", "barrier_abort"),
        ("Barrier, reset", "barrier_reset"),
    ]));
    Case {
        who: "A party that waits at a barrier",
        how: "The barrier is for three. Two sleep there, and the first of them is killed. Then the third comes.\n\
              CPython: or one comes that aborts, or resets.",
        rows,
    }
}

fn kill_a_party(barrier: &impl Barrier) -> Played {
    let first = asleep(|| barrier.wait())?;
    let mut second = Asked::asleep(|| barrier.meet())?;
    first.kill();
    let mut third = Asked::start(|| barrier.meet());
    let answers = (second.answer()?, third.answer()?);
    let text = match answers {
        (Some(false), Some(false)) => "both are told that the barrier is broken",
        (Some(true), Some(true)) => "**two living and one dead pass**",
        (None, None) => "**both hang**",
        (None, Some(_)) => "**the second sleeps on**, the third passes",
        (Some(_), None) => "the second passes, **the third hangs**",
        (Some(_), Some(_)) => "**one passes**, the other is told that the barrier is broken",
    };
    let are_told = answers == (Some(false), Some(false));
    Ok(Outcome::new(are_told, text))
}
