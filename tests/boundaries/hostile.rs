//! A process that may map the memory and means no good: what it can do to another, and what it cannot.
//! (That no content of the memory is a panic, or a wait without an end, is in `tests/primitives`.)

use std::mem::forget;
use std::os::fd::AsFd;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use nix::sys::signal::Signal;
use procsync::{AcquireError, Event, Lock, Semaphore, Shared, inspect};
use rustix::thread::futex;

use crate::common::{End, Gate, Mapped, fork, until};
use crate::{name_in, open_to_all};

/// The words of a lock, for those who do not respect it.
type Words = [AtomicU32; 10];

fn words(lock: &Lock) -> &Words {
    // SAFETY: a lock is ten words, all of them atomics, or never looked at.
    unsafe { &*std::ptr::from_ref(lock).cast() }
}

/// Makes what the lock says of the next entry in its holder's list lead to `target`, as if a lock were
/// there.
fn lead_to(lock: &Lock, target: &AtomicU32) {
    const ENTRY: usize = 32;
    let entry = std::ptr::from_ref(target).addr() + ENTRY;
    let pointer = entry.to_ne_bytes();
    for (word, bytes) in words(lock)[8..].iter().zip(pointer.chunks_exact(4)) {
        word.store(u32::from_ne_bytes(bytes.try_into().unwrap()), Relaxed);
    }
}

fn lock() -> Shared<Lock> {
    Shared::anonymous(Lock::new(())).unwrap()
}

#[test]
fn links_that_were_scribbled_over_are_not_followed_by_a_release() {
    let [older, scribbled, newer] = [lock(), lock(), lock()];
    let canary = Mapped::<[AtomicU32; 32]>::zeroed();
    let guards = [&older, &scribbled, &newer].map(|lock| lock.acquire().unwrap());
    fork(|| lead_to(&scribbled, &canary[8])).succeed();
    drop(guards);
    assert!(canary.iter().all(|word| word.load(Relaxed) == 0));
    for lock in [&older, &scribbled, &newer] {
        assert_eq!(lock.owner(), None);
        drop(lock.acquire().unwrap());
    }
}

#[test]
fn a_death_marks_no_word_but_those_that_name_the_dead() {
    let [older, scribbled] = [lock(), lock()];
    let (canary, gate) = (
        Mapped::<[AtomicU32; 32]>::zeroed(),
        Mapped::<Gate>::zeroed(),
    );
    let victim = fork(|| {
        forget([&older, &scribbled].map(|lock| lock.acquire()));
        gate.open();
        loop {
            std::thread::park();
        }
    });
    until(|| gate.is_open()).unwrap();
    let another = victim.tid() + 1;
    canary.iter().for_each(|word| word.store(another, Relaxed));
    lead_to(&scribbled, &canary[8]);
    let tid = victim.tid();
    victim.kill();
    assert!(canary.iter().all(|word| word.load(Relaxed) == another));
    // That much it can do: the kernel gives the list up there, and what the dead one held is not recovered.
    assert_eq!(older.owner(), Some(tid));
    // Whoever looks sees it.
    let fd = older.as_fd().try_clone_to_owned().unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&fd));
    let report = inspect::open(&path).unwrap().to_string();
    assert!(
        report.contains(&format!("held by {tid}, which is gone")),
        "{report}"
    );
    // And nobody has to wait for ever.
    let in_vain = older.acquire_timeout(Duration::from_millis(1));
    assert!(matches!(in_vain, Err(AcquireError::TimedOut)));
}

procsync::shareable! { struct Desk { lock: Lock, bell: Event, forms: Semaphore } }

fn desk() -> Desk {
    Desk {
        lock: Lock::new(()),
        bell: Event::new(),
        forms: Semaphore::new(0),
    }
}

/// Wakes all who sleep anywhere in it, again and again.
fn rouse(desk: &Desk) -> ! {
    const WORDS: usize = size_of::<Desk>() / size_of::<AtomicU32>();
    // SAFETY: the desk is aligned to more and as long; only addresses of words are used.
    let words: &[AtomicU32; WORDS] = unsafe { &*std::ptr::from_ref(desk).cast() };
    loop {
        for word in words {
            futex::wake(word, futex::Flags::empty(), u32::MAX >> 1).unwrap();
        }
    }
}

#[test]
fn who_is_woken_for_nothing_waits_on_and_no_longer_than_it_would() {
    let desk = Shared::anonymous(desk()).unwrap();
    let holder = desk.clone();
    std::thread::spawn(move || forget(holder.lock.acquire()))
        .join()
        .unwrap();
    let pest = fork(|| rouse(&desk));
    let a_while = Duration::from_millis(50);
    assert!(!desk.bell.wait_timeout(a_while));
    assert!(desk.forms.acquire_timeout(a_while).is_none());
    let lock = desk.lock.acquire_timeout(a_while);
    assert!(matches!(lock, Err(AcquireError::TimedOut)), "{lock:?}");
    assert!(!pest.has_ended());
}

#[test]
fn who_may_write_a_file_can_shorten_it_and_that_is_a_sigbus() {
    let directory = open_to_all();
    let name = name_in(&directory, "x");
    let value = Shared::create(&name, [const { AtomicU32::new(1) }; 4096]).unwrap();
    let reader = fork(|| {
        rustix::fs::ftruncate(value.as_fd(), 4096).unwrap();
        value[4095].store(2, Relaxed);
    });
    assert_eq!(reader.join(), Ok(End::Killed(Signal::SIGBUS)));
}
