//! What tests with several processes need: shared memory, children, bounded waits.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "every test target uses another part of it"
)]

mod gate;
pub mod held;
mod memory;
pub mod namespace;
mod on_drop;
mod process;
pub mod processors;
mod pthread;
mod robust_list;
mod skipped;
mod sleepers;
pub mod stepper;

pub use gate::Gate;
pub use memory::{Mapped, Plain};
pub use on_drop::OnDrop;
pub use process::{Child, End, Waiting, as_any_thread, fork, pipe, until};
pub use pthread::{Found, Pthread};
pub use robust_list::{MUSLS_OFFSET, register_list, unregister_list};
pub(crate) use skipped::skipped;
pub use sleepers::sleepers;
