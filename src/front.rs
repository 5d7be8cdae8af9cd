//! What [`Lock`](crate::Lock) and [`RLock`](crate::RLock) have in common, written once.

use core::marker::PhantomData;

use crate::robust;

/// What makes a guard not `Send`. The compiler names it where somebody tries to send one.
pub(crate) struct OnlyForThisThread(PhantomData<*mut ()>);

impl OnlyForThisThread {
    pub(crate) const MARK: Self = Self(PhantomData);
}

/// The thread was panicking as it acquired the lock. No TID has that bit.
pub(crate) const PANICKING: u32 = 1 << 31;

/// The holder in a guard: the calling thread, and whether it is panicking. One word: a guard of several small
/// fields, which is moved as one large one, would be slow to make.
#[inline]
pub(crate) fn new_holder() -> u32 {
    #[cold]
    fn panicking(tid: u32) -> u32 {
        tid | PANICKING
    }
    let tid = robust::known_tid();
    if std::thread::panicking() {
        panicking(tid)
    } else {
        tid
    }
}

/// The methods of a lock type over [`RawLock`](crate::raw_lock::RawLock), and its guard.
///
/// The lock's own file defines `$Lock { raw, data }`, how it is acquired (`take`, which answers
/// `Ok` or why not) and given back (`give_back`), what a repair gets (`data_of`, a `$Data`), what is to be noted where a thread holds it
/// once (`be_held_once`), and what only it has.
macro_rules! lock_front {
    ($Lock:ident, $Guard:ident, $Data:ty) => {
        impl<T> $Lock<T> {
            /// Where the data are.
            #[cfg_attr(loom, allow(dead_code, reason = "models map no files"))]
            pub(crate) const DATA_AT: usize = core::mem::offset_of!(Self, data);

            const_fn! {
                /// A free lock around `value`. (A `const fn`, except under loom.) No system call.
                pub fn new(value: T) -> Self {
                    Self { raw: RawLock::new(), data: Protected::new(value) }
                }
            }

            /// The value, without the lock around it, poisoned or not. Nobody has the lock: it is
            /// the caller's alone.
            pub fn into_inner(self) -> T {
                self.data.into_inner()
            }
        }

        impl<T: ?Sized> $Lock<T> {
            /// Acquires the lock, waiting as long as it takes.
            ///
            /// [How it waits](Self#waiting), who comes next, and what the new holder sees of the
            /// old ones is told on the type's own page.
            ///
            /// # Errors
            ///
            /// [`Poisoned`](AcquireError::Poisoned), with the guard, and the
            /// [others](Self#errors-of-an-acquisition), but `WouldBlock` and `TimedOut`.
            #[doc(alias("lock", "pthread_mutex_lock"))]
            #[inline]
            pub fn acquire(&self) -> Result<$Guard<'_, T>, AcquireError<$Guard<'_, T>>> {
                self.finish(self.take(Timeout::Forever), AcquireError::TimedOut)
            }

            /// Acquires the lock if that is possible now. Never waits.
            ///
            /// # Errors
            ///
            /// As [`acquire`](Self::acquire), and [`WouldBlock`](AcquireError::WouldBlock).
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use procsync::{AcquireError, ", stringify!($Lock), "};")]
            ///
            #[doc = concat!("let lock = ", stringify!($Lock), "::new(7);")]
            /// let guard = lock.try_acquire()?;
            /// std::thread::scope(|threads| {
            ///     let other = threads.spawn(|| lock.try_acquire().is_err());
            ///     assert!(other.join().unwrap(), "it would have to wait");
            /// });
            /// # drop(guard);
            /// # Ok::<(), AcquireError<()>>(())
            /// ```
            #[doc(alias("try_lock", "pthread_mutex_trylock"))]
            #[inline]
            pub fn try_acquire(&self) -> Result<$Guard<'_, T>, AcquireError<$Guard<'_, T>>> {
                self.finish(self.take(Timeout::Zero), AcquireError::WouldBlock)
            }

            /// Acquires the lock, waiting for `timeout` at most. Zero is one try; what the clock
            /// cannot express is [for ever](Self#waiting).
            ///
            /// # Errors
            ///
            /// As [`acquire`](Self::acquire), and [`TimedOut`](AcquireError::TimedOut).
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            #[doc = concat!("use procsync::{AcquireError, ", stringify!($Lock), "};")]
            ///
            #[doc = concat!("let lock = ", stringify!($Lock), "::new(7);")]
            /// let guard = lock.acquire();
            /// std::thread::scope(|threads| {
            ///     threads.spawn(|| {
            ///         let soon = Duration::from_millis(1);
            ///         assert!(matches!(lock.acquire_timeout(soon), Err(AcquireError::TimedOut)));
            ///     });
            /// });
            /// # drop(guard);
            /// ```
            #[doc(alias("try_lock_for", "timed_lock"))]
            #[inline]
            pub fn acquire_timeout(
                &self,
                timeout: Duration,
            ) -> Result<$Guard<'_, T>, AcquireError<$Guard<'_, T>>> {
                self.finish(self.take(Timeout::For(timeout)), AcquireError::TimedOut)
            }

            /// Acquires the lock, waiting until `deadline` at most. One that has passed is one try.
            /// For several locks that are to be had in a given time in all.
            ///
            /// # Errors
            ///
            /// As [`acquire`](Self::acquire), and [`TimedOut`](AcquireError::TimedOut).
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::{Duration, Instant};
            #[doc = concat!("use procsync::{AcquireError, ", stringify!($Lock), "};")]
            ///
            #[doc = concat!("let locks = [1, 2].map(", stringify!($Lock), "::new);")]
            /// let deadline = Instant::now() + Duration::from_secs(1);
            /// let first = locks[0].acquire_until(deadline)?;
            /// let second = locks[1].acquire_until(deadline)?;
            /// assert_eq!(*first + *second, 3);
            /// # drop((first, second));
            /// # Ok::<(), AcquireError<()>>(())
            /// ```
            #[doc(alias("try_lock_until", "pthread_mutex_timedlock", "pthread_mutex_clocklock"))]
            #[inline]
            pub fn acquire_until(
                &self,
                deadline: Instant,
            ) -> Result<$Guard<'_, T>, AcquireError<$Guard<'_, T>>> {
                self.finish(self.take(Timeout::Until(deadline)), AcquireError::TimedOut)
            }

            /// [`acquire_or_repair`](Self::acquire_or_repair), waiting at most for `timeout`. The repair may
            /// take longer.
            ///
            /// # Errors
            ///
            /// As [`acquire_timeout`](Self::acquire_timeout), but not
            /// [`Poisoned`](AcquireError::Poisoned).
            ///
            /// # Panics
            ///
            /// As `repair` does.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            /// use procsync::{AcquireError, Lock};
            ///
            /// let pair = Lock::new((0_u32, 0_u32)); // always equal
            /// let _ = std::panic::catch_unwind(|| {
            ///     let mut pair = pair.acquire().unwrap();
            ///     pair.0 += 1;
            ///     panic!("before the other is increased");
            /// });
            /// let patience = Duration::from_secs(1);
            /// let guard = pair.acquire_or_repair_timeout(patience, |pair| pair.1 = pair.0)?;
            /// assert_eq!(*guard, (1, 1));
            /// # drop(guard);
            /// # Ok::<(), AcquireError<()>>(())
            /// ```
            pub fn acquire_or_repair_timeout(
                &self,
                timeout: Duration,
                repair: impl FnOnce($Data),
            ) -> Result<$Guard<'_, T>, AcquireError<$Guard<'_, T>>> {
                self.repair(self.acquire_timeout(timeout), repair)
            }

            /// [`acquire_or_repair`](Self::acquire_or_repair), waiting until `deadline` at most. The repair
            /// may take longer.
            ///
            /// # Errors
            ///
            /// As [`acquire_until`](Self::acquire_until), but not [`Poisoned`](AcquireError::Poisoned).
            ///
            /// # Panics
            ///
            /// As `repair` does.
            pub fn acquire_or_repair_until(
                &self,
                deadline: Instant,
                repair: impl FnOnce($Data),
            ) -> Result<$Guard<'_, T>, AcquireError<$Guard<'_, T>>> {
                self.repair(self.acquire_until(deadline), repair)
            }

            fn repair<'lock>(
                &'lock self,
                acquired: Result<$Guard<'lock, T>, AcquireError<$Guard<'lock, T>>>,
                repair: impl FnOnce($Data),
            ) -> Result<$Guard<'lock, T>, AcquireError<$Guard<'lock, T>>> {
                match acquired {
                    Err(AcquireError::Poisoned(mut guard)) => {
                        repair(Self::data_of(&mut guard));
                        self.clear_poison();
                        Ok(guard)
                    }
                    other => other,
                }
            }

            #[inline(always)]
            fn finish<'lock>(
                &'lock self,
                taken: Result<(), Refusal>,
                when_held: AcquireError<$Guard<'lock, T>>,
            ) -> Result<$Guard<'lock, T>, AcquireError<$Guard<'lock, T>>> {
                match taken {
                    Ok(()) if self.raw.is_poisoned_while_held() => {
                        Err(AcquireError::Poisoned($Guard::new(self)))
                    }
                    Ok(()) => Ok($Guard::new(self)),
                    Err(Refusal::Held) => Err(when_held),
                    Err(Refusal::Deadlock) => Err(AcquireError::Deadlock),
                    Err(Refusal::RecursionLimit) => Err(AcquireError::RecursionLimit),
                    Err(Refusal::TooManyHeld | Refusal::Forked) => Err(AcquireError::TooManyHeld),
                    Err(Refusal::NoRobustList) => Err(AcquireError::NoRobustList),
                }
            }

            /// Whether anybody holds the lock. It may have changed by the time you look, and orders
            /// nothing; no system call.
            pub fn is_locked(&self) -> bool {
                self.raw.owner().is_some()
            }

            /// Whether the calling thread holds the lock. Nobody else can change that. In a forked
            /// child, it does not hold what its parent holds.
            #[doc(alias("is_held_by_me"))]
            pub fn is_owned_by_current_thread(&self) -> bool {
                robust::with(|thread| self.raw.is_owned_by(thread))
            }

            /// The TID of the holder, as of `gettid(2)`, for diagnosis. It may have changed by the
            /// time you look; no system call.
            ///
            /// A lock whose guard leaked on a thread that ended names a sleeping thread of the same
            /// process, which keeps it.
            pub fn owner(&self) -> Option<u32> {
                self.raw.owner()
            }

            /// How many threads of all processes sleep on the lock now. A system call, since the
            /// kernel counts: a killed waiter is not among them, nor is one that has not fallen
            /// asleep yet.
            pub fn waiters(&self) -> usize {
                self.raw.count_waiters()
            }

            /// Whether a holder died or panicked, and nobody has called
            /// [`clear_poison`](Self::clear_poison) since. It may have changed by the time you
            /// look, unless you hold the lock.
            pub fn is_poisoned(&self) -> bool {
                self.raw.is_poisoned()
            }

            /// Declares the data sound again. Best called by the holder, who knows. If nobody holds
            /// the lock, the mark of a death that nobody was told of yet goes, too. A holder that
            /// dies or panics later poisons the lock anew.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use procsync::{AcquireError, ", stringify!($Lock), "};")]
            ///
            /// type Text = [u8; 4];
            ///
            #[doc = concat!("fn read(lock: &", stringify!($Lock), "<Text>) -> Result<Text, AcquireError<()>> {")]
            ///     match lock.acquire() {
            ///         Err(AcquireError::Poisoned(guard)) if guard.is_ascii() => {
            ///             lock.clear_poison(); // whoever died did no harm
            ///             Ok(*guard)
            ///         }
            ///         other => Ok(*other?),
            ///     }
            /// }
            #[doc = concat!("let lock = ", stringify!($Lock), "::new(*b\"text\");")]
            /// # let poison = || { let _guard = lock.acquire(); panic!() };
            /// # let _ = std::panic::catch_unwind(poison);
            /// assert!(lock.is_poisoned());
            /// assert_eq!(read(&lock)?, *b"text");
            /// assert!(!lock.is_poisoned());
            /// # Ok::<(), AcquireError<()>>(())
            /// ```
            #[doc(alias("pthread_mutex_consistent", "make_consistent"))]
            pub fn clear_poison(&self) {
                self.raw.clear_poison();
            }

            /// The value. No lock is taken: the borrow checker proves that nobody has it.
            pub fn get_mut(&mut self) -> &mut T {
                self.data.get_mut()
            }

            /// A guard for a lock that the calling thread holds already, through a guard that was
            /// forgotten: where acquisition and release are in calls of their own, as in a binding
            /// to another language.
            ///
            /// # Safety
            ///
            /// The calling thread holds the lock, and there is no other guard for that hold.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use procsync::{AcquireError, ", stringify!($Lock), "};")]
            ///
            #[doc = concat!("let lock = ", stringify!($Lock), "::new(7);")]
            /// std::mem::forget(lock.acquire()?);
            /// // Later, in the same thread.
            /// // SAFETY: it holds the lock, by the guard that it has forgotten.
            /// let guard = unsafe { lock.make_guard_unchecked() };
            /// assert_eq!(*guard, 7);
            /// drop(guard);
            /// assert!(!lock.is_locked());
            /// # Ok::<(), AcquireError<()>>(())
            /// ```
            pub unsafe fn make_guard_unchecked(&self) -> $Guard<'_, T> {
                $Guard::new(self)
            }

            /// Ends one hold whose guard was forgotten, as dropping the guard would have.
            ///
            /// # Safety
            ///
            /// The calling thread holds the lock, and there is no other guard, or reference to the
            /// data that came from one, for that hold.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use procsync::{AcquireError, ", stringify!($Lock), "};")]
            ///
            #[doc = concat!("let lock = ", stringify!($Lock), "::new(7);")]
            /// std::mem::forget(lock.acquire()?);
            /// // Later, in the same thread.
            /// // SAFETY: it holds the lock, by the guard that it has forgotten.
            /// unsafe { lock.force_release() };
            /// assert!(!lock.is_locked());
            /// # Ok::<(), AcquireError<()>>(())
            /// ```
            #[doc(alias("unlock", "force_unlock"))]
            pub unsafe fn force_release(&self) {
                if self.is_owned_by_current_thread() {
                    self.give_back();
                }
            }
        }

        impl<T: Default> Default for $Lock<T> {
            fn default() -> Self {
                Self::new(T::default())
            }
        }

        impl<T> From<T> for $Lock<T> {
            fn from(value: T) -> Self {
                Self::new(value)
            }
        }

        /// Shows the state, not the data: that would take the lock.
        impl<T: ?Sized> fmt::Debug for $Lock<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Lock))
                    .field("owner", &self.owner())
                    .field("poisoned", &self.is_poisoned())
                    .finish_non_exhaustive()
            }
        }

        // SAFETY: whoever has the lock has the value; to send it is to send the value.
        unsafe impl<T: ?Sized + Send> Send for $Lock<T> {}
        // SAFETY: threads that share the lock get at the value one at a time, which is to send it
        // from one to the next.
        unsafe impl<T: ?Sized + Send> Sync for $Lock<T> {}

        /// For `?`, where the error must outlive the lock. Releases the lock, if it was acquired.
        impl<T: ?Sized> From<AcquireError<$Guard<'_, T>>> for AcquireError<()> {
            fn from(error: AcquireError<$Guard<'_, T>>) -> Self {
                error.without_guard()
            }
        }

        // A panic in the middle of a change is told by poison.
        impl<T: ?Sized> std::panic::UnwindSafe for $Lock<T> {}
        impl<T: ?Sized> std::panic::RefUnwindSafe for $Lock<T> {}

        impl<'lock, T: ?Sized> $Guard<'lock, T> {
            #[inline]
            fn new(lock: &'lock $Lock<T>) -> Self {
                Self {
                    lock,
                    holder: new_holder(),
                    _not_send: OnlyForThisThread::MARK,
                }
            }

            /// Whether a forked child has it from its parent. The child may hold the lock itself
            /// meanwhile, by a guard of its own.
            #[cold]
            pub(crate) fn is_inherited(&self) -> bool {
                self.holder & !PANICKING != robust::known_tid()
            }

            /// The calling thread has come to hold the lock, by this guard alone.
            pub(crate) fn renew(&mut self) {
                self.lock.be_held_once();
                self.holder = robust::known_tid() | (self.holder & PANICKING);
            }

            pub(crate) fn raw(&self) -> &RawLock {
                &self.lock.raw
            }
        }

        impl<T: ?Sized> Deref for $Guard<'_, T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                // SAFETY: the holder of the lock may read the data; `&mut` to it is given out only
                // for a borrow of the one guard there is.
                unsafe { self.lock.data.get() }
            }
        }

        impl<T: ?Sized> Drop for $Guard<'_, T> {
            #[inline(always)]
            fn drop(&mut self) {
                if $crate::kernel::is_over() {
                    return;
                }
                if self.holder != robust::known_tid() {
                    if self.is_inherited() {
                        return;
                    }
                } else if std::thread::panicking() {
                    self.lock.raw.poison_if_owned();
                }
                self.lock.give_back();
            }
        }

        // SAFETY: a shared guard gives `&T`, and the state of the lock, which any thread may have.
        unsafe impl<T: ?Sized + Sync> Sync for $Guard<'_, T> {}

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $Guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $Guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

pub(crate) use lock_front;
