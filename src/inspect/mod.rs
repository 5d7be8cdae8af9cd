//! Looking at a value from outside, without its type: for whoever asks why a system stands still.
//!
//! [`open`] reads what is under a name, and answers with a [`Report`]: who made it, when, and of every
//! field of a [`shareable!`](crate::shareable) struct what is in it; of each primitive its state, the
//! thread that has it, whether that one lives, and how many sleep. `{}` of a report is for people. The
//! program `procsync` of the package `procsync-inspect` does that on the command line, and has JSON for
//! programs.
//!
//! It only reads. It takes no lock, changes no state and waits for nobody, so it can look at values
//! whose users are all stuck. The file must be readable, not writable; it may be of another PID namespace, or
//! of before a restart, and then the report says so. `/proc/PID/fd/N` leads to an
//! [anonymous](crate::Shared::anonymous) value.
//!
//! # What it does not promise
//!
//! What it tells has been so at some instant, of each primitive at another one: nobody is held up
//! meanwhile. A TID names the thread that has it now.
//!
//! What is in the file may be anything, and so may be the answer, but no harm comes from it: the file is
//! never mapped to be read, so one that is cut short gives an error; what it says of its own structure
//! counts only if it is consistent, and if its hash is the layout in the header; and a report is bounded,
//! whatever the file says.
//!
//! # Examples
//!
//! ```
//! # #[cfg(not(loom))] {
//! use procsync::{Lock, Shared, inspect};
//!
//! procsync::shareable! { struct Purses { left: u64, right: u64 } }
//!
//! # let name = &format!("/procsync-doc-inspect-{}", std::process::id());
//! let purses = Shared::create(name, Lock::new(Purses { left: 60, right: 40 }))?;
//! let guard = purses.acquire().unwrap();
//! let report = inspect::open(name)?;
//! # procsync::unlink(name)?;
//! let text = report.to_string();
//! assert!(text.contains("held by") && text.contains("value.left"), "{text}");
//! # }
//! # Ok::<(), procsync::ShareError>(())
//! ```

#[cfg(not(loom))]
mod file;
#[cfg(not(loom))]
mod number;
#[cfg(not(loom))]
mod report;
#[cfg(not(loom))]
mod show;
#[cfg(not(loom))]
mod threads;
#[cfg(not(loom))]
pub(crate) mod types;
#[cfg(not(loom))]
mod walk;

pub use crate::barrier::BarrierSnapshot;
pub use crate::event::EventSnapshot;
pub use crate::permits::SemaphoreSnapshot;
pub use crate::raw_condition::ConditionSnapshot;
pub use crate::raw_lock::{LockSnapshot, Poison};
pub use crate::timer::TimerSnapshot;
#[cfg(not(loom))]
pub use number::Number;
#[cfg(not(loom))]
pub use report::{Part, Report, State, Structure, Value, open};
#[cfg(not(loom))]
pub use threads::{Life, Thread};
