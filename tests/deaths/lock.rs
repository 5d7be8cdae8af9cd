//! [`Lock`]: killed in every role.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;
use procsync::{AcquireError, Lock, LockGuard};

use crate::common::{Gate, MUSLS_OFFSET, Plain, register_list};
use crate::harness::{Outcome, Scenario};
use crate::ledger::{Ledger, Log};
use crate::scene::{Scene, require};
use crate::stepper::Cue;

#[repr(C)]
struct Room {
    lock: Lock<Ledger>,
    log: Log,
}

#[repr(C)]
struct House {
    room: Room,
    other: Room,
    warm: Lock<u32>,
    /// Opened by the holder when it has the room, and when it has it again.
    held: Gate,
    held_again: Gate,
    /// Tell the holder to go on.
    let_go: Gate,
    let_go_again: Gate,
    holder_is_dead: AtomicU32,
    /// The process that is forking now.
    forker: AtomicU32,
}

// SAFETY: all fields are.
unsafe impl Plain for Room {}
// SAFETY: all fields are.
unsafe impl Plain for House {}

const fn scenario(name: &'static str, victim: fn(&House, &Cue)) -> Scenario<House> {
    Scenario {
        look,
        after: everybody_goes_on,
        show,
        ..Scenario::new(name, victim)
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = alone();
    all.extend(releasing());
    all.extend(waiting());
    all.extend(giving_up());
    all.extend(poisoned());
    all.extend(with_two_locks());
    all.extend(with_a_woken_one());
    all.extend(with_a_newcomer());
    all.push(forking());
    all.push(leaking());
    crate::as_trials(all)
}

// ---- Roles -----------------------------------------------------------------------------------------

fn take<T>(lock: &Lock<T>) -> LockGuard<'_, T> {
    lock.acquire()
        .or_else(|error| error.into_guard().ok_or("not acquired"))
        .expect("a lock can be had, poisoned or not")
}

/// Acquires, notes the state it was in, leaves the data sound, and releases.
fn visit(room: &Room) {
    let (guard, poisoned) = match room.lock.acquire() {
        Ok(guard) => (guard, false),
        Err(AcquireError::Poisoned(guard)) => (guard, true),
        Err(error) => panic!("a survivor was refused: {error}"),
    };
    room.log.note(poisoned);
    if poisoned {
        guard.repair();
    }
    guard.check_and_write();
}

fn visitor(house: &House) {
    visit(&house.room);
}

fn other_visitor(house: &House) {
    visit(&house.other);
}

/// Holds the room until told to let go.
fn holder(house: &House) {
    let guard = take(&house.room.lock);
    house.held.open();
    house.let_go.wait();
    guard.check_and_write();
}

fn holder_of_both(house: &House) {
    let _other = take(&house.other.lock);
    holder(house);
}

/// Lets go, and takes the room again before anybody whom that woke.
fn greedy_holder(house: &House) {
    holder(house);
    let guard = take(&house.room.lock);
    house.held_again.open();
    house.let_go_again.wait();
    guard.check_and_write();
}

fn dies_while_holding(house: &House) {
    let guard = take(&house.room.lock);
    guard.write_half();
    // SAFETY: ends the process.
    unsafe { libc::_exit(0) };
}

/// So that the thread's first steps are not the victim's, nor the first use of this lock in this
/// memory.
fn warm_up(house: &House) {
    drop(take(&house.warm));
}

fn warm_up_all(house: &House) {
    warm_up(house);
    drop(take(&house.room.lock));
    drop(take(&house.other.lock));
}

// ---- What the verdicts rest on -----------------------------------------------------------------------

fn look(scene: &mut Scene<'_, House>) -> Outcome {
    for room in [&scene.room, &scene.other] {
        if room.lock.owner() == Some(scene.victim) {
            room.log.expect_poison_from_now();
        }
    }
    Ok(())
}

fn everybody_goes_on(scene: &mut Scene<'_, House>) -> Outcome {
    scene.let_go.open();
    scene.let_go_again.open();
    scene.join_all()?;
    scene.run(visitor)?;
    scene.run(other_visitor)?;
    all_is_well(scene)
}

