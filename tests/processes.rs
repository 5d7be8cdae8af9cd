//! Locks between processes: forks, deaths at rest, limits, libc's own robust mutexes; and conditions.

mod common;

use std::cell::Cell;
use std::mem::forget;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::{
    Child, End, Found, Gate, MUSLS_OFFSET, Mapped, Plain, Pthread, fork, register_list, sleepers,
    unregister_list, until,
};
use procsync::{AcquireError, Barrier, Condition, Lock, LockGuard, RLock};

fn hold<T>(lock: &Lock<T>) {
    forget(lock.acquire().expect("free and sound"));
}

fn is_held<T>(lock: &Lock<T>) -> bool {
    matches!(lock.try_acquire(), Err(AcquireError::WouldBlock))
}

fn is_poisoned_and_free<T>(lock: &Lock<T>) -> bool {
    matches!(lock.try_acquire(), Err(AcquireError::Poisoned(_)))
}

fn is_sound_and_free<T>(lock: &Lock<T>) -> bool {
    lock.try_acquire().is_ok()
}

/// As another process sees it.
fn elsewhere(check: impl FnOnce() -> bool) -> bool {
    fork(|| assert!(check())).join() == Ok(End::Exited(0))
}

fn kill_me() -> ! {
    let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    unreachable!("dead");
}

fn die_doing(body: impl FnOnce()) {
    let child = fork(|| {
        body();
        kill_me();
    });
    let end = child.join();
    assert_eq!(end, Ok(End::Killed(nix::sys::signal::Signal::SIGKILL)));
}

/// Waits until as many sleep on it.
fn until_asleep<T>(lock: &Lock<T>, count: usize) {
    until(|| lock.waiters() == count).expect("they fall asleep");
}

fn tid() -> u32 {
    nix::unistd::gettid().as_raw().unsigned_abs()
}

// ---- Forks -------------------------------------------------------------------------------------------

/// As the main thread of a process of its own, and as another thread.
fn as_any_thread(test: impl Fn() + Sync) {
    fork(&test).succeed();
    thread::scope(|scope| {
        scope.spawn(&test);
    });
}

#[test]
fn an_inherited_guard_does_nothing() {
    as_any_thread(|| {
        let lock: Mapped<Lock<u32>> = Mapped::zeroed();
        let mut guard = lock.acquire().ok();
        assert!(guard.is_some());
        fork(|| {
            assert!(!lock.is_owned_by_current_thread());
            drop(guard.take());
            assert!(is_held(&lock), "not Deadlock, not acquired");
        })
        .succeed();
        assert_eq!(lock.owner(), Some(tid()));
        assert!(elsewhere(|| is_held(&lock)));
        drop(guard);
        assert!(elsewhere(|| is_sound_and_free(&lock)));
    });
}

#[test]
fn an_inherited_hold_of_an_rlock_does_nothing() {
    as_any_thread(|| {
        let lock: Mapped<RLock<Cell<u32>>> = Mapped::zeroed();
        let mut guards = (lock.acquire().ok(), lock.acquire().ok());
        fork(|| {
            drop(guards.0.take());
            drop(guards.1.take());
            assert!(matches!(lock.try_acquire(), Err(AcquireError::WouldBlock)));
        })
        .succeed();
        let depth = guards.0.as_ref().map(|guard| guard.depth());
        assert_eq!((depth, lock.owner()), (Some(2), Some(tid())));
        drop(guards);
        assert!(elsewhere(|| lock.try_acquire().is_ok()));
    });
}

#[test]
fn a_panic_in_a_child_does_not_poison_what_the_parent_holds() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let mut guard = lock.acquire().ok();
    fork(|| {
        let inherited = guard.take();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _inherited = inherited;
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
    })
    .succeed();
    assert!(!lock.is_poisoned());
    drop(guard);
    assert!(is_sound_and_free(&lock));
}

#[test]
fn a_child_acquires_at_once_and_its_death_is_its_own() {
    as_any_thread(|| {
        let locks: Mapped<[Lock<u32>; 3]> = Mapped::zeroed();
        hold(&locks[0]);
        die_doing(|| {
            drop(locks[1].acquire());
            hold(&locks[1]);
            hold(&locks[2]);
        });
        assert!(is_poisoned_and_free(&locks[1]));
        assert!(is_poisoned_and_free(&locks[2]));
        assert_eq!(locks[0].owner(), Some(tid()));
        // SAFETY: held by this thread, whose guard was forgotten.
        unsafe { locks[0].force_release() };
        assert!(is_sound_and_free(&locks[0]));
    });
}

