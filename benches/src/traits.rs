//! What the rivals have in common.

use std::ops::Deref;

/// Mutual exclusion.
pub(crate) trait Lock: Sized {
    /// Releases when dropped.
    type Guard<'lock>
    where
        Self: 'lock;

    fn lock(&self) -> Self::Guard<'_>;

    /// Acquires what a dead holder may have left, repairs it if it says so, and releases it; whether it
    /// said so.
    fn tells_of_death(&self) -> bool {
        drop(self.lock());
        false
    }
}

/// What to wait for under a lock.
pub(crate) trait Condition: Sized {
    type Lock: Lock + 'static;

    /// Wake-ups without a notify are allowed.
    fn wait<'lock>(&self, guard: GuardOf<'lock, Self::Lock>) -> GuardOf<'lock, Self::Lock>;

    fn notify_one(&self);

    fn notify_all(&self);
}

/// [`Condition::notify_one`] and [`Condition::notify_all`] of a type that has methods of these names.
macro_rules! notifies_by_itself {
    () => {
        #[inline]
        fn notify_one(&self) {
            Self::notify_one(self);
        }

        #[inline]
        fn notify_all(&self) {
            Self::notify_all(self);
        }
    };
}
pub(crate) use notifies_by_itself;

pub(crate) type GuardOf<'lock, L> = <L as Lock>::Guard<'lock>;

/// A lock and two conditions.
pub(crate) trait Monitor {
    type Lock: Lock + 'static;
    type Condition: Condition<Lock = Self::Lock>;

    fn lock(&self) -> GuardOf<'_, Self::Lock>;

    fn condition(&self, which: usize) -> &Self::Condition;
}

/// A monitor of handles.
pub(crate) struct Parts<L, C> {
    pub(crate) lock: L,
    pub(crate) conditions: [C; 2],
}

impl<L, C> Monitor for Parts<L, C>
where
    L: Deref<Target: Lock + 'static>,
    C: Deref<Target: Condition<Lock = L::Target>>,
{
    type Lock = L::Target;
    type Condition = C::Target;

    #[inline]
    fn lock(&self) -> GuardOf<'_, Self::Lock> {
        self.lock.lock()
    }

    #[inline]
    fn condition(&self, which: usize) -> &C::Target {
        &self.conditions[which]
    }
}

/// A counter of permits.
pub(crate) trait Semaphore: Sized {
    fn acquire(&self);

    fn release(&self);
}

/// A flag to wait for.
pub(crate) trait Event: Sized {
    fn set(&self);

    fn clear(&self);

    fn wait(&self);
}

/// A meeting of a fixed number of parties.
pub(crate) trait Barrier: Sized {
    fn wait(&self);

    /// Whether the meeting took place.
    fn meet(&self) -> bool {
        self.wait();
        true
    }
}

/// A turn, which one process passes and another one takes.
pub(crate) trait Baton {
    fn pass(&self);

    fn take(&self);
}