fn all_is_well(house: &House) -> Outcome {
    for room in [&house.room, &house.other] {
        room.log.check()?;
        require(!room.lock.is_locked(), || "the lock is held".into())?;
        require(room.lock.waiters() == 0, || "somebody sleeps".into())?;
    }
    Ok(())
}

fn show(house: &House) -> String {
    format!("room {}, other {}", word(&house.room), word(&house.other))
}

fn word(room: &Room) -> String {
    // SAFETY: a lock begins with its word.
    let word = unsafe { &*(&raw const room.lock).cast::<AtomicU32>() };
    format!("{:#010x}", word.load(Ordering::SeqCst))
}

// ---- 1 to 3: nobody there ----------------------------------------------------------------------------

fn alone() -> Vec<Scenario<House>> {
    vec![
        scenario("lock: acquire", |house, cue| {
            warm_up_all(house);
            cue.begin();
            let guard = take(&house.room.lock);
            cue.end();
            drop(guard);
        }),
        scenario("lock: release", |house, cue| {
            warm_up_all(house);
            let guard = take(&house.room.lock);
            cue.begin();
            drop(guard);
            cue.end();
        }),
        scenario("lock: acquire, write, release", |house, cue| {
            warm_up_all(house);
            cue.begin();
            take(&house.room.lock).write();
            cue.end();
        }),
        Scenario {
            stride: 5,
            ..scenario("lock: first acquisition of a thread", |house, cue| {
                cue.begin();
                take(&house.room.lock).write();
                cue.end();
            })
        },
        scenario("lock: try_acquire, write, release", |house, cue| {
            warm_up_all(house);
            cue.begin();
            if let Ok(guard) = house.room.lock.try_acquire() {
                guard.write();
            }
            cue.end();
        }),
    ]
}

// ---- 4: those who fell asleep while the victim held it ------------------------------------------------

fn releasing() -> Vec<Scenario<House>> {
    vec![
        Scenario {
            staged: |scene| fall_asleep(scene, 1),
            ..scenario("lock: write, release, one waits", write_and_release)
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 2),
            ..scenario("lock: write, release, two wait", write_and_release)
        },
        Scenario {
            staged: killed_asleep,
            ..scenario(
                "lock: release, the one who waited was killed",
                write_and_release,
            )
        },
        Scenario {
            before: leave_waiters_behind,
            ..scenario(
                "lock: acquire, release, nobody is left (probe)",
                |house, cue| {
                    warm_up(house);
                    cue.begin();
                    take(&house.room.lock).write();
                    cue.end();
                },
            )
        },
    ]
}

fn write_and_release(house: &House, cue: &Cue) {
    warm_up_all(house);
    let guard = take(&house.room.lock);
    cue.begin();
    guard.write();
    drop(guard);
    cue.end();
}

fn fall_asleep(scene: &mut Scene<'_, House>, count: usize) -> Outcome {
    let others = scene.room.lock.waiters();
    for _ in 0..count {
        scene.start(visitor);
    }
    scene.until("they sleep", |house| {
        house.room.lock.waiters() == others + count
    })
}

fn killed_asleep(scene: &mut Scene<'_, House>) -> Outcome {
    let waiter = scene.fork(visitor);
    scene.until("it sleeps", |house| house.room.lock.waiters() == 1)?;
    waiter.kill();
    Ok(())
}

/// The word says that somebody may sleep, and nobody does.
fn leave_waiters_behind(scene: &mut Scene<'_, House>) -> Outcome {
    let holder = hold(scene, holder)?;
    killed_asleep(scene)?;
    scene.let_go.open();
    crate::scene::ended_well(holder)
}

fn hold(
    scene: &mut Scene<'_, House>,
    role: fn(&House),
) -> Result<crate::common::Child, crate::scene::Trouble> {
    let holder = scene.fork(role);
    scene.until("it holds", |house| house.held.is_open())?;
    Ok(holder)
}

// ---- 5: the victim waits -------------------------------------------------------------------------------