#[test]
fn a_waiter_gets_what_another_process_releases() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let guard = lock.acquire().ok();
    let waiters: Vec<Child> = (0..3)
        .map(|_| fork(|| *lock.acquire().expect("sound") += 1))
        .collect();
    until_asleep(&lock, 3);
    drop(guard);
    waiters.into_iter().for_each(Child::succeed);
    assert_eq!(lock.acquire().ok().as_deref(), Some(&3));
    assert_eq!(lock.waiters(), 0);
}

// ---- Deaths ------------------------------------------------------------------------------------------

#[test]
fn every_way_to_end_poisons() {
    let ends: [(&str, fn()); 4] = [
        ("SIGKILL", || kill_me()),
        ("abort", || std::process::abort()),
        // SAFETY: ends the process.
        ("exit", || unsafe { libc::_exit(0) }),
        ("exec", || {
            let failed = Command::new("/bin/true").exec();
            panic!("{failed}");
        }),
    ];
    for (name, end) in ends {
        let lock: Mapped<Lock<u32>> = Mapped::zeroed();
        let child = fork(|| {
            hold(&lock);
            end();
        });
        child.join().expect("it ends");
        assert!(is_poisoned_and_free(&lock), "{name}");
    }
}

#[test]
fn a_sleeper_is_told_of_the_death() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    let held: Mapped<Gate> = Mapped::zeroed();
    let holder = fork(|| {
        hold(&lock);
        held.open();
        Gate::default().wait();
    });
    held.wait();
    let waiter = fork(|| assert!(matches!(lock.acquire(), Err(AcquireError::Poisoned(_)))));
    until_asleep(&lock, 1);
    holder.kill();
    waiter.succeed();
}

#[test]
fn as_many_as_can_be_held_are_recovered() {
    const HELD_MAX: usize = 2047;
    let locks: Mapped<[Lock<()>; HELD_MAX + 10]> = Mapped::zeroed();
    die_doing(|| {
        for lock in &locks[..HELD_MAX] {
            hold(lock);
        }
        for lock in &locks[HELD_MAX..] {
            assert!(matches!(lock.acquire(), Err(AcquireError::TooManyHeld)));
            assert!(!lock.is_locked());
        }
        // SAFETY: held by this thread, whose guard was forgotten.
        unsafe { locks[0].force_release() };
        hold(&locks[HELD_MAX]);
    });
    assert!(is_sound_and_free(&locks[0]));
    for (index, lock) in locks.iter().enumerate().skip(1) {
        let was_held = index <= HELD_MAX;
        assert_eq!(is_poisoned_and_free(lock), was_held, "lock {index}");
    }
}

#[test]
fn a_chain_is_recovered_wherever_it_breaks() {
    const LINKS: usize = 50;
    for last in 0..LINKS {
        let locks: Mapped<[Lock<u32>; LINKS]> = Mapped::zeroed();
        die_doing(|| {
            let mut guards: Vec<LockGuard<'_, u32>> = Vec::new();
            for lock in &locks[..=last] {
                guards.push(lock.acquire().expect("free"));
                if guards.len() > 3 {
                    drop(guards.remove(0));
                }
            }
            forget(guards);
        });
        for (index, lock) in locks.iter().enumerate() {
            let held = index <= last && index + 3 > last;
            assert_eq!(is_poisoned_and_free(lock), held, "link {index} of {last}");
        }
    }
}

#[test]
fn fifty_released_in_any_order_and_the_rest_recovered() {
    const LOCKS: usize = 50;
    for step in [1, 3, 7, 27, 49] {
        let locks: Mapped<[Lock<u32>; LOCKS]> = Mapped::zeroed();
        let order = |nth: usize| (nth + 1) * step % LOCKS;
        die_doing(|| {
            locks.iter().for_each(hold);
            for nth in 0..LOCKS / 2 {
                // SAFETY: held by this thread, whose guard was forgotten.
                unsafe { locks[order(nth)].force_release() };
            }
        });
        for nth in 0..LOCKS {
            let lock = &locks[order(nth)];
            assert_eq!(
                is_poisoned_and_free(lock),
                nth >= LOCKS / 2,
                "{step}, {nth}"
            );
        }
    }
}

#[test]
fn a_leak_is_kept_while_the_process_lives_and_poisoned_then() {
    let locks: Mapped<[Lock<u32>; 2]> = Mapped::zeroed();
    let leaked: Mapped<Gate> = Mapped::zeroed();
    let child = fork(|| {
        let gone = thread::spawn({
            let lock: &'static Lock<u32> = static_in_child(&locks[0]);
            move || {
                hold(lock);
                tid()
            }
        });
        let gone = gone.join().expect("it just ends");
        assert_ne!(locks[0].owner(), Some(gone));
        leaked.open();
        Gate::default().wait();
    });
    leaked.wait();
    let waiter = fork(|| assert!(matches!(locks[0].acquire(), Err(AcquireError::Poisoned(_)))));
    until_asleep(&locks[0], 1);
    assert!(is_held(&locks[0]));
    child.kill();
    waiter.succeed();
    assert!(is_poisoned_and_free(&locks[0]));
}

