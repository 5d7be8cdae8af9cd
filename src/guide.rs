//! How the crate is used, beyond single calls.
//!
//! To begin with: [`first_steps`], [`choosing`] a type, data [`surviving`] its holder. For those who come
//! [`from_python`], or [`from_std`] and parking_lot. What surrounds a program: [`mappings`] of one's own,
//! [`processes`] that fork, exec and get signals, [`containers`]. What it rests on: [`the_lock`], how it works;
//! [`proofs`]; [`models`] of one's own code; [`trust`], and who need not have it; [`limits`]; [`figures`].

/// A page of `docs/guide`. Links to other pages and to types are references by name: the table in
/// `links.md` comes first, and the first definition counts. The ones at the end of a page are for those
/// who read the file itself.
macro_rules! page {
    ($name:ident, $file:literal) => {
        #[doc = include_str!("../docs/guide/links.md")]
        #[doc = include_str!($file)]
        pub mod $name {}
    };
}

page!(first_steps, "../docs/guide/first-steps.md");
page!(choosing, "../docs/guide/choosing.md");
page!(surviving, "../docs/guide/surviving.md");
page!(from_python, "../docs/guide/from-python.md");
page!(from_std, "../docs/guide/from-std.md");

// Not among the doctests: its code is that of `examples/ledger`, as `tests/guide.rs` sees to.
#[cfg(not(doctest))]
page!(models, "../docs/guide/models.md");

page!(mappings, "../docs/guide/mappings.md");
page!(processes, "../docs/guide/processes.md");
page!(containers, "../docs/guide/containers.md");
page!(the_lock, "../docs/guide/the-lock.md");
page!(proofs, "../docs/guide/proofs.md");
page!(limits, "../docs/guide/limits.md");
page!(trust, "../docs/guide/trust.md");

#[allow(clippy::doc_markdown, reason = "a table that a program has made")]
/// # Everything that was measured
///
/// Medians of one run of `cargo bench -p procsync-benches --features rivals --bench ratios`; less is better. Drawn by
/// `cargo run --release -p procsync-benches --bin summary`.
///
#[doc = include_str!("../docs/figures/ratios.md")]
///
#[doc = include_str!("../docs/figures/ratios.svg")]
///
#[doc = include_str!("../docs/figures/hand-over.svg")]
///
#[doc = include_str!("../docs/figures/growth.svg")]
///
#[doc = include_str!("../docs/figures/deaths.md")]
pub mod figures {}
