//! The rivals, one family a file: their handles, and how they do what all can do.

pub(crate) mod flag;
pub(crate) mod kernel;
pub(crate) mod lists;
pub(crate) mod ours;
pub(crate) mod pthread;
pub(crate) mod relay;
pub(crate) mod sem_t;
pub(crate) mod standard;

#[cfg(feature = "rivals")]
pub(crate) mod iceoryx2;
#[cfg(feature = "rivals")]
pub(crate) mod parking_lot;
#[cfg(feature = "rivals")]
pub(crate) mod posix_sync;
#[cfg(feature = "rivals")]
pub(crate) mod process_sync;
#[cfg(feature = "rivals")]
pub(crate) mod raw_sync;
#[cfg(feature = "rivals")]
pub(crate) mod rufutex;
#[cfg(feature = "rivals")]
pub(crate) mod rustix_futex_sync;
