//! The system calls. Nothing outside this directory names one.

#[cfg(not(loom))]
pub(crate) mod files;
