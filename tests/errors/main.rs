//! What errors say: by `{}`, by `{:?}`, which is what `unwrap` prints, and to those who follow `source`.
//!
//! An error tells what was found, what was expected, and what to do.

#![cfg(not(loom))]

#[path = "../common/mod.rs"]
mod common;
mod situations;
mod system;
mod texts;
