//! What may be called in a signal handler.

use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use procsync::{BoundedSemaphore, Event, FutexWait, FutexWord, Lock, Semaphore, Shared, shareable};

use crate::common::{End, fork, until};
use crate::scene::{LONG, SHORT, shared, until_asleep};

shareable! {
    /// What the handlers know.
    pub struct Scene {
        event: Event,
        semaphore: Semaphore,
        bounded: BoundedSemaphore,
        lock: Lock<u32>,
        word: FutexWord,
        handled: AtomicU32,
    }
}

static SCENE: AtomicPtr<Scene> = AtomicPtr::new(std::ptr::null_mut());

/// What the handler of SIGUSR1 does with the scene.
fn the_scene() -> &'static Scene {
    // SAFETY: set by `in_a_child` before any signal, and mapped as long as that process lives.
    unsafe { &*SCENE.load(Ordering::SeqCst) }
}

extern "C" fn set_event(_: i32) {
    the_scene().event.set();
    the_scene().handled.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn release_semaphore(_: i32) {
    let _ = the_scene().semaphore.release(1);
    the_scene().handled.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn release_bounded(_: i32) {
    let _ = the_scene().bounded.release(1);
    the_scene().handled.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn do_nothing(_: i32) {
    the_scene().handled.fetch_add(1, Ordering::SeqCst);
}

/// In a process of its own, whose SIGUSR1 is handled so.
fn in_a_child(handler: extern "C" fn(i32), test: impl FnOnce(&'static Shared<Scene>)) {
    in_a_child_with(SaFlags::empty(), handler, test);
}

fn in_a_child_with(
    flags: SaFlags,
    handler: extern "C" fn(i32),
    test: impl FnOnce(&'static Shared<Scene>),
) {
    let child = fork(|| {
        let scene: &'static Shared<Scene> = Box::leak(Box::new(shared(Scene {
            event: Event::new(),
            semaphore: Semaphore::new(0),
            bounded: BoundedSemaphore::new(1),
            lock: Lock::new(0),
            word: FutexWord::new(0),
            handled: AtomicU32::new(0),
        })));
        scene.bounded.acquire().forget();
        SCENE.store((&raw const **scene).cast_mut(), Ordering::SeqCst);
        let action = SigAction::new(SigHandler::Handler(handler), flags, SigSet::empty());
        // SAFETY: the handlers call what the crate allows in them.
        unsafe { sigaction(Signal::SIGUSR1, &action) }.expect("a handler can be set");
        test(scene);
    });
    assert_eq!(child.join_within(LONG), Ok(End::Exited(0)));
}

fn signal<T>(thread: &JoinHandle<T>) {
    // SAFETY: a thread that was not joined.
    let result = unsafe { libc::pthread_kill(thread.as_pthread_t(), libc::SIGUSR1) };
    assert_eq!(result, 0, "the thread lives");
}

#[test]
fn an_event_is_set_by_a_handler_that_interrupted_its_wait() {
    in_a_child(set_event, |scene| {
        let waiter = thread::spawn(|| scene.event.wait());
        until_asleep(&scene.event, 1);
        signal(&waiter);
        waiter.join().expect("no panic");
        assert!(scene.event.is_set());
    });
}

#[test]
fn others_are_released_by_a_handler_that_interrupted_a_wait() {
    in_a_child(set_event, |scene| {
        let waiters = [(); 3].map(|()| thread::spawn(|| scene.event.wait_timeout(LONG)));
        until_asleep(&scene.event, 3);
        signal(&waiters[1]);
        for waiter in waiters {
            assert!(waiter.join().expect("no panic"));
        }
    });
}

#[test]
fn a_permit_is_released_by_a_handler_that_interrupted_its_wait() {
    in_a_child(release_semaphore, |scene| {
        let waiter = thread::spawn(|| scene.semaphore.acquire().forget());
        until_asleep(&scene.semaphore, 1);
        signal(&waiter);
        waiter.join().expect("no panic");
        assert_eq!(scene.semaphore.available_permits(), 0);
    });
    in_a_child(release_bounded, |scene| {
        let waiter = thread::spawn(|| scene.bounded.acquire().forget());
        until_asleep(&scene.bounded, 1);
        signal(&waiter);
        waiter.join().expect("no panic");
        assert_eq!(scene.bounded.available_permits(), 0);
    });
}

/// The thread that is signalled has never called the crate, and does not afterwards.
#[test]
fn a_thread_that_knows_nothing_releases_in_a_handler() {
    in_a_child(release_semaphore, |scene| {
        let waiter = thread::spawn(|| scene.semaphore.acquire_timeout(LONG).is_some());
        until_asleep(&scene.semaphore, 1);
        let stranger = thread::spawn(|| {
            while the_scene().handled.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
        });
        signal(&stranger);
        assert!(waiter.join().expect("no panic"));
        stranger.join().expect("no panic");
    });
}

/// A handler comes at any instruction of an operation, also of one that has armed something itself.
#[test]
fn handlers_release_in_the_middle_of_everything() {
    const SIGNALS: u32 = 500;
    in_a_child(release_semaphore, |scene| {
        let busy = thread::spawn(|| {
            let mut taken = 0;
            while taken < SIGNALS {
                drop(scene.lock.acquire());
                let patience = Duration::from_micros(u64::from(taken % 30));
                if let Some(permit) = scene.semaphore.acquire_timeout(patience) {
                    permit.forget();
                    taken += 1;
                }
            }
        });
        for sent in 1..=SIGNALS {
            signal(&busy);
            let handled = || scene.handled.load(Ordering::SeqCst) == sent;
            until(handled).expect("it is handled");
        }
        busy.join().expect("no panic");
        assert_eq!(scene.semaphore.available_permits(), 0);
        assert!(!scene.lock.is_locked() && !scene.lock.is_poisoned());
    });
}

/// Whether or not the kernel restarts the system calls that it interrupts.
#[test]
fn signals_neither_end_nor_prolong_a_wait() {
    for flags in [SaFlags::empty(), SaFlags::SA_RESTART] {
        in_a_child_with(flags, do_nothing, be_signalled_while_waiting);
    }
}

fn be_signalled_while_waiting(scene: &'static Shared<Scene>) {
    let taker = thread::spawn(|| scene.semaphore.acquire_timeout(LONG).is_some());
    until_asleep(&scene.semaphore, 1);
    signal_often(&taker, scene);
    until_asleep(&scene.semaphore, 1);
    scene.semaphore.release(1).expect("there is room");
    assert!(taker.join().expect("no panic"));

    let waits: [fn(&FutexWord) -> FutexWait; 2] =
        [|word| word.wait(0), |word| word.wait_timeout(0, LONG)];
    for wait in waits {
        let waiter = thread::spawn(move || wait(&scene.word) == FutexWait::Woken);
        until_asleep(&scene.word, 1);
        signal_often(&waiter, scene);
        until_asleep(&scene.word, 1);
        assert_eq!(scene.word.wake(1), 1);
        assert!(waiter.join().expect("no panic"));
    }

    let waiter = thread::spawn(|| {
        let started = std::time::Instant::now();
        !scene.event.wait_timeout(10 * SHORT) && started.elapsed() >= 10 * SHORT
    });
    until_asleep(&scene.event, 1);
    signal_often(&waiter, scene);
    assert!(waiter.join().expect("no panic"));
}

/// Each signal is handled before the next one comes, until the thread ends.
fn signal_often<T>(thread: &JoinHandle<T>, scene: &Scene) {
    const SIGNALS: u32 = 50;
    let before = scene.handled.load(Ordering::SeqCst);
    for sent in 1..=SIGNALS {
        signal(thread);
        let handled = || scene.handled.load(Ordering::SeqCst) == before + sent;
        until(|| handled() || thread.is_finished()).expect("it is handled");
    }
}
