//! How many permits a semaphore can have.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use procsync::{BoundedSemaphore, ReleaseError, Semaphore};

use crate::common::sleepers;
use crate::scene::{panics, until_asleep, wherever};

const MAX: u32 = Semaphore::MAX_PERMITS;

#[test]
fn a_release_past_the_maximum_changes_nothing() {
    wherever(
        || Semaphore::new(MAX - 1),
        |semaphore| {
            for n in [2, 3, MAX, MAX + 1, u32::MAX] {
                assert_eq!(semaphore.release(n), Err(ReleaseError::Overflow));
                assert_eq!(semaphore.available_permits(), MAX - 1);
            }
            assert_eq!(semaphore.release(1), Ok(()));
            assert_eq!(semaphore.release(0), Ok(()));
            assert_eq!(semaphore.release(1), Err(ReleaseError::Overflow));
            assert_eq!(semaphore.available_permits(), MAX);
        },
    );
}

#[test]
fn all_permits_may_come_at_once() {
    wherever(
        || Semaphore::new(0),
        |semaphore| {
            assert_eq!(semaphore.release(MAX + 1), Err(ReleaseError::Overflow));
            assert_eq!(semaphore.release(MAX), Ok(()));
            assert_eq!(semaphore.available_permits(), MAX);
        },
    );
}

#[test]
fn a_release_past_the_bound_changes_nothing() {
    wherever(
        || BoundedSemaphore::new(3),
        |semaphore| {
            assert_eq!((semaphore.bound(), semaphore.available_permits()), (3, 3));
            assert_eq!(semaphore.release(0), Ok(()));
            let permits = (semaphore.acquire(), semaphore.acquire());
            for n in [3, 4, MAX, u32::MAX] {
                assert_eq!(semaphore.release(n), Err(ReleaseError::BoundExceeded));
                assert_eq!(semaphore.available_permits(), 1);
            }
            assert_eq!(semaphore.release(2), Ok(()));
            // Given back already, by somebody else: nothing happens, nobody is told.
            drop(permits);
            assert_eq!(semaphore.available_permits(), 3);
        },
    );
}

#[test]
fn a_permit_past_the_maximum_is_lost() {
    let semaphore = Semaphore::new(1);
    let permit = semaphore.acquire();
    assert_eq!(semaphore.release(MAX), Ok(()));
    drop(permit);
    assert_eq!(semaphore.available_permits(), MAX);
}

#[test]
fn a_refused_release_wakes_nobody() {
    wherever(
        || BoundedSemaphore::new(1),
        |bounded| {
            let permit = bounded.acquire();
            thread::scope(|scope| {
                scope.spawn(|| bounded.acquire().forget());
                until_asleep(bounded, 1);
                assert_eq!(bounded.release(2), Err(ReleaseError::BoundExceeded));
                assert_eq!(bounded.release(0), Ok(()));
                assert_eq!((bounded.available_permits(), sleepers(bounded)), (0, 1));
                drop(permit);
            });
            assert_eq!(bounded.available_permits(), 0);
        },
    );
    wherever(
        || Semaphore::new(0),
        |semaphore| {
            thread::scope(|scope| {
                scope.spawn(|| semaphore.acquire().forget());
                until_asleep(semaphore, 1);
                assert_eq!(semaphore.release(u32::MAX), Err(ReleaseError::Overflow));
                assert_eq!((semaphore.available_permits(), sleepers(semaphore)), (0, 1));
                assert_eq!(semaphore.release(MAX), Ok(()));
            });
            assert_eq!(semaphore.available_permits(), MAX - 1);
        },
    );
}

/// Of all who give back at once, as many succeed as had taken.
#[test]
fn the_bound_is_exact_under_a_race() {
    wherever(
        || BoundedSemaphore::new(1_000),
        |semaphore| {
            (0..600).for_each(|_| semaphore.acquire().forget());
            let given = AtomicU32::new(0);
            thread::scope(|scope| {
                for n in [1, 2, 3] {
                    let given = &given;
                    scope.spawn(move || {
                        while semaphore.release(n).is_ok() {
                            given.fetch_add(n, Ordering::Relaxed);
                        }
                    });
                }
            });
            let given = given.load(Ordering::Relaxed);
            assert_eq!(semaphore.available_permits(), 400 + given);
            // Who gives single ones stops at the bound only.
            assert_eq!(given, 600);
        },
    );
}

#[test]
fn more_than_the_maximum_cannot_be_asked_for() {
    assert!(panics(|| Semaphore::new(MAX + 1)));
    assert!(panics(|| BoundedSemaphore::new(MAX + 1)));
    assert_eq!(BoundedSemaphore::new(MAX).bound(), MAX);
    assert!(BoundedSemaphore::new(0).try_acquire().is_none());
}

#[test]
fn they_can_be_printed() {
    let bounded = BoundedSemaphore::new(2);
    let permit = bounded.acquire();
    let printed = format!("{bounded:?} {permit:?} {:?}", Semaphore::new(7));
    assert!(printed.contains("available_permits: 1") && printed.contains("available_permits: 7"));
}
