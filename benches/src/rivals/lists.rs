//! Who takes part where processes meet: lists that several workloads share.
//!
//! `shared_locks!(entry(a, b))` is all that `entry(a, b, rival, make)` makes of the rivals, where
//! `make` makes a handle of another type for each. A function could not pass on an `entry` for every
//! type.

/// Locks.
macro_rules! shared_locks {
    ($entry:ident($($context:expr),*)) => {{
        use $crate::rivals::{ours, pthread, pthread::Kind};
        let entries = vec![
            $entry($($context,)* "procsync Lock", ours::lock),
            $entry($($context,)* "pthread", || pthread::Mutex::new(Kind::PLAIN)),
            $entry($($context,)* "pthread robust", || pthread::Mutex::new(Kind::ROBUST)),
        ];
        #[cfg(feature = "rivals")]
        use $crate::rivals::{
            iceoryx2, posix_sync, process_sync, raw_sync, rufutex, rustix_futex_sync,
        };
        #[cfg(feature = "rivals")]
        let entries = $crate::measure::joined(entries, [
            $entry($($context,)* "iceoryx2 Mutex", iceoryx2::mutex),
            $entry($($context,)* "posix-sync Mutex", posix_sync::mutex),
            $entry($($context,)* "process-sync SharedMutex", process_sync::mutex),
            $entry($($context,)* "raw_sync Mutex", raw_sync::mutex),
            $entry($($context,)* "rufutex SharedFutex", rufutex::mutex),
            $entry($($context,)* "rustix-futex-sync Mutex", rustix_futex_sync::mutex),
        ]);
        entries
    }};
}

/// Locks with conditions.
macro_rules! shared_monitors {
    ($entry:ident($($context:expr),*)) => {{
        use $crate::rivals::{ours, pthread, pthread::Kind};
        let entries = vec![
            $entry($($context,)* "procsync Condition", ours::monitor),
            $entry($($context,)* "pthread", || pthread::monitor(Kind::PLAIN)),
            $entry($($context,)* "pthread robust", || pthread::monitor(Kind::ROBUST)),
        ];
        #[cfg(feature = "rivals")]
        use $crate::rivals::{posix_sync, process_sync, rustix_futex_sync};
        #[cfg(feature = "rivals")]
        let entries = $crate::measure::joined(entries, [
            $entry($($context,)* "posix-sync Condvar", posix_sync::monitor),
            $entry($($context,)* "process-sync SharedCondvar", process_sync::monitor),
            $entry($($context,)* "rustix-futex-sync Condvar", rustix_futex_sync::monitor),
        ]);
        entries
    }};
}

/// The same, and those for threads of one process.
macro_rules! all_monitors {
    ($entry:ident($($context:expr),*)) => {{
        use $crate::rivals::{lists::shared_monitors, standard};
        let std = $entry($($context,)* "std Condvar", standard::monitor);
        let entries = $crate::measure::joined(shared_monitors!($entry($($context),*)), [std]);
        #[cfg(feature = "rivals")]
        use $crate::rivals::parking_lot;
        #[cfg(feature = "rivals")]
        let entries = $crate::measure::joined(entries, [
            $entry($($context,)* "parking_lot Condvar", parking_lot::monitor),
        ]);
        entries
    }};
}

/// Events.
macro_rules! shared_events {
    ($entry:ident($($context:expr),*)) => {{
        use $crate::rivals::{flag::Flag, ours, pthread, pthread::Kind};
        let entries = vec![
            $entry($($context,)* "procsync Event", ours::event),
            $entry($($context,)* "pthread flag", || Flag::new(pthread::monitor(Kind::PLAIN))),
        ];
        #[cfg(feature = "rivals")]
        use $crate::rivals::raw_sync;
        #[cfg(feature = "rivals")]
        let entries = $crate::measure::joined(entries, [
            $entry($($context,)* "raw_sync Event", raw_sync::event),
        ]);
        entries
    }};
}

/// Semaphores, with so many permits.
macro_rules! shared_semaphores {
    ($permits:literal, $entry:ident($($context:expr),*)) => {{
        use $crate::rivals::{ours, sem_t::SemT};
        let entries = vec![
            $entry($($context,)* "procsync Semaphore", || ours::semaphore($permits)),
            $entry($($context,)* "sem_t", || SemT::new($permits)),
        ];
        #[cfg(feature = "rivals")]
        use $crate::rivals::iceoryx2;
        #[cfg(feature = "rivals")]
        let entries = $crate::measure::joined(entries, [
            $entry($($context,)* "iceoryx2 Semaphore", || iceoryx2::semaphore($permits)),
        ]);
        entries
    }};
}

/// Barriers, for so many parties.
macro_rules! shared_barriers {
    ($parties:expr, $entry:ident($($context:expr),*)) => {{
        use $crate::rivals::{ours, pthread};
        let entries = vec![
            $entry($($context,)* "procsync Barrier", || ours::barrier($parties)),
            $entry($($context,)* "pthread", || pthread::Barrier::new($parties)),
        ];
        #[cfg(feature = "rivals")]
        use $crate::rivals::{iceoryx2, posix_sync};
        #[cfg(feature = "rivals")]
        let entries = $crate::measure::joined(entries, [
            $entry($($context,)* "iceoryx2 Barrier", || iceoryx2::barrier($parties)),
            $entry($($context,)* "posix-sync Barrier", || posix_sync::barrier($parties)),
        ]);
        entries
    }};
}

pub(crate) use {
    all_monitors, shared_barriers, shared_events, shared_locks, shared_monitors, shared_semaphores,
};
