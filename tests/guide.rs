//! The code in `docs/models.md` is that of `examples/ledger`, which is built, tested, and explored.

const PAGE: &str = include_str!("../docs/models.md");
const SOURCES: [&str; 2] = [
    include_str!("../examples/ledger/src/lib.rs"),
    include_str!("../examples/ledger/src/models.rs"),
];
const MANIFEST: &str = include_str!("../examples/ledger/Cargo.toml");

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("\n```{language}\n");
    let rest = PAGE.split(fence.as_str()).skip(1);
    rest.map(|block| block.split_once("\n```").expect("a closing fence").0)
        .collect()
}

#[test]
fn its_rust_is_the_ledgers() {
    let shown = blocks("rust,ignore");
    assert_eq!(shown.len(), 7);
    for block in shown {
        assert!(
            SOURCES.iter().any(|source| source.contains(block)),
            "not in examples/ledger:\n{block}"
        );
    }
    assert!(!PAGE.contains("```rust\n"), "a block that nobody compares");
}

#[test]
fn its_manifest_is_the_ledgers() {
    assert!(blocks("toml").iter().all(|block| MANIFEST.contains(block)));
    assert_eq!(blocks("toml").len(), 1);
}
