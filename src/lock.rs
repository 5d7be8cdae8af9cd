//! A lock with an owner.

use core::fmt;
use core::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use crate::deadline::Timeout;
use crate::error::AcquireError;
use crate::front::{OnlyForThisThread, PANICKING, lock_front, new_holder};
use crate::raw_lock::{RawLock, Refusal};
use crate::robust;
use crate::sync::{Protected, const_fn};

/// Mutual exclusion between threads and processes that survives the death of any of them.
///
/// Like [`std::sync::Mutex`] it holds the data it protects, gives it out through a guard, and is
/// *poisoned* when a holder panics. Unlike it, it works in shared memory, and when a holder is
/// killed, between any two of its instructions, the next one gets the lock at once, in
/// [`AcquireError::Poisoned`].
///
/// ```
/// use procsync::{AcquireError, Lock};
///
/// let stock = Lock::new(100_u32);
/// *stock.acquire()? -= 1;
/// assert_eq!(*stock.acquire()?, 99);
/// # Ok::<(), AcquireError<()>>(())
/// ```
///
/// # Between two processes
///
/// A process is killed in the middle of a change. The next one to acquire the lock has it, is told,
/// and repairs the data:
///
#[doc = include_str!("../docs/examples/lock.md")]
///
/// # Errors of an acquisition
///
/// - [`Poisoned`](AcquireError::Poisoned): you have the lock, but a previous holder died or panicked
///   while it had it. Sticky until [`clear_poison`](Self::clear_poison);
///   [`acquire_or_repair`](Self::acquire_or_repair) is the short way.
/// - [`Deadlock`](AcquireError::Deadlock): the calling thread holds this lock already.
/// - [`TooManyHeld`](AcquireError::TooManyHeld): the calling thread holds as many locks as the kernel
///   tracks for it: 2048, of which the crate uses one. Robust mutexes of libc count, too, and are not
///   seen here: of more than that in all, the oldest are not recovered.
/// - [`NoRobustList`](AcquireError::NoRobustList): the lock lies in shared memory, and nobody would hear of
///   the calling thread's death.
/// - [`WouldBlock`](AcquireError::WouldBlock), [`TimedOut`](AcquireError::TimedOut), where said.
///
/// # Waiting
///
/// To acquire a free lock, and to release one that nobody waits for, is no system call. (But a
/// thread's first acquisition asks for its robust list; and outside of a [`Shared`](crate::Shared), a
/// lock's first asks whether its memory is shared, as the release of another lock does than the newest that
/// the thread holds.) Who finds the lock taken looks a few
/// times more, and then sleeps in the kernel ([futex(2)]).
///
/// A timeout of zero, like a deadline that has passed, is one try, which never sleeps. One that the
/// clock cannot express, [`Duration::MAX`] for instance, is for ever. The clock is that of
/// [`Instant`], `CLOCK_MONOTONIC` ([clock_gettime(2)]): it is not set, and does not count the time
/// in which the system is suspended.
///
/// Signals neither end a wait nor prolong it: the handler runs, and the wait goes on to the same
/// deadline. A handler should not acquire or release locks: it may have interrupted its thread in
/// the middle of that ([signal-safety(7)]). One that wants what the interrupted code holds gets
/// [`Deadlock`](AcquireError::Deadlock), as any second acquisition does. [`Event::set`](crate::Event::set) and
/// [`Semaphore::release`](crate::Semaphore::release) are made for handlers. More on signals,
/// forks, stopped processes and time is in [the guide](crate::guide::processes).
///
/// # Memory ordering
///
/// What a holder did happens before the next acquisition, however its own ended: by a release, by a
/// panic, or by its death, up to the instruction at which it died.
///
/// # Fairness
///
/// None is promised. A thread that comes while the lock is free may take it before one that is being
/// woken; sleepers are woken in the order in which they fell asleep.
///
/// # Death
///
/// A holder's death (`SIGKILL`, abort, exit, exec) frees the lock and poisons it, and the kernel
/// wakes a waiter, within microseconds. A waiter's death, asleep or just woken, changes nothing for
/// anybody else: unlike a robust pthread mutex ([pthread_mutexattr_setrobust(3)]), which may leave
/// another waiter asleep then. The kernel does its part by the thread's list of held locks
/// ([get_robust_list(2)], [robust futexes], [their ABI]).
///
/// A thread that ends with a forgotten guard leaves the lock locked while its process lives: another
/// thread, which only sleeps, is started to hold it then; where none can be, or nobody would hear of its
/// death, the process is aborted. In a child of [fork(2)], guards that were inherited do nothing: they are the parent's, also
/// where the child has acquired the lock itself since.
///
/// How data are kept so that they can be repaired is told in the guide, under
/// [surviving](crate::guide::surviving).
///
/// Only the holder can release a lock: that is what makes its death detectable. To hand permission
/// from one thread to another, use a semaphore.
///
/// # Representation
///
/// `#[repr(C)]`: 40 bytes, aligned to 8, then the value. All-zero memory is a free lock, if it is a
/// value of `T`. The lock may be at another address in every process.
///
/// In memory of your own mapping, `unsafe { &*pointer.cast::<Lock<T>>() }` is a lock, as long as
/// the memory is `MAP_SHARED`, stays mapped while a thread of the process holds the lock (forgotten
/// guards count), and is used by processes of one PID namespace. That the memory is shared the
/// crate learns, once a lock, from `/proc`, or where that cannot be read, by `mremap(2)`. The guide
/// has [all that is asked for](crate::guide::mappings), with an example.
///
/// The owner is a TID, which means something in one PID namespace only ([pid_namespaces(7)]): see
/// [containers](crate::guide::containers).
///
/// # Sources
///
/// The guide tells [how the lock works](crate::guide::the_lock). That a lock needs a mark for
/// waiters, and what goes wrong with less: U. Drepper, [Futexes are tricky], 2011; H. Franke, R.
/// Russell, M. Kirkwood, *Fuss, Futexes and Furwocks: Fast Userlevel Locking in Linux*, Ottawa
/// Linux Symposium 2002.
///
/// [clock_gettime(2)]: https://man7.org/linux/man-pages/man2/clock_gettime.2.html
/// [fork(2)]: https://man7.org/linux/man-pages/man2/fork.2.html
/// [futex(2)]: https://man7.org/linux/man-pages/man2/futex.2.html
/// [Futexes are tricky]: https://www.akkadia.org/drepper/futex.pdf
/// [get_robust_list(2)]: https://man7.org/linux/man-pages/man2/get_robust_list.2.html
/// [pid_namespaces(7)]: https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
/// [pthread_mutexattr_setrobust(3)]: https://man7.org/linux/man-pages/man3/pthread_mutexattr_setrobust.3.html
/// [robust futexes]: https://docs.kernel.org/locking/robust-futexes.html
/// [signal-safety(7)]: https://man7.org/linux/man-pages/man7/signal-safety.7.html
/// [their ABI]: https://docs.kernel.org/locking/robust-futex-ABI.html
#[doc(alias("Mutex", "pthread_mutex_t", "robust mutex"))]
#[repr(C)]
pub struct Lock<T: ?Sized = ()> {
    pub(crate) raw: RawLock,
    data: Protected<T>,
}

