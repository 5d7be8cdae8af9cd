//! Locks in shared memory that survive the death of any participant.

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("procsync supports 64-bit Linux only: it relies on futexes and on the robust list");

mod error;
mod kernel;
#[cfg(not(loom))]
mod regions;
#[cfg(not(loom))]
mod shared;

pub use error::{AcquireError, ShareError};
#[cfg(not(loom))]
pub use shared::{Shareable, Shared, SharedOptions, unlink};

// For the code that `shareable!` expands to.
#[cfg(not(loom))]
#[doc(hidden)]
pub mod __private {
    pub use crate::shared::of_struct;
}
