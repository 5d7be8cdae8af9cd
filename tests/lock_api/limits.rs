//! What cannot succeed: `try_lock` says so, a timeout is waited out, `lock` ends the process and says why.

use std::fs::File;
use std::io::{Read, Seek};
use std::mem::forget;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use procsync::AcquireError;
use procsync::lock_api::{Mutex, MutexGuard};

use crate::common::{End, Mapped, fork};
use crate::scene::{is_free, keeps_timeouts, wherever_it_is};

fn says(words: &str, why: AcquireError<()>) -> bool {
    words.contains(&why.to_string())
}

/// All ways to try fail, each as it should.
fn cannot_be_had(mutex: &Mutex<u32>) {
    assert!(mutex.try_lock().is_none());
    let started = Instant::now();
    assert!(mutex.try_lock_for(Duration::ZERO).is_none());
    assert!(mutex.try_lock_until(started).is_none());
    keeps_timeouts(mutex);
}

/// What a child says as `body` aborts it.
fn last_words(body: impl FnOnce()) -> String {
    let mut said: File = tempfile::tempfile().expect("a file");
    let child = fork(|| {
        nix::unistd::dup2_stderr(&said).expect("a descriptor");
        body();
    });
    assert_eq!(child.join(), Ok(End::Killed(Signal::SIGABRT)));
    said.rewind().expect("a file");
    let mut words = String::new();
    said.read_to_string(&mut words).expect("text");
    words
}

#[test]
fn what_the_thread_holds_cannot_be_had_again() {
    wherever_it_is(|mutex| {
        let guard = mutex.lock();
        cannot_be_had(mutex);
        assert!(mutex.is_locked() && !is_free(mutex));
        drop(guard);
        assert!(is_free(mutex));
    });
}

#[test]
fn to_wait_for_oneself_is_the_end() {
    let ends: [fn(&Mutex<u32>); 2] = [
        |mutex| drop(mutex.lock()),
        |mutex| drop(mutex.try_lock_for(Duration::MAX)),
    ];
    for end in ends {
        wherever_it_is(|mutex| {
            let words = last_words(|| {
                let _guard = mutex.lock();
                end(mutex);
            });
            assert!(says(&words, AcquireError::Deadlock), "{words}");
        });
    }
}

#[test]
fn the_last_words_name_the_callers_line() {
    let mutex = Mutex::new(0);
    let here = line!() + 3;
    let words = last_words(|| {
        let _guard = mutex.lock();
        let _again = mutex.lock();
    });
    assert!(words.contains(&format!("{}:{here}:", file!())), "{words}");
}

#[test]
fn one_more_than_the_kernel_tracks_cannot_be_had() {
    const HELD_MAX: usize = 2047;
    let mutexes: Mapped<[Mutex<u32>; HELD_MAX + 1]> = Mapped::zeroed();
    let (more, most) = mutexes.split_last().expect("there are some");
    let words = last_words(|| {
        most.iter().for_each(|mutex| forget(mutex.lock()));
        cannot_be_had(more);
        assert!(!more.is_locked());
        // SAFETY: this thread holds it, and the guard is forgotten.
        unsafe { most[0].force_unlock() };
        assert!(more.try_lock().is_some());
        forget(most[0].lock());
        drop(more.lock());
    });
    assert!(says(&words, AcquireError::TooManyHeld), "{words}");
    assert!(more.try_lock().is_some());
}

/// Were it a panic, which can be caught, there would be two guards.
#[test]
fn to_keep_the_lock_from_the_inside_of_unlocked_is_the_end() {
    wherever_it_is(|mutex| {
        let words = last_words(|| {
            let mut kept = None;
            let mut guard = mutex.lock();
            MutexGuard::unlocked(&mut guard, || kept = Some(mutex.lock()));
        });
        assert!(says(&words, AcquireError::Deadlock), "{words}");
    });
}