/// The right to use the data of a [`Lock`]. Released when dropped; poisons the lock if dropped by a
/// panic that began while it lived.
///
/// Not [`Send`]: the kernel frees the locks of the thread that acquired them. Dropping it is no
/// system call, unless somebody waits. (Locks in a mapping of your own are best dropped newest first: see
/// [`Lock`](Lock#waiting).)
#[doc(alias("MutexGuard", "unlock", "release", "pthread_mutex_unlock"))]
#[must_use = "the lock is released as soon as the guard is dropped: name it `_guard`, say, for `let _ = …` drops it \
              at once, too"]
pub struct LockGuard<'lock, T: ?Sized> {
    lock: &'lock Lock<T>,
    /// The TID of the thread that acquired the lock: the guard is inert in any other, as in a forked child.
    /// And `PANICKING`.
    holder: u32,
    _not_send: OnlyForThisThread,
}

lock_front!(Lock, LockGuard, &mut T);

impl<T: ?Sized> Lock<T> {
    #[inline]
    fn take(&self, timeout: Timeout) -> Result<(), Refusal> {
        self.raw.acquire(timeout)
    }

    #[inline]
    fn give_back(&self) {
        self.raw.release();
    }

    /// [`acquire`](Self::acquire); if the lock is poisoned, calls `repair` on the data and clears the
    /// poison. If `repair` panics, or its process dies, the lock is poisoned still.
    ///
    /// ```
    /// use procsync::{AcquireError, Lock};
    ///
    /// let pair = Lock::new((0_u32, 0_u32)); // always equal
    /// let _ = std::panic::catch_unwind(|| {
    ///     let mut pair = pair.acquire().unwrap();
    ///     pair.0 += 1;
    ///     panic!("before the other is increased");
    /// });
    /// let guard = pair.acquire_or_repair(|pair| pair.1 = pair.0)?;
    /// assert_eq!(*guard, (1, 1));
    /// # drop(guard);
    /// # Ok::<(), AcquireError<()>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire), but not [`Poisoned`](AcquireError::Poisoned).
    ///
    /// # Panics
    ///
    /// As `repair` does.
    pub fn acquire_or_repair(
        &self,
        repair: impl FnOnce(&mut T),
    ) -> Result<LockGuard<'_, T>, AcquireError<LockGuard<'_, T>>> {
        self.repair(self.acquire(), repair)
    }

    fn be_held_once(&self) {}

    /// What a repair gets.
    fn data_of<'guard>(guard: &'guard mut LockGuard<'_, T>) -> &'guard mut T {
        guard
    }
}

impl<T: ?Sized> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the holder of the lock, through the one guard there is.
        unsafe { self.lock.data.get_mut_unchecked() }
    }
}
