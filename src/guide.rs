//! How the crate is used, beyond single calls.

pub mod models {
    // Not among the doctests: its code is that of `examples/ledger`, as `tests/guide.rs` sees to.
    #![cfg_attr(not(doctest), doc = include_str!("../docs/models.md"))]
    #![cfg_attr(doctest, doc = "Models of your own code.")]
}
