//! Mutexes of the crate `lock_api` over `Lock`: that its guards, timeouts and closures work as they are
//! meant to, what becomes of poison and of what cannot succeed, and that they survive deaths.

#![cfg(not(loom))]

#[path = "../common/mod.rs"]
mod common;

mod guards;
mod limits;
mod poison;
mod processes;
mod reentrant;
mod scene;
mod waits;
