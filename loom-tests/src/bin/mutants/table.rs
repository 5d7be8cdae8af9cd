//! What is broken, and which model must notice: one file a primitive, and one for the guide.

mod barrier;
mod condition;
mod event;
mod guide;
mod lock;
mod semaphore;
mod timer;
mod wait_any;

/// A piece of source text that is replaced by another.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) find: &'static str,
    pub(crate) replace: &'static str,
    /// Test target and test that must fail.
    pub(crate) model: (&'static str, &'static str),
}

pub(crate) fn mutants() -> impl Iterator<Item = &'static Mutant> {
    let tables = [
        lock::MUTANTS,
        semaphore::MUTANTS,
        event::MUTANTS,
        condition::MUTANTS,
        barrier::MUTANTS,
        timer::MUTANTS,
        wait_any::MUTANTS,
        guide::MUTANTS,
    ];
    tables.into_iter().flatten()
}
