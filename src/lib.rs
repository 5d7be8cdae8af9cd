// README.md, whose links and pictures are references by name: those of here come first, and the first
// definition counts.
#![cfg_attr(not(loom), doc = include_str!("../docs/guide/links.md"))]
#![cfg_attr(
    not(loom),
    doc = concat!("[picture]: data:image/svg+xml;base64,", include_str!("../docs/figures/death.svg.base64"))
)]
#![cfg_attr(
    not(loom),
    doc = concat!("[chart]: data:image/svg+xml;base64,", include_str!("../docs/figures/ratios.svg.base64"))
)]
#![cfg_attr(not(loom), doc = include_str!("../README.md"))]
#![cfg_attr(
    loom,
    doc = "Synchronization in shared memory that survives the death of any participant."
)]

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("procsync supports 64-bit Linux only: it relies on futexes and on the robust list");

mod barrier;
mod barrier_state;
mod bounded_semaphore;
mod condition;
mod deadline;
mod error;
mod event;
mod front;
mod futex_word;
pub mod guide;
pub mod inspect;
mod keeper;
mod kernel;
mod layout;
mod lock;
#[cfg(all(feature = "lock_api", not(loom)))]
pub mod lock_api;
#[cfg(loom)]
pub mod model;
mod on_drop;
mod permits;
mod places;
mod raw_condition;
mod raw_lock;
mod record;
mod regions;
mod registry;
mod rlock;
mod robust;
mod semaphore;
mod sentinel;
#[cfg(not(loom))]
mod shared;
mod spin;
mod sync;
mod timer;
mod timer_state;
mod wait;
mod wait_any;

pub use barrier::{Barrier, BarrierWait};
pub use bounded_semaphore::BoundedSemaphore;
pub use condition::{Condition, ConditionGuard};
pub use error::{AcquireError, BarrierError, Poisoned, ReleaseError, TimerError};
pub use event::Event;
pub use futex_word::{FutexWait, FutexWord};
pub use lock::{Lock, LockGuard};
pub use rlock::{RLock, RLockGuard};
pub use semaphore::{Permit, Semaphore};
#[cfg(not(loom))]
pub use shared::{ShareError, Shareable, Shared, SharedOptions, unlink};
pub use timer::Timer;
pub use timer_state::{TimerOutcome, TimerState};
pub use wait_any::{Ready, Reason, Source, WaitError, wait_any, wait_any_timeout, wait_any_until};

// For the code that `shareable!` expands to.
#[cfg(not(loom))]
#[doc(hidden)]
pub mod __private {
    pub use crate::shared::{Description, of_struct};
}
