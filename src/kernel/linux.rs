//! Linux: futexes, the robust list, threads and forks.
//!
//! Sources: `futex(2)`, `get_robust_list(2)`, the kernel's
//! `Documentation/locking/robust-futex-ABI.rst`.

use core::ffi::c_void;
use core::num::NonZeroU32;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence};
use core::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex;

use super::{Expected, RobustHead, Waited};
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

/// `futex_waitv(2)`; `None`: there is none.
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
    // SAFETY: FUTEX_REQUEUE neither reads nor writes the memory, and moves nobody from a word to itself.
    let found = unsafe {
        let requeue = libc::FUTEX_REQUEUE;
        libc::syscall(libc::SYS_futex, word, requeue, 0_u32, i64::from(ALL), word)
    };
    usize::try_from(found).unwrap_or(0)
}

/// Lets all who sleep on one word sleep on another; what they hold does not matter.
pub(crate) fn requeue(from: &AtomicU32, to: &AtomicU32) {
    // It fails for addresses that are not mapped only.
    let _ = futex::requeue(from, SHARED, 0, ALL, to);
}

/// Whether there is no kernel any more, as at the end of a model that failed.
#[inline]
pub(crate) fn is_over() -> bool {
    false
}

/// Lets others run that this processor has, if there are any.
pub(crate) fn yield_now() {
    rustix::thread::sched_yield();
}

/// The calling thread's TID, asked of the kernel.
pub(crate) fn current_tid() -> u32 {
    rustix::thread::gettid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs()
}

/// Seconds and nanoseconds of `CLOCK_MONOTONIC`.
pub(crate) fn now() -> rustix::time::Timespec {
    rustix::time::clock_gettime(rustix::time::ClockId::Monotonic)
}

/// The kernel's `struct robust_list_head`.
#[repr(C)]
struct ListHead {
    list: usize,
    futex_offset: isize,
    list_op_pending: usize,
}

/// The robust list that libc registered for the calling thread.
///
/// glibc registers one as it starts a thread. musl does so at the first robust mutex, so a thread
/// without a list gets to use one. `None`: there is no list still.
pub(crate) fn robust_head() -> Option<RobustHead> {
    let head = registered_head().or_else(|| {
        use_a_robust_mutex();
        registered_head()
    })?;
    // SAFETY: the kernel was given this address by libc, for as long as the thread lives.
    let futex_offset = unsafe { (*head.as_ptr()).futex_offset };
    let distance = futex_offset.checked_neg()?.unsigned_abs();
    let list = head.as_ptr().expose_provenance();
    (futex_offset < 0).then_some(RobustHead {
        list,
        pending: list + core::mem::offset_of!(ListHead, list_op_pending),
        distance,
    })
}

/// Registers a head of our own for the calling thread, at an address that stays valid for ever.
pub(crate) fn register_head(at: usize) -> RobustHead {
    const DISTANCE: usize = 32;
    let head: *mut ListHead = ptr::with_exposed_provenance_mut(at);
    let empty = ListHead {
        list: at,
        futex_offset: -(DISTANCE as isize),
        list_op_pending: 0,
    };
    // SAFETY: a place of this size in a record that belongs to this thread.
    unsafe { head.write(empty) };
    // SAFETY: set_robust_list(2) keeps the address, which stays valid.
    unsafe { libc::syscall(libc::SYS_set_robust_list, head, size_of::<ListHead>()) };
    let pending = at + core::mem::offset_of!(ListHead, list_op_pending);
    RobustHead {
        list: at,
        pending,
        distance: DISTANCE,
    }
}

fn registered_head() -> Option<NonNull<ListHead>> {
    let mut head: *mut ListHead = ptr::null_mut();
    let mut length: usize = 0;
    // SAFETY: both pointers are to locals of the types that get_robust_list(2) writes.
    let result =
        unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut length) };
    if result == 0 {
        NonNull::new(head)
    } else {
        None
    }
}

/// Locks and unlocks a robust pthread mutex, for libc's sake.
fn use_a_robust_mutex() {
    let mut attributes = core::mem::MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    let mut mutex = core::mem::MaybeUninit::<libc::pthread_mutex_t>::uninit();
    #[expect(
        clippy::multiple_unsafe_ops_per_block,
        reason = "one life of one mutex"
    )]
    // SAFETY: each object is initialized by its `init` before anything else is done with it, and
    // destroyed, unlocked, before it goes out of scope.
    unsafe {
        libc::pthread_mutexattr_init(attributes.as_mut_ptr());
        libc::pthread_mutexattr_setrobust(attributes.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST);
        libc::pthread_mutex_init(mutex.as_mut_ptr(), attributes.as_ptr());
        libc::pthread_mutex_lock(mutex.as_mut_ptr());
        libc::pthread_mutex_unlock(mutex.as_mut_ptr());
        libc::pthread_mutex_destroy(mutex.as_mut_ptr());
        libc::pthread_mutexattr_destroy(attributes.as_mut_ptr());
    }
}

/// Stores one pointer of the robust list, for this thread's death and for libc to read.
///
/// The kernel looks only once the thread is dead, so the order of instructions is all that counts:
/// compiler fences, no processor fences.
///
/// # Safety
///
/// `at` is aligned and valid for a write of a pointer, and nothing but the robust list is kept
/// there.
#[inline(always)]
pub(crate) unsafe fn store_link(at: usize, value: usize) {
    compiler_fence(Ordering::SeqCst);
    // SAFETY: the caller's promise.
    let link = unsafe { AtomicUsize::from_ptr(ptr::with_exposed_provenance_mut(at)) };
    link.store(value, Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst);
}