/// The child never unmaps it.
fn static_in_child<T>(value: &T) -> &'static T {
    // SAFETY: called in a child that ends without dropping what it inherited.
    unsafe { &*std::ptr::from_ref(value) }
}

// ---- libc's robust mutexes in the same thread ------------------------------------------------------------

#[repr(C)]
struct Mixture {
    ours: [Lock<u32>; 2],
    libcs: [Pthread; 2],
}

// SAFETY: all fields are.
unsafe impl Plain for Mixture {}

/// Ours are 0 and 1, libc's 2 and 3. Each is locked and later unlocked.
type Course = Vec<usize>;

const OURS: usize = 2;
const ALL: usize = 4;

/// Every beginning of every order in which all can be locked and unlocked, but for the two of a
/// kind changing places.
fn courses() -> Vec<Course> {
    let mut courses = vec![Course::new()];
    let mut done = 0;
    while done < courses.len() {
        let course = courses[done].clone();
        let times = |item: usize| course.iter().filter(|&&done| done == item).count();
        for item in 0..ALL {
            let comes_second = item % 2 == 1;
            let too_early = comes_second && times(item) == 0 && times(item - 1) == 0;
            if times(item) < 2 && !too_early {
                courses.push([course.as_slice(), &[item]].concat());
            }
        }
        done += 1;
    }
    courses
}

impl Mixture {
    fn run(&self, course: &[usize]) {
        let mut held = [false; ALL];
        for &item in course {
            match (item < OURS, held[item]) {
                (true, false) => hold(&self.ours[item]),
                // SAFETY: held by this thread, whose guard was forgotten.
                (true, true) => unsafe { self.ours[item].force_release() },
                (false, false) => assert_eq!(self.libcs[item - OURS].lock(), Found::Clean),
                (false, true) => self.libcs[item - OURS].unlock(),
            }
            held[item] = !held[item];
        }
    }
}

fn is_held_after(course: &[usize], item: usize) -> bool {
    course.iter().filter(|&&done| done == item).count() == 1
}

fn check_libcs(mixture: &Mixture, course: &[usize]) {
    for (index, mutex) in mixture.libcs.iter().enumerate() {
        let held = is_held_after(course, index + OURS);
        let expected = if held { Found::OwnerDied } else { Found::Clean };
        assert_eq!(
            mutex.try_lock(),
            Some(expected),
            "{course:?}, libc's {index}"
        );
        mutex.unlock();
    }
}

fn check_ours(mixture: &Mixture, course: &[usize], check: fn(&Lock<u32>) -> bool) {
    for (index, lock) in mixture.ours.iter().enumerate() {
        let right = if is_held_after(course, index) {
            check(lock)
        } else {
            is_sound_and_free(lock)
        };
        assert!(right, "{course:?}, lock {index}");
    }
}

#[test]
fn both_kinds_are_recovered_in_any_order() {
    let mut mixture: Mapped<Mixture> = Mapped::zeroed();
    for course in courses() {
        mixture.clear();
        mixture.libcs.iter().for_each(Pthread::initialize);
        die_doing(|| mixture.run(&course));
        check_libcs(&mixture, &course);
        check_ours(&mixture, &course, is_poisoned_and_free);
    }
}

#[test]
fn a_thread_ends_with_both_kinds_held() {
    let mut mixture: Mapped<Mixture> = Mapped::zeroed();
    for course in courses() {
        mixture.clear();
        mixture.libcs.iter().for_each(Pthread::initialize);
        die_doing(|| {
            // A scope would end a little earlier than the thread.
            let (shared, course) = (static_in_child(&*mixture), course.clone());
            let thread = thread::spawn({
                let course = course.clone();
                move || shared.run(&course)
            });
            thread.join().expect("it just ends");
            check_libcs(&mixture, &course);
            check_ours(&mixture, &course, is_held);
        });
        check_ours(&mixture, &course, is_poisoned_and_free);
    }
}

// ---- Other robust lists --------------------------------------------------------------------------------------

#[test]
fn a_list_like_musls_is_as_good() {
    let locks: Mapped<[Lock<u32>; 3]> = Mapped::zeroed();
    die_doing(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                register_list(MUSLS_OFFSET);
                locks.iter().for_each(hold);
                // SAFETY: held by this thread, whose guard was forgotten.
                unsafe { locks[1].force_release() };
                kill_me();
            });
        });
    });
    assert!(is_poisoned_and_free(&locks[0]));
    assert!(is_sound_and_free(&locks[1]));
    assert!(is_poisoned_and_free(&locks[2]));
}

