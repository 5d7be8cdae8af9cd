//! What the primitives beside the locks promise, while nobody dies: each method, each edge, between
//! threads, in private and in shared memory, and between processes.

#![cfg(not(loom))]

#[path = "../common/mod.rs"]
mod common;

mod scene;

#[path = "../common/sandbox.rs"]
mod sandbox;

mod barrier;
mod barrier_breaking;
mod condition;
mod condition_errors;
mod condition_order;
mod event;
mod fallback;
mod futex_word;
mod garbage;
mod semaphore;
mod semaphore_limits;
mod signals;
mod timer;
mod timer_ends;
mod wait_any;
