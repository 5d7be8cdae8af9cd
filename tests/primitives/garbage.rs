//! Primitives in memory that somebody scribbled over: wrong answers, but no panic, and no wait that a
//! timeout cannot end.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use procsync::{Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore, Timer};

use crate::common::{End, Mapped, fork, sleepers, until};
use crate::scene::{LONG, the_past};

const PATIENCE: Duration = Duration::from_millis(10);

/// Room for any primitive.
type Words = [AtomicU64; 16];

fn fill(words: &Words, mut next: impl FnMut() -> u64) {
    words
        .iter()
        .for_each(|word| word.store(next(), Ordering::SeqCst));
}

/// Looks at the words as a primitive.
fn as_one<P>(words: &Words) -> &P {
    const { assert!(size_of::<P>() <= size_of::<Words>() && align_of::<P>() <= 8) };
    // SAFETY: large and aligned enough, shared and changeable, and each primitive is valid for any bit
    // pattern.
    unsafe { &*std::ptr::from_ref(words).cast() }
}

/// The same bytes everywhere, single bits, and random ones.
fn for_each_garbage(random: u64, test: impl Fn(&mut dyn FnMut() -> u64)) {
    for byte in [0x00, 0xff, 0x55, 0xaa, 0x01, 0x80, 0x7f, 0xfe] {
        test(&mut || u64::from_ne_bytes([byte; 8]));
    }
    for word in [0x7fff_ffff, 0x8000_0000, 0xc000_0000, 0x4000_0000_u64] {
        test(&mut || word << 32 | word);
    }
    for seed in 0..random {
        let mut random = fastrand::Rng::with_seed(seed);
        test(&mut || random.u64(..));
    }
}

/// Runs `test` on all kinds of garbage, in private and in shared memory, in a process of its own.
fn on_garbage<P>(random: u64, test: impl Fn(&P)) {
    let child = fork(|| {
        let private: Box<Words> = Box::default();
        let shared: Mapped<Words> = Mapped::zeroed();
        for words in [&*private, &*shared] {
            for_each_garbage(random, |next| {
                fill(words, next);
                test(as_one(words));
            });
        }
    });
    let end = child.join_within(LONG);
    assert_eq!(end, Ok(End::Exited(0)));
}

#[test]
fn events() {
    on_garbage(40, |event: &Event| {
        let _ = format!("{event:?}");
        event.wait_timeout(PATIENCE);
        event.wait_until(the_past());
        event.set();
        assert!(event.is_set() && event.wait_timeout(PATIENCE));
        event.clear();
        assert!(!event.is_set() && !event.wait_timeout(PATIENCE));
    });
}

#[test]
fn semaphores() {
    on_garbage(40, |semaphore: &Semaphore| {
        let _ = format!("{semaphore:?}");
        let _ = semaphore.try_acquire();
        let _ = semaphore.acquire_timeout(PATIENCE);
        let _ = semaphore.release(0);
        let _ = semaphore.release(1);
        let _ = semaphore.release(u32::MAX);
        assert!(semaphore.available_permits() <= Semaphore::MAX_PERMITS);
    });
    on_garbage(40, |semaphore: &BoundedSemaphore| {
        let _ = format!("{semaphore:?} {}", semaphore.bound());
        let _ = semaphore.try_acquire();
        let _ = semaphore.acquire_until(Instant::now() + PATIENCE);
        let _ = semaphore.release(0);
        let _ = semaphore.release(1);
        let _ = semaphore.release(u32::MAX);
        assert!(semaphore.available_permits() <= Semaphore::MAX_PERMITS);
    });
}

#[test]
fn barriers() {
    on_garbage(40, |barrier: &Barrier| {
        let _ = format!("{barrier:?}");
        let _ = barrier.wait_timeout(PATIENCE);
        let _ = barrier.wait_timeout(Duration::ZERO);
        let _ = barrier.wait_with_action_until(Instant::now() + PATIENCE, || ());
        barrier.reset();
        let _ = barrier.wait_timeout(PATIENCE);
        barrier.abort();
        assert!(barrier.is_broken() && barrier.wait().is_err());
        barrier.reset();
    });
}

/// Where there is no room to count one more party.
#[test]
fn a_barrier_that_is_fuller_than_full() {
    on_garbage(0, |barrier: &Barrier| {
        // SAFETY: the state, the first word of a barrier, and the number of parties behind it.
        let words: &[AtomicU64; 2] = unsafe { &*std::ptr::from_ref(barrier).cast() };
        for history in [0, u64::MAX << 54] {
            words[0].store(history | 0x003f_ffff_0000_0000, Ordering::SeqCst);
            words[1].store(u64::MAX, Ordering::SeqCst);
            assert!(barrier.wait_timeout(PATIENCE).is_err());
            barrier.reset();
        }
    });
}

/// Not `run`: it waits until the thread has come to an end that seems to run the timer already.
#[test]
fn timers() {
    on_garbage(40, |timer: &Timer| {
        let _ = format!("{timer:?}");
        timer.remaining();
        timer.wait_timeout(PATIENCE);
        timer.wait_until(the_past());
        timer.cancel();
        timer.wait_timeout(PATIENCE);
        timer.reset();
        timer.wait_timeout(PATIENCE);
        timer.state();
    });
}

/// All of its places seem to be taken, by one that lives and never comes back.
#[test]
fn a_condition_without_places() {
    const FIRST_PLACE: usize = 20 / 4;
    const PLACES: usize = 5;
    let scene: Mapped<([AtomicU32; 10], Lock<u32>)> = Mapped::zeroed();
    let (words, lock) = &*scene;
    let ours = fork(|| {
        thread::park();
    });
    // SAFETY: as many words as it has, and it is valid for any bit pattern.
    let condition: &Condition = unsafe { &*std::ptr::from_ref(words).cast() };
    let waiter = fork(|| {
        let mut guard = lock.acquire().expect("it is free");
        let timeout = Duration::from_millis(300);
        assert_eq!(condition.wait_timeout(&mut guard, timeout), Ok(false));
    });
    until(|| sleepers(condition) > 0).expect("it sleeps");
    for place in &words[FIRST_PLACE..FIRST_PLACE + PLACES] {
        place.store(ours.pid().as_raw().unsigned_abs(), Ordering::SeqCst);
    }
    condition.notify_one();
    assert_eq!(waiter.join_within(LONG), Ok(End::Exited(0)));
    ours.kill();
}

#[test]
fn conditions() {
    on_garbage(4, |condition: &Condition| {
        let (lock, nested) = (Lock::new(()), RLock::new(()));
        let shared: Mapped<Lock<u32>> = Mapped::zeroed();
        let _ = format!("{condition:?}");
        condition.notify(1);
        condition.notify_all();
        let mut guard = lock.acquire().expect("sound");
        let _ = condition.wait_timeout(&mut guard, PATIENCE);
        let mut guard = nested.acquire().expect("sound");
        let _ = condition.wait_until(&mut guard, the_past());
        let mut guard = shared.acquire().expect("sound");
        let _ = condition.wait_timeout(&mut guard, PATIENCE);
        condition.notify_all();
        let _ = condition.wait_for_timeout(&mut guard, PATIENCE, |_| false);
    });
}

#[test]
fn locks() {
    on_garbage(40, |lock: &Lock<u32>| {
        let _ = format!("{lock:?} {:?}", lock.owner());
        let _ = lock.is_poisoned();
        let _ = lock.try_acquire().map(|guard| *guard);
        let _ = lock.acquire_timeout(PATIENCE).map(|guard| *guard);
        lock.clear_poison();
    });
}
