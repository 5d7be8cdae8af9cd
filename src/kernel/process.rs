//! The calling process and thread: who they are, what happens at their forks and ends, and what else a
//! process has one of: memory from the kernel, a clock, threads of the crate's own.
//!
//! Sources: `pthread_atfork(3)`, `pthread_key_create(3)`, `pthread_create(3)`, `mmap(2)`.

use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};

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

/// The calling process's ID.
pub(crate) fn process_id() -> u32 {
    rustix::process::getpid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs()
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