/// The same for the entry of a lock: with glibc it is aligned, with musl only to four.
///
/// # Safety
///
/// As for [`store_link`], but `at` need not be aligned.
#[inline(always)]
pub(crate) unsafe fn store_entry(at: usize, value: usize) {
    compiler_fence(Ordering::SeqCst);
    // SAFETY: the caller's promise. One instruction, where the processor can store unaligned words:
    // no death can cut it in two.
    unsafe { ptr::with_exposed_provenance_mut::<usize>(at).write_unaligned(value) };
    compiler_fence(Ordering::SeqCst);
}

/// Loads one pointer of the robust list from memory that is this thread's to write.
///
/// # Safety
///
/// `at` is aligned and valid for a read of a pointer.
#[inline(always)]
pub(crate) unsafe fn load_link(at: usize) -> usize {
    // SAFETY: the caller's promise.
    let link = unsafe { AtomicUsize::from_ptr(ptr::with_exposed_provenance_mut(at)) };
    link.load(Ordering::Relaxed)
}

/// Zeroed memory that is never given back, straight from the kernel: the crate allocates while it
/// takes a lock, and the program's allocator may take one of its locks in turn.
pub(crate) fn zeroed_memory(bytes: usize) -> Option<NonNull<c_void>> {
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
    // SAFETY: a new mapping, at an address of the kernel's choice, touches no other.
    let start = unsafe {
        mmap_anonymous(
            ptr::null_mut(),
            bytes,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE,
        )
    };
    NonNull::new(start.ok()?)
}

/// No key has this number.
const NO_KEY: u32 = u32::MAX;

static EXIT_KEY: AtomicU32 = AtomicU32::new(NO_KEY);

/// Sees to it, once a process, that `in_child` runs in every child of fork(2), and `at_exit` at the
/// end of every thread that called [`exit_hook_wanted`]. `false`: the system refused.
///
/// No lock, not `Once`: a thread may fork while another one is in here, and the child would wait for
/// a thread that it does not have. So several threads may do it at once; it is harmless for
/// `in_child` to run twice.
pub(crate) fn install_hooks(
    in_child: extern "C" fn(),
    at_exit: extern "C" fn(*mut c_void),
) -> bool {
    if EXIT_KEY.load(Ordering::Acquire) != NO_KEY {
        return true;
    }
    // SAFETY: a handler that is valid for ever.
    let forks = unsafe { libc::pthread_atfork(None, None, Some(handler(in_child))) };
    let mut key: libc::pthread_key_t = 0;
    // SAFETY: `key` is a local for the result; the destructor is valid for ever.
    let keyed = unsafe { libc::pthread_key_create(&raw mut key, Some(destructor(at_exit))) };
    if forks != 0 || keyed != 0 {
        return false;
    }
    // ORDERING: Release pairs with the Acquire above.
    let published = EXIT_KEY.compare_exchange(NO_KEY, key, Ordering::Release, Ordering::Relaxed);
    if published.is_err() {
        // SAFETY: our own key, which nobody else has seen.
        unsafe { libc::pthread_key_delete(key) };
    }
    true
}

/// A number that differs between a process and its forked children, from [`install_hooks`] on.
#[inline]
pub(crate) fn incarnation() -> u32 {
    INCARNATION.load(Ordering::Relaxed)
}

static INCARNATION: AtomicU32 = AtomicU32::new(0);

/// From now on processes are told apart.
pub(crate) fn begin_incarnations() {
    // Two threads may be here at once.
    let _ = INCARNATION.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
}

/// The calling process is a forked child.
pub(crate) fn begin_incarnation() {
    INCARNATION.fetch_add(1, Ordering::Relaxed);
}

type Destructor = unsafe extern "C" fn(*mut c_void);
type Handler = unsafe extern "C" fn();

fn destructor(hook: extern "C" fn(*mut c_void)) -> Destructor {
    hook
}

fn handler(hook: extern "C" fn()) -> Handler {
    hook
}

/// Asks for the exit hook at the end of the calling thread.
///
/// pthread keys, not `thread_local!`: their destructors run after those, and run again for a thread
/// that asks again from a later destructor.
pub(crate) fn exit_hook_wanted() {
    let anything = ptr::without_provenance::<c_void>(1);
    // SAFETY: the key was made by `install_hooks` and is never deleted.
    unsafe { libc::pthread_setspecific(EXIT_KEY.load(Ordering::Acquire), anything) };
}

/// Starts a detached thread that gets no signals. `false`: the system refused.
pub(crate) fn spawn_detached(
    body: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> bool {
    let mut every = core::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = core::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut thread = core::mem::MaybeUninit::<libc::pthread_t>::uninit();
    #[expect(
        clippy::multiple_unsafe_ops_per_block,
        reason = "one mask set, used and restored"
    )]
    // SAFETY: all three are locals; `every` is filled before it is read, `before` by the first call
    // of pthread_sigmask before the second reads it, `thread` only if pthread_create succeeded.
    unsafe {
        libc::sigfillset(every.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, every.as_ptr(), before.as_mut_ptr());
        let result = libc::pthread_create(thread.as_mut_ptr(), ptr::null(), body, argument);
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        if result == 0 {
            libc::pthread_detach(thread.assume_init());
        }
        result == 0
    }
}

/// Sleeps until the process ends.
pub(crate) fn sleep_for_ever() -> ! {
    loop {
        // SAFETY: pause(2) asks for nothing.
        unsafe { libc::pause() };
    }
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

/// The calling process's ID.
pub(crate) fn process_id() -> u32 {
    rustix::process::getpid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs()
}
