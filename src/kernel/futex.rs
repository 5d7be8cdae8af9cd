//! Futexes: sleeping and waking, and what the kernel knows of sleepers and of owners.
//!
//! Sources: `futex(2)`, `futex_waitv(2)`.

use core::num::NonZeroU32;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use core::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex;

use super::{Expected, Waited};
use crate::deadline::{self, Deadline};

/// Futexes of memory that other processes have too: never the private ones, which live apart.
const SHARED: futex::Flags = futex::Flags::empty();
const ANY_WAKER: NonZeroU32 = NonZeroU32::MAX;

/// Sleeps while `word` holds `expected`, at most until `deadline`. Signals do not end the wait, and
/// as the deadline is absolute they do not prolong it.
///
/// With a deadline by `futex_waitv(2)`, which knows no timer slack: by the other the kernel may wake the
/// thread 50 µs later than it could. (`kernel/futex/syscalls.c`, `futex2_setup_timeout`; `prctl(2)`,
/// `PR_SET_TIMERSLACK`)
pub(crate) fn wait(word: Futex<'_>, expected: u32, deadline: Option<Deadline>) -> Waited {
    let punctual = deadline.and_then(|deadline| {
        let one = [waiter_for((word, expected), futex::WaitFlags::SIZE_U32)];
        wait_for_any(&one, Some(deadline))
    });
    punctual.map_or_else(|| wait_roughly(word, expected, deadline), |(_, end)| end)
}

fn wait_roughly(word: Futex<'_>, expected: u32, deadline: Option<Deadline>) -> Waited {
    let until = deadline.map(Deadline::as_timespec);
    loop {
        match futex::wait_bitset(word, SHARED, expected, until.as_ref(), ANY_WAKER) {
            Ok(()) => return Waited::Woken,
            Err(Errno::INTR) => {}
            Err(Errno::TIMEDOUT) => return Waited::TimedOut,
            Err(_) => return Waited::Changed,
        }
    }
}

/// A futex word, as part of whatever it is part of.
pub(crate) type Futex<'word> = &'word AtomicU32;

/// The whole of it.
#[inline]
pub(crate) fn whole(word: &AtomicU32) -> Futex<'_> {
    word
}

/// Where that is, in bytes, that [`low_half`] answers with.
pub(crate) const LOW_HALF_AT: usize = if cfg!(target_endian = "big") { 4 } else { 0 };

/// The less significant half. Only the kernel looks at it alone, and it only reads.
#[inline]
pub(crate) fn low_half(word: &AtomicU64) -> Futex<'_> {
    let halves = ptr::from_ref(word).cast::<AtomicU32>();
    let low = halves.wrapping_byte_add(LOW_HALF_AT);
    // SAFETY: a part of what the reference is to, aligned, and atomic like the whole.
    unsafe { &*low }
}

/// Where it is, for [`wake`].
#[inline]
pub(crate) fn address(word: Futex<'_>) -> *const AtomicU32 {
    word
}

/// Without `futex_waitv(2)`, how long a sleeper stays away from the words that it does not sleep on.
const RECHECK: Duration = Duration::from_millis(100);

/// Sleeps while each word holds what is expected of it, at most until `deadline`; also answers
/// through which word it was woken, where it was. If through several, the last. There are `MAX` words at
/// most.
///
/// The kernel looks at the words one after the other, and enters the queue of each as it does. So when the
/// thread is in all queues, it looks at those once more that are `unmoved`, and in which a death may have
/// left a mark meanwhile: as private futexes, which nobody ever wakes. (`kernel/futex/waitwake.c`,
/// `futex_wait_multiple_setup`, `futex_unqueue_multiple`)
///
/// Before Linux 5.16, and where a sandbox does not let `futex_waitv(2)` through, it sleeps on the
/// first word alone, and for [`RECHECK`] at most.
pub(crate) fn wait_any<'word, const MAX: usize>(
    words: impl IntoIterator<Item = Expected<'word>>,
    unmoved: impl IntoIterator<Item = Expected<'word>>,
    deadline: Option<Deadline>,
) -> (usize, Waited) {
    let private = futex::WaitFlags::SIZE_U32 | futex::WaitFlags::PRIVATE;
    let mut words = words.into_iter().peekable();
    let first = words.peek().copied();
    let asleep = words.map(|word| waiter_for(word, futex::WaitFlags::SIZE_U32));
    let looks = unmoved.into_iter().map(|word| waiter_for(word, private));
    let mut waiters = [futex::Wait::new(); MAX];
    let all = waiters.iter_mut().zip(asleep.chain(looks));
    let count = all.map(|(place, waiter)| *place = waiter).count();
    let end = wait_for_any(&waiters[..count], deadline);
    let first_alone = || first.map_or(Waited::Changed, |word| wait_for_a_while(word, deadline));
    end.unwrap_or_else(|| (0, first_alone()))
}

/// `futex_waitv(2)`; `None`: there is none, or it does not do.
fn wait_for_any(waiters: &[futex::Wait], deadline: Option<Deadline>) -> Option<(usize, Waited)> {
    static MISSING: AtomicBool = AtomicBool::new(false);
    if MISSING.load(Ordering::Relaxed) {
        return None;
    }
    let until = deadline.map(Deadline::as_timespec);
    let clock = rustix::time::ClockId::Monotonic;
    loop {
        match futex::waitv(waiters, futex::WaitvFlags::empty(), until.as_ref(), clock) {
            Ok(index) => return Some((index, Waited::Woken)),
            Err(Errno::INTR) => {}
            Err(Errno::TIMEDOUT) => return Some((0, Waited::TimedOut)),
            Err(Errno::AGAIN) => return Some((0, Waited::Changed)),
            Err(error) => {
                let missing = matches!(error, Errno::NOSYS | Errno::PERM);
                MISSING.fetch_or(missing, Ordering::Relaxed);
                return None;
            }
        }
    }
}

