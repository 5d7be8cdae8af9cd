//! Those who take permits.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Counter, Stock, fall_asleep, give, one_more_comes, scenario, set_up, stepped, taker};
use crate::harness::{Outcome, SOON, Scenario, once};
use crate::scene::Scene;
use crate::stepper::Cue;

/// Takes a permit for good.
pub(super) fn acquire<P: Counter>(stock: &Stock<P>, cue: &Cue) {
    stepped(stock, cue, -1, || stock.permits().acquire().forget());
    // One that is let go on is a survivor.
    stock.kept.fetch_add(1, Ordering::SeqCst);
}

fn given<P: Counter, const N: u32>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    set_up(scene)?;
    give::<P, N>(scene)
}

fn one_sleeps<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    set_up(scene)?;
    fall_asleep(scene, 1)
}

// ---- Nobody there --------------------------------------------------------------------------------------

pub(super) fn alone<P: Counter>() -> Vec<Scenario<Stock<P>>> {
    vec![
        Scenario {
            before: given::<P, 1>,
            ..scenario("acquire the last permit", acquire)
        },
        Scenario {
            before: given::<P, 2>,
            ..scenario("acquire one of two permits", acquire)
        },
        Scenario {
            before: given::<P, 1>,
            ..scenario("acquire, drop", |stock, cue| {
                stock.passing.store(-1, Ordering::SeqCst);
                stepped(stock, cue, 0, || drop(stock.permits().acquire()));
            })
        },
    ]
}

// ---- Asleep, then woken --------------------------------------------------------------------------------

pub(super) fn woken<P: Counter>() -> Vec<Scenario<Stock<P>>> {
    vec![
        Scenario {
            asleep: |scene, n| once(n, || give::<P, 1>(scene)),
            ..scenario("wait, woken, alone", acquire)
        },
        Scenario {
            before: one_sleeps,
            asleep: |scene, n| once(n, || give::<P, 2>(scene)),
            ..scenario("wait, woken, one ahead", acquire)
        },
        Scenario {
            before: one_sleeps,
            asleep: |scene, n| {
                if n == 1 {
                    fall_asleep(scene, 1)?;
                    return give::<P, 2>(scene);
                }
                // The one ahead has woken the one behind, who was faster.
                give::<P, 1>(scene)
            },
            ..scenario("wait, woken, one ahead and one behind", acquire)
        },
        Scenario {
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 2)?;
                    give::<P, 1>(scene)
                })
            },
            ..scenario("wait, woken, two behind", acquire)
        },
        Scenario {
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 2)?;
                    give::<P, 1>(scene)?;
                    give::<P, 1>(scene)
                })
            },
            ..scenario("wait, woken, more permits, two behind", acquire)
        },
        Scenario {
            asleep: overtake,
            ..scenario("wait, overtaken, one behind", acquire)
        },
        Scenario {
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    give::<P, 1>(scene)
                })
            },
            look: one_more_comes_then_one_is_given,
            ..scenario("wait, woken, one comes and one gives at its death", acquire)
        },
    ]
}

/// A permit comes, which wakes the victim, and is taken by a newcomer.
fn overtake<P: Counter>(scene: &mut Scene<'_, Stock<P>>, n: u32) -> Outcome {
    match n {
        1 => {
            fall_asleep(scene, 1)?;
            give::<P, 1>(scene)?;
            one_more_comes(scene)
        }
        // The one behind is ahead now.
        _ => give::<P, 2>(scene),
    }
}

fn one_more_comes_then_one_is_given<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    one_more_comes(scene)?;
    give::<P, 1>(scene)
}

// ---- Giving up -------------------------------------------------------------------------------------------

pub(super) fn giving_up<P: Counter>() -> Vec<Scenario<Stock<P>>> {
    vec![
        scenario("timeout, passes, alone", |stock, cue| {
            give_up(stock, cue, SOON);
        }),
        Scenario {
            before: one_sleeps,
            asleep: |scene, n| once(n, || one_comes_soon(scene)),
            ..scenario("timeout, passes, one ahead and one behind", |stock, cue| {
                give_up(stock, cue, SOON);
            })
        },
        Scenario {
            before: one_sleeps,
            ..scenario("timeout of zero, one asleep", |stock, cue| {
                give_up(stock, cue, Duration::ZERO);
            })
        },
        Scenario {
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    give::<P, 1>(scene)
                })
            },
            ..scenario("timeout, woken before, one behind", |stock, cue| {
                let long = Duration::from_secs(1000);
                stepped(stock, cue, -1, || {
                    if let Some(permit) = stock.permits().acquire_timeout(long) {
                        permit.forget();
                    }
                });
            })
        },
    ]
}

fn one_comes_soon<P: Counter>(scene: &mut Scene<'_, Stock<P>>) -> Outcome {
    scene.takers.fetch_add(1, Ordering::SeqCst);
    scene.start_asleep(taker)
}

/// There is none to be had.
fn give_up<P: Counter>(stock: &Stock<P>, cue: &Cue, timeout: Duration) {
    stepped(stock, cue, 0, || {
        let permit = stock.permits().acquire_timeout(timeout);
        assert!(permit.is_none());
    });
}
