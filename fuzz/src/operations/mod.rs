//! Several threads do one operation after the other on all eight primitives and a futex word, and wait for
//! any of several. A model of each says what must come of it.
//!
//! One thread acts at a time, by the [`baton`](baton::play). It begins the next operation when everybody
//! who has to return from the last has returned, and everybody else is asleep where the model says. So
//! the model is a sequential one, and knows each result. Only where the crate promises no order, as
//! among those who wait for a lock, it lets reality choose: it knows how many go on, and what they get.

mod baton;
mod input;
mod model;
mod outcome;
mod patience;
mod worker;
mod world;

pub use baton::play;
pub use input::Sequence;
