#![cfg_attr(not(loom), doc = include_str!("../README.md"))]
#![cfg_attr(
    loom,
    doc = "Locks in shared memory that survive the death of any participant."
)]

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("procsync supports 64-bit Linux only: it relies on futexes and on the robust list");

mod deadline;
mod error;
mod front;
mod keeper;
mod kernel;
mod layout;
mod lock;
#[cfg(loom)]
pub mod model;
mod raw_lock;
mod record;
mod regions;
mod registry;
mod rlock;
mod robust;
mod sentinel;
#[cfg(not(loom))]
mod shared;
mod sync;

pub use error::{AcquireError, ShareError};
pub use lock::{Lock, LockGuard};
pub use rlock::{RLock, RLockGuard};
#[cfg(not(loom))]
pub use shared::{Shareable, Shared, SharedOptions, unlink};

// For the code that `shareable!` expands to.
#[cfg(not(loom))]
#[doc(hidden)]
pub mod __private {
    pub use crate::shared::of_struct;
}