fn waiting() -> Vec<Scenario<House>> {
    vec![
        Scenario {
            before: |scene| keep_held_fresh(scene, holder),
            asleep: let_go,
            ..scenario("lock: spin, wait, released, alone", acquire_and_write)
        },
        Scenario {
            before: |scene| keep_held(scene, holder),
            asleep: let_go,
            ..scenario("lock: wait, released, alone", acquire_and_write)
        },
        Scenario {
            before: |scene| {
                keep_held(scene, holder)?;
                fall_asleep(scene, 1)
            },
            asleep: let_go,
            ..scenario("lock: wait, released, one sleeps ahead", acquire_and_write)
        },
        Scenario {
            before: |scene| keep_held(scene, holder),
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    scene.let_go.open();
                    scene.until("it lets go", |house| house.room.lock.waiters() <= 1)
                })
            },
            ..scenario("lock: wait, released, one sleeps behind", acquire_and_write)
        },
        Scenario {
            before: |scene| keep_held(scene, greedy_holder),
            asleep: overtake,
            ..scenario(
                "lock: wait, overtaken, one sleeps behind",
                acquire_and_write,
            )
        },
        Scenario {
            before: |scene| keep_held(scene, holder),
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    kill_holder(scene);
                    Ok(())
                })
            },
            after: |scene| {
                kill_holder(scene);
                everybody_goes_on(scene)
            },
            ..scenario(
                "lock: wait, holder dies, one sleeps behind",
                acquire_and_write,
            )
        },
    ]
}

fn acquire_and_write(house: &House, cue: &Cue) {
    warm_up(house);
    cue.begin();
    take(&house.room.lock).write();
    cue.end();
}

/// Somebody has waited already, so that whoever comes next does not spin before it sleeps: 1400
/// more instructions, which the scenario of the fresh holder goes through.
fn keep_held(scene: &mut Scene<'_, House>, role: fn(&House)) -> Outcome {
    keep_held_fresh(scene, role)?;
    killed_asleep(scene)
}

fn keep_held_fresh(scene: &mut Scene<'_, House>, role: fn(&House)) -> Outcome {
    scene.start(role);
    scene.until("it holds", |house| house.held.is_open())
}

fn let_go(scene: &mut Scene<'_, House>, n: u32) -> Outcome {
    once(n, || {
        scene.let_go.open();
        Ok(())
    })
}

/// Only the first sleep is disturbed.
fn once(n: u32, disturb: impl FnOnce() -> Outcome) -> Outcome {
    if n == 1 { disturb() } else { Ok(()) }
}

