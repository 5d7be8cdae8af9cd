//! Every variant of every error, word by word.

use std::error::Error;
use std::io;

use procsync::{
    AcquireError, BarrierError, Poisoned, ReleaseError, ShareError, TimerError, WaitError,
};

/// Both forms of an error: `Name { message: "…" }`, with that very text.
fn reads(error: &impl Error, name: &str, text: &str) {
    assert_eq!(error.to_string(), text);
    assert_eq!(
        format!("{error:?}"),
        format!("{name} {{ message: {text:?} }}")
    );
}

const TOO_MANY_HELD: &str = "the calling thread can hold no more locks: if it died, the kernel would \
                             recover 2047 of them; release some first, or spread them over threads";
const NO_ROBUST_LIST: &str = "the system keeps no robust list for the calling thread, so that nobody would \
                              hear of its death: get_robust_list(2) and set_robust_list(2) are refused, by \
                              a sandbox perhaps; let them through";

#[test]
fn of_an_acquisition() {
    for (error, name, text) in [
        (
            AcquireError::Poisoned(()),
            "Poisoned",
            "the lock is poisoned: a previous holder died or panicked while holding it; repair the data \
             and call clear_poison, or acquire it with acquire_or_repair",
        ),
        (
            AcquireError::WouldBlock,
            "WouldBlock",
            "the lock is held by another thread; acquire and acquire_timeout wait for it",
        ),
        (
            AcquireError::TimedOut,
            "TimedOut",
            "the lock stayed held by another thread until the deadline; owner tells by which",
        ),
        (
            AcquireError::Deadlock,
            "Deadlock",
            "the calling thread already holds this lock, and would have waited for ever; use the guard \
             it has, or an RLock",
        ),
        (
            AcquireError::RecursionLimit,
            "RecursionLimit",
            "the RLock is held as many times as it can count; drop some guards first",
        ),
        (AcquireError::TooManyHeld, "TooManyHeld", TOO_MANY_HELD),
        (AcquireError::NoRobustList, "NoRobustList", NO_ROBUST_LIST),
    ] {
        reads(&error, name, text);
    }
}

#[test]
fn of_a_wait_with_a_condition() {
    reads(
        &Poisoned,
        "Poisoned",
        "the lock is poisoned: a holder died or panicked while holding it; it is held again, repair the \
         data and call clear_poison",
    );
}

#[test]
fn of_a_release() {
    reads(
        &ReleaseError::Overflow,
        "Overflow",
        "the semaphore would have more than MAX_PERMITS, 2147483647; nothing was released; find what \
         releases more than it acquires",
    );
    reads(
        &ReleaseError::BoundExceeded,
        "BoundExceeded",
        "the semaphore would have more permits than its bound; nothing was released; find what releases \
         permits that nobody acquired, or that their Permit gives back",
    );
    assert_eq!(procsync::Semaphore::MAX_PERMITS, 2_147_483_647);
}

#[test]
fn of_a_barrier() {
    reads(
        &BarrierError::Broken,
        "Broken",
        "the barrier is broken: another party timed out, aborted, panicked or died, or it was reset; call \
         reset once it is known who is left (made of zeros, it has no parties, and is always broken)",
    );
    reads(
        &BarrierError::TimedOut,
        "TimedOut",
        "the others did not come to the barrier in time, which is broken now; call reset once it is known \
         who is left",
    );
}

#[test]
fn of_a_timer() {
    reads(
        &TimerError::AlreadyStarted,
        "AlreadyStarted",
        "the timer is armed, or finished and not reset; wait for its end, and call reset",
    );
    reads(
        &TimerError::Spawn(io::Error::from_raw_os_error(11)),
        "Spawn",
        "no thread could be started for the timer: Resource temporarily unavailable (os error 11); run it \
         on a thread that is there",
    );
    reads(&TimerError::TooManyHeld, "TooManyHeld", TOO_MANY_HELD);
    reads(&TimerError::NoRobustList, "NoRobustList", NO_ROBUST_LIST);
}

#[test]
fn of_a_wait_for_several() {
    reads(
        &WaitError::TimedOut,
        "TimedOut",
        "nothing that was waited for came in time",
    );
    reads(
        &WaitError::NoSources,
        "NoSources",
        "there is nothing to wait for: give one source at least",
    );
    let (found, most) = (65, 64);
    reads(
        &WaitError::TooManySources { found, most },
        "TooManySources",
        "there are 65 sources to wait for, and 64 can be: wait for some in another thread",
    );
}

