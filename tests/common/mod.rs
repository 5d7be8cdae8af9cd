//! What tests with several processes need: shared memory, children, bounded waits.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test target uses another part of it"
)]

mod gate;
mod memory;
mod process;

pub use gate::Gate;
pub use memory::{Mapped, Plain};
pub use process::{Child, End, Waiting, fork, until};
