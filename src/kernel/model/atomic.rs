//! Atomics: loom's, with a place to die before every access.

use loom::sync::atomic as explored;

use super::death::step;
use super::{is_over, must_be_exploring};
use crate::sync::Ordering;

macro_rules! atomic {
    ($Atomic:ident, $number:ident) => {
        #[doc = concat!("[`std::sync::atomic::", stringify!($Atomic), "`] in a model: loom's, with a place to die before")]
        /// every access.
        ///
        /// - [`new`](Self::new) is not a `const fn`, and must be called within an exploration.
        /// - A [`store`](Self::store) is a swap: what the kernel looks at is the one current value, which
        ///   loom knows only where every change of an atomic saw the change before it.
        /// - [`compare_exchange_weak`](Self::compare_exchange_weak) does not fail for no reason.
        /// - As a thread unwinds, because it has died or because the model has failed, its accesses do
        ///   nothing and answer 0: destructors do no work that a killed process could not do.
        #[derive(Debug)]
        pub struct $Atomic(pub(super) explored::$Atomic);

        impl $Atomic {
            /// An atomic that holds `value`.
            ///
            /// # Panics
            ///
            /// Outside of an exploration.
            #[track_caller]
            pub fn new(value: $number) -> Self {
                must_be_exploring();
                Self(explored::$Atomic::new(value))
            }

            /// The value, of which nobody else has a reference any more.
            #[track_caller]
            pub fn into_inner(self) -> $number {
                self.0.into_inner()
            }

            /// As std's.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $number {
                access(|| self.0.load(order))
            }

            /// As std's.
            #[track_caller]
            pub fn store(&self, value: $number, order: Ordering) {
                self.swap(value, order);
            }

            /// As std's.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $number,
                new: $number,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$number, $number> {
                if is_over() {
                    return Ok(current);
                }
                step();
                self.0.compare_exchange(current, new, success, failure)
            }

            /// As std's, but for failures without a reason, of which there are none.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $number,
                new: $number,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$number, $number> {
                self.compare_exchange(current, new, success, failure)
            }

            /// As std's: loads, and tries to exchange, until that succeeds.
            #[track_caller]
            pub fn update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($number) -> $number,
            ) -> $number {
                let updated = self.try_update(set_order, fetch_order, |value| Some(f(value)));
                updated.unwrap_or_else(|value| value)
            }

            /// As std's: loads, and tries to exchange, until that succeeds or `f` does not want to.
            ///
            /// # Errors
            ///
            /// The value, where `f` answered `None`.
            #[track_caller]
            pub fn try_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($number) -> Option<$number>,
            ) -> Result<$number, $number> {
                let mut value = self.load(fetch_order);
                while let Some(new) = f(value) {
                    match self.compare_exchange(value, new, set_order, fetch_order) {
                        Ok(before) => return Ok(before),
                        Err(now) => value = now,
                    }
                }
                Err(value)
            }

            /// As std's, which is also called [`try_update`](Self::try_update).
            ///
            /// # Errors
            ///
            /// The value, where `f` answered `None`.
            #[track_caller]
            pub fn fetch_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                f: impl FnMut($number) -> Option<$number>,
            ) -> Result<$number, $number> {
                self.try_update(set_order, fetch_order, f)
            }

            /// The one current value: what a read-modify-write sees, and this one changes nothing. A
            /// plain load may see an older one; a change to the same value would be one more that others
            /// may see.
            pub(super) fn current(&self) -> $number {
                const NEVER: $number = 0x5a5a_5a5a;
                let order = Ordering::Relaxed;
                let seen = self.0.compare_exchange(NEVER, NEVER, order, order);
                seen.unwrap_or_else(|current| current)
            }
        }

        changes! { $Atomic, $number: swap fetch_add fetch_sub fetch_and fetch_nand fetch_or fetch_xor fetch_max fetch_min }

        impl Default for $Atomic {
            fn default() -> Self {
                Self::new(0)
            }
        }

        impl From<$number> for $Atomic {
            fn from(value: $number) -> Self {
                Self::new(value)
            }
        }
    };
}

/// The read-modify-writes that always succeed.
macro_rules! changes {
    ($Atomic:ident, $number:ident: $($change:ident)*) => {
        impl $Atomic { $(
            /// As std's.
            #[track_caller]
            pub fn $change(&self, value: $number, order: Ordering) -> $number {
                access(|| self.0.$change(value, order))
            }
        )* }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);

/// A thread that unwinds must not come to loom: another would go on meanwhile, and take itself for one
/// that panics; and where loom has given up, it would panic again.
#[track_caller]
fn access<T: Default>(explored: impl FnOnce() -> T) -> T {
    if is_over() {
        return T::default();
    }
    step();
    explored()
}