#[test]
fn of_a_shared_value_without_numbers() {
    for (error, name, text) in [
        (
            ShareError::NotFound,
            "NotFound",
            "nothing has that name, or its directory does not exist (/dev/shm for \"/x\"); look at the \
             name, make the directory, or create the value first, as open_or_create does",
        ),
        (
            ShareError::AlreadyExists,
            "AlreadyExists",
            "something has that name already, perhaps left by an earlier run; open it, use \
             open_or_create, or unlink it first",
        ),
        (
            ShareError::PermissionDenied,
            "PermissionDenied",
            "permission denied: a value's file, or a descriptor of it, must be readable and writable, and its \
             directory writable to create or unlink it; see SharedOptions::mode",
        ),
        (
            ShareError::InvalidName,
            "InvalidName",
            "no file can have that name: write \"/x\" for a POSIX shared-memory name or \"./x\" for the \
             path of a file, no part of it longer than 255 bytes, and no NUL",
        ),
        (
            ShareError::NotRegular,
            "NotRegular",
            "what has that name is not a regular file, but a directory, symbolic link, FIFO, socket or \
             device; take another name, or take it away",
        ),
        (
            ShareError::BadMagic,
            "BadMagic",
            "the file was not made by this crate: other bytes were found where \"procsync\" was expected; \
             take another name",
        ),
        (
            ShareError::ForeignPidNamespace,
            "ForeignPidNamespace",
            "the value was made in another PID namespace (container) than this process is in, and a \
             death would go unseen between the two; run all who share it in one",
        ),
        (
            ShareError::StaleBoot,
            "StaleBoot",
            "the value was made before the last restart of the system, and nobody is left who used it; \
             unlink it and create it anew",
        ),
        (ShareError::NoRobustList, "NoRobustList", NO_ROBUST_LIST),
    ] {
        reads(&error, name, text);
    }
}

#[test]
fn of_a_shared_value_with_what_was_found() {
    let small = ShareError::TooSmall {
        found: 12,
        expected: 128,
    };
    reads(
        &small,
        "TooSmall",
        "the file has 12 bytes where at least 128 were expected: it was cut short, or something else made \
         it; unlink it if nobody needs it, or take another name",
    );
    let owner = ShareError::WrongOwner {
        found: 65534,
        expected: 0,
    };
    reads(
        &owner,
        "WrongOwner",
        "the file belongs to user 65534, who may have been first to take the name; expected was 0; use a \
         directory in which others cannot make files",
    );
    let version = ShareError::VersionMismatch {
        found: 7,
        expected: 2,
    };
    reads(
        &version,
        "VersionMismatch",
        "the file has version 7 of the representation, expected was 2: build all who share it with the \
         same procsync, and unlink it when nobody uses it any more",
    );
    let size = ShareError::SizeMismatch {
        found: 33,
        expected: 32,
    };
    reads(
        &size,
        "SizeMismatch",
        "the file's header is damaged: it tells of a value of 33 bytes, expected were 32; unlink it",
    );
    let layout = |difference: Option<&str>| ShareError::LayoutMismatch {
        found: 0xabc,
        expected: 0xdef,
        difference: difference.map(Box::from),
    };
    reads(
        &layout(None),
        "LayoutMismatch",
        "the file holds a value of another type: its layout is 0x0000000000000abc, expected was \
         0x0000000000000def; unlink it when nobody uses it any more, or take another name",
    );
    reads(
        &layout(Some("`a` is u32 there, and u64 in this program")),
        "LayoutMismatch",
        "the file holds a value of another type: `a` is u32 there, and u64 in this program; its layout is \
         0x0000000000000abc, expected was 0x0000000000000def; unlink it when nobody uses it any more, or \
         take another name",
    );
}

#[test]
fn of_the_system() {
    for (errno, text) in [
        (
            libc::ENOSPC,
            "No space left on device (os error 28); make room on the file system of the name, or use \
             another one",
        ),
        (
            libc::EMFILE,
            "Too many open files (os error 24); close some files, or raise the limit",
        ),
        (
            libc::ENOMEM,
            "Cannot allocate memory (os error 12); the memory, the address space or its limit is used up",
        ),
        (
            libc::ENOTDIR,
            "Not a directory (os error 20); what stands before the last slash must be a directory",
        ),
        (
            libc::EROFS,
            "Read-only file system (os error 30); use a name on another file system",
        ),
        (libc::EIO, "Input/output error (os error 5)"),
    ] {
        let error = ShareError::Os(io::Error::from_raw_os_error(errno));
        reads(&error, "Os", text);
    }
}

/// Who prints a chain of errors prints each text once.
#[test]
fn no_source_says_what_was_said_already() {
    let cause = || io::Error::other(io::Error::other("the cause"));
    for error in [
        Box::new(ShareError::Os(cause())) as Box<dyn Error>,
        Box::new(TimerError::Spawn(cause())),
    ] {
        let mut chain = vec![error.to_string()];
        let mut next = error.source();
        while let Some(source) = next {
            chain.push(source.to_string());
            next = source.source();
        }
        let told = chain.iter().filter(|text| text.contains("the cause"));
        assert_eq!(told.count(), 1, "{chain:?}");
    }
}

#[test]
fn errors_are_small() {
    assert!(size_of::<AcquireError<()>>() <= 1);
    assert!(size_of::<ShareError>() <= 40);
}