/// The holder releases, which wakes the victim, and takes the lock again before it can.
fn overtake(scene: &mut Scene<'_, House>, n: u32) -> Outcome {
    match n {
        1 => {
            fall_asleep(scene, 1)?;
            scene.let_go.open();
            scene.until("it holds again", |house| house.held_again.is_open())
        }
        2 => {
            scene.let_go_again.open();
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The first peer, once.
fn kill_holder(scene: &mut Scene<'_, House>) {
    if scene.holder_is_dead.swap(1, Ordering::SeqCst) == 0 {
        scene.room.log.expect_poison_from_now();
        scene.kill_peer(0);
    }
}

// ---- 6: the victim gives up ------------------------------------------------------------------------------

/// Longer than the victim takes to fall asleep, step by step.
const SOON: Duration = Duration::from_millis(15);

fn giving_up() -> Vec<Scenario<House>> {
    let held = |scene: &mut Scene<'_, House>| keep_held(scene, holder);
    let held_and_waited_for = |scene: &mut Scene<'_, House>| {
        keep_held(scene, holder)?;
        fall_asleep(scene, 1)
    };
    vec![
        Scenario {
            before: held,
            ..scenario("lock: wait, times out, alone", wait_soon)
        },
        Scenario {
            before: held_and_waited_for,
            ..scenario("lock: wait, times out, one sleeps ahead", wait_soon)
        },
        Scenario {
            before: held,
            asleep: |scene, n| once(n, || fall_asleep(scene, 1)),
            ..scenario("lock: wait, times out, one sleeps behind", wait_soon)
        },
        Scenario {
            before: held_and_waited_for,
            ..scenario("lock: try_acquire, held, one sleeps", |house, cue| {
                warm_up(house);
                cue.begin();
                drop(house.room.lock.try_acquire());
                cue.end();
            })
        },
        Scenario {
            before: |scene| {
                scene.start(holder_of_both);
                scene.until("it holds", |house| house.held.is_open())
            },
            after: |scene| {
                scene.other.log.expect_poison_from_now();
                kill_holder(scene);
                everybody_goes_on(scene)
            },
            ..scenario(
                "lock: try_acquire, held, whose holder dies with two",
                |house, cue| {
                    warm_up(house);
                    cue.begin();
                    drop(house.room.lock.try_acquire());
                    cue.end();
                },
            )
        },
        Scenario {
            before: held_and_waited_for,
            ..scenario("lock: timeout of zero, held, one sleeps", |house, cue| {
                warm_up(house);
                cue.begin();
                drop(house.room.lock.acquire_timeout(Duration::ZERO));
                cue.end();
            })
        },
    ]
}

fn wait_soon(house: &House, cue: &Cue) {
    warm_up(house);
    cue.begin();
    if let Ok(guard) = house.room.lock.acquire_timeout(SOON) {
        guard.write();
    }
    cue.end();
}

// ---- 7: poison ---------------------------------------------------------------------------------------------

fn poisoned() -> Vec<Scenario<House>> {
    vec![
        Scenario {
            before: |scene| scene.run(dies_while_holding),
            look: look_at_poison,
            ..scenario("lock: repair after a death", repair)
        },
        Scenario {
            before: |scene| {
                scene.run(dies_while_holding)?;
                scene.run(leaves_it_as_it_is)
            },
            look: look_at_poison,
            ..scenario("lock: repair after a death, seen before", repair)
        },
        Scenario {
            before: |scene| scene.run(dies_between_writes),
            look: look_at_poison,
            ..scenario("lock: clear the mark of death, nobody there", clear)
        },
        Scenario {
            before: |scene| {
                scene.run(dies_between_writes)?;
                keep_held(scene, holder)?;
                fall_asleep(scene, 1)
            },
            look: look_at_poison,
            ..scenario("lock: clear another's poison, one sleeps", clear)
        },
        Scenario {
            staged: |scene| {
                scene.room.log.expect_poison_from_now();
                fall_asleep(scene, 1)
            },
            look: |_| Ok(()),
            ..scenario("lock: release by a panic, one waits", panic_while_holding)
        },
    ]
}

fn leaves_it_as_it_is(house: &House) {
    drop(take(&house.room.lock));
}

fn dies_between_writes(house: &House) {
    let _guard = take(&house.room.lock);
    // SAFETY: ends the process.
    unsafe { libc::_exit(0) };
}

fn repair(house: &House, cue: &Cue) {
    warm_up(house);
    cue.begin();
    if let Ok(guard) = house.room.lock.acquire_or_repair(|ledger| ledger.repair()) {
        guard.write();
    }
    cue.end();
}

fn clear(house: &House, cue: &Cue) {
    warm_up(house);
    cue.begin();
    house.room.lock.clear_poison();
    cue.end();
}

/// The poison that is there goes on to the next one; cleared, it is gone. That the data is sound
/// where there is none, survivors check.
fn look_at_poison(scene: &mut Scene<'_, House>) -> Outcome {
    look(scene)?;
    if scene.room.lock.is_poisoned() {
        scene.room.log.expect_poison_from_now();
    }
    require(!(scene.ended && scene.room.lock.is_poisoned()), || {
        "the poison was not cleared".into()
    })
}

/// Steps through the guard's drop while the stack unwinds: locals are dropped last to first.
fn panic_while_holding(house: &House, cue: &Cue) {
    warm_up_all(house);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _end = OnDrop(|| cue.end());
        let _guard = take(&house.room.lock);
        let _begin = OnDrop(|| cue.begin());
        resume_unwind(Box::new(()));
    }));
    drop(result);
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

