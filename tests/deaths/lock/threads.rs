//! Another thread of the victim: one that forks, and one that ends with a guard that it leaked.

use std::sync::atomic::Ordering;

use nix::unistd::Pid;

use super::{House, fall_asleep, scenario, take};
use crate::common::{Gate, fork};
use crate::harness::Scenario;
use crate::scene::require;
use crate::stepper::sleeps;

/// One thread forks while another is in the middle of its, and the process's, first acquisition.
/// The child has that thread's memory as it was, and not the thread.
pub(super) fn forking() -> Scenario<House> {
    Scenario {
        look: |scene| {
            scene.let_go.open();
            scene.until("it forks", |house| house.forker.load(Ordering::SeqCst) != 0)?;
            scene.until("the child is done", |house| {
                house.held.is_open() || forker_waits(house)
            })
        },
        dies: false,
        stride: 5,
        ..scenario(
            "lock: fork during another thread's first acquisition",
            |house, cue| {
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        cue.begin();
                        take(&house.room.lock).write();
                        cue.end();
                    });
                    house.let_go.wait();
                    let forker = std::process::id();
                    house.forker.store(forker, Ordering::SeqCst);
                    fork(|| drop(take(&house.other.lock))).succeed();
                    house.held.open();
                });
            },
        )
    }
}

/// For a lock of libc's, in fork(3) itself, that the other thread will release as it goes on.
fn forker_waits(house: &House) -> bool {
    let forker = house.forker.load(Ordering::SeqCst) as i32;
    let forker = Pid::from_raw(forker);
    sleeps(forker, forker)
}

/// Steps through the end of a thread that leaked a guard: the lock stays locked as long as the
/// process lives, and is poisoned then.
pub(super) fn leaking() -> Scenario<House> {
    Scenario {
        staged: |scene| fall_asleep(scene, 1),
        look: |scene| {
            require(scene.room.lock.is_locked(), || {
                "a leak freed the lock".into()
            })?;
            scene.room.log.expect_poison_from_now();
            Ok(())
        },
        stride: 29,
        ..scenario("lock: end of a thread that leaked a guard", |house, cue| {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::mem::forget(take(&house.room.lock));
                    cue.begin();
                });
            });
            Gate::default().wait();
        })
    }
}
