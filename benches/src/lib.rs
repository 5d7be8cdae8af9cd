//! What `procsync` costs, beside its rivals: groups named by workload, entries by rival.
//!
//! Two programs run the same table of workloads: `suite`, with criterion, and `ratios`, in which
//! the rivals take turns. The README tells how to run them, and what is measured.
//!
//! A third program, `deaths`, kills participants, and tells what the survivors got.

#[path = "../../tests/common/mod.rs"]
mod common;
pub mod deaths;
mod machine;
mod measure;
mod placed;
mod processes;
pub mod report;
pub mod results;
mod rivals;
mod team;
mod traits;
mod workloads;

pub use machine::{load_by_others, machine};
pub use measure::{Entry, Sample, Size, Workload};
pub use workloads::all as workloads;
