//! What [`Lock`](crate::Lock) and [`RLock`](crate::RLock) have in common, written once.

/// The methods of a lock type over [`RawLock`](crate::raw_lock::RawLock), and its guard.
///
/// The lock's own file defines `$Lock { raw, data }`, how it is acquired (`take`, which answers
/// `Ok` or why not) and given back (`give_back`), and what only it has.
macro_rules! lock_front {
    ($Lock:ident, $Guard:ident) => {
        impl<T> $Lock<T> {
            /// Where the data are.
            #[cfg_attr(loom, allow(dead_code, reason = "models map no files"))]
            pub(crate) const DATA_AT: usize = core::mem::offset_of!(Self, data);

            const_fn! {
                /// A free lock around `value`. (A `const fn`, except under loom.)
                pub fn new(value: T) -> Self {
                    Self { raw: RawLock::new(), data: Protected::new(value) }
                }
            }

            /// The value, without the lock around it, poisoned or not.
            pub fn into_inner(self) -> T {
                self.data.into_inner()
            }
        }

        impl<T: ?Sized> $Lock<T> {
            /// Acquires the lock, waiting as long as it takes.
            ///
            /// Everything that happened before an earlier release, or before the death of an
            /// earlier holder, is visible to the new holder.
            ///
            /// # Errors
            ///
            /// [`Poisoned`](AcquireError::Poisoned), with the guard,
            #[doc = concat!("and the others as the type's own page says: [`", stringify!($Lock), "`].")]
            #[inline]
            pub fn acquire(&self) -> Result<$Guard<'_, T>, AcquireError<$Guard<'_, T>>> {
                self.finish(self.take(Timeout::Forever), AcquireError::TimedOut)
            }

            /// Acquires the lock if that is possible now. Never waits.
            ///
            /// # Errors
            ///
            /// As [`acquire`](Self::acquire), and [`WouldBlock`](AcquireError::WouldBlock).
            #[inline]
            pub fn try_acquire(&self) -> Result<$Guard<'_, T>, AcquireError<$Guard<'_, T>>> {
                self.finish(self.take(Timeout::Zero), AcquireError::WouldBlock)
            }

            /// Acquires the lock, waiting for `timeout` at most, by the monotonic clock. Zero is
            /// one try; what the clock cannot express is for ever. Signals do not prolong it.
            ///
            /// # Errors
            ///
            /// As [`acquire`](Self::acquire), and [`TimedOut`](AcquireError::TimedOut).
            #[inline]
            pub fn acquire_timeout(
                &self,
                timeout: Duration,
            ) -> Result<$Guard<'_, T>, AcquireError<$Guard<'_, T>>> {
                self.finish(self.take(Timeout::For(timeout)), AcquireError::TimedOut)
            }

            /// Acquires the lock, waiting until `deadline` at most. One that has passed is one try.
            ///
            /// # Errors
            ///
            /// As [`acquire`](Self::acquire), and [`TimedOut`](AcquireError::TimedOut).
            #[inline]
            pub fn acquire_until(
                &self,
                deadline: Instant,
            ) -> Result<$Guard<'_, T>, AcquireError<$Guard<'_, T>>> {
                self.finish(self.take(Timeout::Until(deadline)), AcquireError::TimedOut)
            }

            #[inline]
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
                }
            }

            /// Whether anybody holds the lock. It may have changed by the time you look.
            pub fn is_locked(&self) -> bool {
                self.raw.owner().is_some()
            }

            /// Whether the calling thread holds the lock.
            pub fn is_owned_by_current_thread(&self) -> bool {
                robust::with(|thread| self.raw.is_owned_by(thread))
            }

            /// The TID of the holder, for diagnosis. It may have changed by the time you look.
            ///
            /// A lock whose guard leaked on a thread that ended names a sleeping thread of the same
            /// process, which keeps it.
            pub fn owner(&self) -> Option<u32> {
                self.raw.owner()
            }

            /// How many threads of all processes sleep on the lock now. Asks the kernel: a killed
            /// waiter is not counted.
            pub fn waiters(&self) -> usize {
                self.raw.count_waiters()
            }

            /// Whether a holder died or panicked, and nobody has called
            /// [`clear_poison`](Self::clear_poison) since.
            pub fn is_poisoned(&self) -> bool {
                self.raw.is_poisoned()
            }

            /// Declares the data sound again. Best called by the holder, who knows.
            pub fn clear_poison(&self) {
                self.raw.clear_poison();
            }

            /// The value. No lock is taken: the borrow checker proves that nobody has it.
            pub fn get_mut(&mut self) -> &mut T {
                self.data.get_mut()
            }

            /// A guard for a lock that the calling thread holds already, through a guard that was
            /// forgotten.
            ///
            /// # Safety
            ///
            /// The calling thread holds the lock, and there is no other guard for that hold.
            pub unsafe fn make_guard_unchecked(&self) -> $Guard<'_, T> {
                $Guard::new(self)
            }

            /// Ends one hold whose guard was forgotten, as dropping the guard would have.
            ///
            /// # Safety
            ///
            /// The calling thread holds the lock, and there is no other guard, or reference to the
            /// data that came from one, for that hold.
            pub unsafe fn force_release(&self) {
                self.give_back();
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
                Self { lock, panicking: std::thread::panicking(), not_send: PhantomData }
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
                if !self.panicking && std::thread::panicking() {
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