fn waiter_for((word, expected): Expected<'_>, flags: futex::WaitFlags) -> futex::Wait {
    let mut waiter = futex::Wait::new();
    waiter.val = u64::from(expected);
    waiter.uaddr = futex::WaitPtr::new(ptr::from_ref(word).cast_mut().cast());
    waiter.flags = flags;
    waiter
}

fn wait_for_a_while((word, expected): Expected<'_>, deadline: Option<Deadline>) -> Waited {
    match deadline::earlier(deadline, RECHECK) {
        Some(recheck) => match wait(word, expected, Some(recheck)) {
            Waited::TimedOut => Waited::Recheck,
            other => other,
        },
        None => wait(word, expected, deadline),
    }
}

/// Sets a bit of `word` and wakes all its sleepers, in one step that no death divides.
pub(crate) fn set_bit_and_wake_all(word: &AtomicU32, bit: u16) {
    // Should the comparison be true, it wakes all who are left.
    change_and_wake(word, futex::WakeOp::OrShift, bit, ALL, 0);
}

/// Adds `addend` to `word` and wakes up to `count` of its sleepers, at least one, in one step that no
/// death divides; how many were woken. `never`: a value that the word does not have.
pub(crate) fn add_and_wake(word: &AtomicU32, addend: u16, count: u32, never: u16) -> usize {
    change_and_wake(word, futex::WakeOp::Add, addend, count, never)
}

/// Makes `word` hold one bit and nothing else, and wakes all its sleepers, in one step that no death divides.
pub(crate) fn make_and_wake_all(word: Futex<'_>, bit: u16) {
    change_and_wake(word, futex::WakeOp::SetShift, bit, ALL, 0);
}

/// All sleepers. The kernel counts with an `int`.
const ALL: u32 = i32::MAX.unsigned_abs();

/// `FUTEX_WAKE_OP`, which can also compare the word with a number and wake more of its sleepers if
/// they are equal.
fn change_and_wake(
    word: &AtomicU32,
    change: futex::WakeOp,
    operand: u16,
    count: u32,
    never: u16,
) -> usize {
    let equal = futex::WakeOpCmp::Eq;
    let count = count.min(ALL);
    futex::wake_op(word, SHARED, count, 0, word, change, equal, operand, never).unwrap_or(0)
}

/// Whether no thread has this TID any more, or one that is dead, and whose robust list the kernel
/// has been through. Not fooled by zombies; by another thread that was given the TID since, it is.
///
/// The kernel checks that the owner of a priority-inheritance futex lives, before it lets anybody
/// wait for it. So we ask for one, in private memory, that the thread seems to own. (`kernel/futex/
/// pi.c`, `attach_to_pi_owner` and `handle_exit_race`.)
pub(crate) fn is_gone(tid: u32) -> bool {
    let owned = AtomicU32::new(tid);
    futex::trylock_pi(&owned, futex::Flags::PRIVATE) == Err(Errno::SRCH)
}

/// Wakes up to `count` sleepers of `word`, the longest asleep first; how many.
///
/// An address, not a reference: a releaser calls this when the lock is no longer its own, and the
/// next owner may free the memory first. The kernel answers a stale address with an error, or with
/// a wake-up that its receiver takes for a spurious one.
pub(crate) fn wake(word: *const AtomicU32, count: usize) -> usize {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    // SAFETY: FUTEX_WAKE does not read or write the memory, it looks for sleepers by address.
    let woken = unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE, count) };
    usize::try_from(woken).unwrap_or(0)
}

/// How many threads sleep on `word` now. The dead are not among them.
pub(crate) fn count_sleepers(word: &AtomicU32) -> usize {
    count_sleepers_at(word)
}

/// The same of a word that is mapped to be read only, or may not be there any more: then nobody is
/// counted. Nobody looks at the word, not even the kernel, which looks for sleepers by address.
///
/// A requeue from the word to itself that wakes nobody moves nobody either, and answers how many it
/// looked at.
pub(crate) fn count_sleepers_at(word: *const AtomicU32) -> usize {
    ask_for_sleepers(word).unwrap_or(0)
}

/// Whether it is certain that nobody sleeps on `word`: a sandbox may have refused to tell.
pub(crate) fn nobody_sleeps(word: &AtomicU32) -> bool {
    ask_for_sleepers(word) == Some(0)
}

fn ask_for_sleepers(word: *const AtomicU32) -> Option<usize> {
    // SAFETY: FUTEX_REQUEUE neither reads nor writes the memory, and moves nobody from a word to itself.
    let found = unsafe {
        let requeue = libc::FUTEX_REQUEUE;
        libc::syscall(libc::SYS_futex, word, requeue, 0_u32, i64::from(ALL), word)
    };
    usize::try_from(found).ok()
}

/// Lets all who sleep on one word sleep on another; what they hold does not matter.
pub(crate) fn requeue(from: &AtomicU32, to: &AtomicU32) {
    // It fails for addresses that are not mapped only.
    let _ = futex::requeue(from, SHARED, 0, ALL, to);
}

/// Waits until another thread of this process calls [`raise_flag`].
pub(crate) fn wait_for_flag(flag: &AtomicU32) {
    while flag.load(Ordering::Acquire) == 0 {
        wait(flag, 0, None);
    }
}

/// Ends the wait of [`wait_for_flag`], after which the flag may be gone.
pub(crate) fn raise_flag(flag: &AtomicU32) {
    let address = ptr::from_ref(flag);
    flag.store(1, Ordering::Release);
    wake(address, 1);
}