#[test]
fn a_thread_that_ends_behind_libcs_back_is_dead() {
    for offset in [None, Some(MUSLS_OFFSET)] {
        let lock: Mapped<Lock<u32>> = Mapped::zeroed();
        let child = fork(|| {
            let shared = static_in_child(&*lock);
            thread::spawn(move || {
                if let Some(offset) = offset {
                    register_list(offset);
                }
                hold(shared);
                // SAFETY: ends the thread; its stack and thread-locals stay.
                unsafe { libc::syscall(libc::SYS_exit, 0) };
            });
            until(|| is_poisoned_and_free(&lock)).expect("the kernel tells");
        });
        child.succeed();
    }
}

/// A thread that has no list gets one.
#[test]
fn a_thread_without_a_list_is_recovered_too() {
    let lock: Mapped<Lock<u32>> = Mapped::zeroed();
    die_doing(|| {
        unregister_list();
        hold(&lock);
    });
    assert!(is_poisoned_and_free(&lock));
}

// ---- Swaps -------------------------------------------------------------------------------------------------

/// Safe code: a leaked inner lock is replaced through the guard of an outer one. The fresh one has
/// no links, so the kernel's walk ends there, and the older locks stay locked for ever.
#[test]
#[ignore = "fails: the links of a lock that was overwritten while held are gone"]
fn a_lock_replaced_while_held_loses_no_other() {
    let locks: Mapped<(Lock<Lock<u32>>, Lock<u32>)> = Mapped::zeroed();
    die_doing(|| {
        let (outer, older) = (&locks.0, &locks.1);
        hold(older);
        let mut guard = outer.acquire().expect("free");
        hold(&*guard);
        *guard = Lock::new(0);
        forget(guard);
    });
    assert!(is_poisoned_and_free(&locks.0), "the outer one");
    assert!(is_poisoned_and_free(&locks.1), "an older one");
}

// ---- Conditions --------------------------------------------------------------------------------------

struct Meeting {
    condition: Condition,
    lock: Lock<u32>,
}

// SAFETY: promised in the documentation of both.
unsafe impl Plain for Meeting {}

impl Meeting {
    /// A process that waits.
    fn attend(&self) -> Child {
        fork(|| {
            let mut guard = self.lock.acquire().expect("no holder dies");
            self.condition.wait(&mut guard).expect("no holder dies");
        })
    }

    fn until_waiting(&self, count: usize) {
        until(|| sleepers(&self.condition) == count).expect("they fall asleep");
    }
}

/// As many may be on their way from a wait to the lock at a time.
const RETURNING: usize = 5;

/// An operation that is under way has the pending slot; a lock that is used in the middle of it must not
/// bring back what the slot named before.
#[test]
fn a_lock_used_in_a_barriers_action_hides_no_older_one() {
    let older: Mapped<Lock<u32>> = Mapped::zeroed();
    let newest: Mapped<Lock<u32>> = Mapped::zeroed();
    let in_action: Mapped<Lock<u32>> = Mapped::zeroed();
    let released = Mapped::<Gate>::zeroed();
    let passed_on = Mapped::<Gate>::zeroed();
    let child = fork(|| {
        hold(&older);
        let guard = newest.acquire().expect("free and sound");
        let meeting = Barrier::new(1).wait_with_action(|| {
            drop(in_action.acquire().expect("free and sound"));
        });
        assert!(meeting.is_ok());
        drop(guard);
        released.open();
        passed_on.wait();
        kill_me();
    });
    released.wait();
    // The links in it lead through this process now.
    hold(&newest);
    passed_on.open();
    let end = child.join();
    assert_eq!(end, Ok(End::Killed(nix::sys::signal::Signal::SIGKILL)));
    assert!(is_poisoned_and_free(&older));
    // SAFETY: held by this thread, by a guard that was forgotten.
    unsafe { newest.force_release() };
}

#[test]
fn those_who_died_returning_from_a_wait_keep_nobody_waiting() {
    let meeting: Mapped<Meeting> = Mapped::zeroed();
    let returning: Vec<Child> = (0..RETURNING).map(|_| meeting.attend()).collect();
    meeting.until_waiting(RETURNING);
    let guard = meeting.lock.acquire().expect("no holder dies");
    meeting.condition.notify_all();
    until_asleep(&meeting.lock, RETURNING);
    returning.into_iter().for_each(Child::kill);
    drop(guard);

    let next = meeting.attend();
    meeting.until_waiting(1);
    meeting.condition.notify_one();
    // A second is how long it would take to find out by looking around.
    let end = next.join_within(Duration::from_millis(700));
    assert_eq!(end, Ok(End::Exited(0)));
}