// ---- 8: two locks --------------------------------------------------------------------------------------------

fn with_two_locks() -> Vec<Scenario<House>> {
    vec![
        scenario("lock: two, released last to first", |house, cue| {
            warm_up_all(house);
            cue.begin();
            let room = take(&house.room.lock);
            let other = take(&house.other.lock);
            drop(other);
            drop(room);
            cue.end();
        }),
        scenario("lock: two, on a list like musl's", |house, cue| {
            register_list(MUSLS_OFFSET);
            warm_up_all(house);
            cue.begin();
            let room = take(&house.room.lock);
            let other = take(&house.other.lock);
            drop(other);
            drop(room);
            cue.end();
        }),
        scenario("lock: two, released first to last", |house, cue| {
            warm_up_all(house);
            cue.begin();
            let room = take(&house.room.lock);
            let other = take(&house.other.lock);
            drop(room);
            drop(other);
            cue.end();
        }),
        Scenario {
            look: look_at_other,
            ..scenario("lock: acquire, release under another", |house, cue| {
                warm_up_all(house);
                let _other = take(&house.other.lock);
                cue.begin();
                take(&house.room.lock).write();
                cue.end();
                std::process::abort();
            })
        },
        Scenario {
            look: look_at_other,
            staged: |scene| {
                fall_asleep(scene, 1)?;
                scene.start(other_visitor);
                scene.until("it sleeps", |house| house.other.lock.waiters() == 1)
            },
            ..scenario(
                "lock: release an older one, one waits for each",
                |house, cue| {
                    warm_up_all(house);
                    let room = take(&house.room.lock);
                    let _other = take(&house.other.lock);
                    cue.begin();
                    drop(room);
                    cue.end();
                    std::process::abort();
                },
            )
        },
        Scenario {
            look: look_at_other,
            staged: |scene| fall_asleep(scene, 1),
            ..scenario(
                "lock: release the middle one of three, one waits for it",
                |house, cue| {
                    warm_up_all(house);
                    let _other = take(&house.other.lock);
                    let room = take(&house.room.lock);
                    let _newest = take(&house.warm);
                    cue.begin();
                    drop(room);
                    cue.end();
                    std::process::abort();
                },
            )
        },
        Scenario {
            look: look_at_other,
            before: |scene| keep_held(scene, holder),
            asleep: |scene, n| {
                once(n, || {
                    fall_asleep(scene, 1)?;
                    scene.start(other_visitor);
                    scene.until("it sleeps", |house| house.other.lock.waiters() == 1)?;
                    scene.let_go.open();
                    Ok(())
                })
            },
            ..scenario(
                "lock: wait under another, one waits for each",
                |house, cue| {
                    warm_up(house);
                    let _other = take(&house.other.lock);
                    cue.begin();
                    take(&house.room.lock).write();
                    cue.end();
                    std::process::abort();
                },
            )
        },
    ]
}

/// The other lock is the victim's all the time.
fn look_at_other(scene: &mut Scene<'_, House>) -> Outcome {
    require(scene.other.lock.owner() == Some(scene.victim), || {
        "the victim lost the other lock".into()
    })?;
    look(scene)
}

// ---- With somebody who was woken and has not run yet ---------------------------------------------------------

fn with_a_woken_one() -> Vec<Scenario<House>> {
    vec![
        Scenario {
            before: wake_one_of_two,
            after: |scene| {
                scene.kill_puppets();
                everybody_goes_on(scene)
            },
            ..scenario(
                "lock: overtake a woken one, who dies, one sleeps",
                acquire_and_write,
            )
        },
        Scenario {
            before: wake_one_of_two,
            staged: |scene| {
                scene.kill_puppets();
                Ok(())
            },
            ..scenario(
                "lock: release after the woken one's death, one sleeps",
                |house, cue| {
                    warm_up(house);
                    let guard = take(&house.room.lock);
                    cue.begin();
                    guard.write();
                    drop(guard);
                    cue.end();
                },
            )
        },
        Scenario {
            before: die_and_wake_one_of_two,
            look: look_at_poison,
            after: |scene| {
                scene.kill_puppets();
                everybody_goes_on(scene)
            },
            ..scenario(
                "lock: clear the mark of death, woken one dies, one sleeps",
                clear,
            )
        },
        Scenario {
            before: die_and_wake_one_of_two,
            look: look_at_poison,
            after: |scene| {
                scene.let_puppets_go()?;
                everybody_goes_on(scene)
            },
            ..scenario(
                "lock: clear the mark of death, woken one goes on, one sleeps",
                clear,
            )
        },
    ]
}

/// The lock is free; the puppet was woken and stands still; another one sleeps.
fn wake_one_of_two(scene: &mut Scene<'_, House>) -> Outcome {
    let holder = hold(scene, holder)?;
    killed_asleep(scene)?;
    scene.start_puppet(acquire_and_write)?;
    fall_asleep(scene, 1)?;
    scene.let_go.open();
    crate::scene::ended_well(holder)
}

/// The same, but the lock has the mark of death.
fn die_and_wake_one_of_two(scene: &mut Scene<'_, House>) -> Outcome {
    keep_held(scene, dies_when_let_go)?;
    scene.start_puppet(acquire_and_write)?;
    fall_asleep(scene, 1)?;
    scene.let_go.open();
    scene.until("it is dead", |house| !house.room.lock.is_locked())
}

fn dies_when_let_go(house: &House) {
    let _guard = take(&house.room.lock);
    house.held.open();
    house.let_go.wait();
    // SAFETY: ends the process.
    unsafe { libc::_exit(0) };
}

// ---- With somebody who comes just then -----------------------------------------------------------------------

/// Nobody dies: a waiter falls asleep after each instruction of a release.
fn with_a_newcomer() -> Vec<Scenario<House>> {
    vec![
        Scenario {
            look: one_more_comes,
            dies: false,
            ..scenario("lock: a waiter comes during a release", write_and_release)
        },
        Scenario {
            before: leave_waiters_behind,
            look: one_more_comes,
            dies: false,
            ..scenario(
                "lock: a waiter comes during a release (probe)",
                |house, cue| {
                    warm_up(house);
                    let guard = take(&house.room.lock);
                    cue.begin();
                    drop(guard);
                    cue.end();
                },
            )
        },
        Scenario {
            staged: |scene| fall_asleep(scene, 1),
            look: one_more_comes,
            dies: false,
            ..scenario(
                "lock: a second waiter comes during a release",
                write_and_release,
            )
        },
        Scenario {
            staged: killed_asleep,
            look: one_more_comes,
            dies: false,
            ..scenario(
                "lock: a waiter comes where one was killed",
                write_and_release,
            )
        },
    ]
}

/// Starts a visitor, who then sleeps, or had its turn.
fn one_more_comes(scene: &mut Scene<'_, House>) -> Outcome {
    let others = scene.room.lock.waiters();
    let visitor = scene.fork(visitor);
    let settled = |house: &House| house.room.lock.waiters() > others || visitor.has_ended();
    scene.until("it waits or is done", settled)?;
    scene.adopt(visitor);
    Ok(())
}

// ---- With a fork just then -----------------------------------------------------------------------------------

/// One thread forks while another is in the middle of its, and the process's, first acquisition.
/// The child has that thread's memory as it was, and not the thread.
fn forking() -> Scenario<House> {
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
                    crate::common::fork(|| drop(take(&house.other.lock))).succeed();
                    house.held.open();
                });
            },
        )
    }
}

/// For a lock of libc's, in fork(3) itself, that the other thread will release as it goes on.
fn forker_waits(house: &House) -> bool {
    let forker = house.forker.load(Ordering::SeqCst) as i32;
    let forker = nix::unistd::Pid::from_raw(forker);
    crate::stepper::sleeps(forker, forker)
}

// ---- 10: the end of a thread -----------------------------------------------------------------------------------

/// Steps through the end of a thread that leaked a guard: the lock stays locked as long as the
/// process lives, and is poisoned then.
fn leaking() -> Scenario<House> {
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
            crate::common::Gate::default().wait();
        })
    }
}
