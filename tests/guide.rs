//! The code in `docs/guide/models.md` is that of `examples/ledger`, which is built, tested, and explored.

use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../docs/guide/models.md");
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

/// What a page's links lead to: (name, destination).
fn links(page: &str) -> Vec<(&str, &str)> {
    let lines = page.lines().filter(|line| line.starts_with('['));
    lines
        .filter_map(|line| line.split_once("]: "))
        .map(|(name, destination)| (&name[1..], destination))
        .collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide")
}

#[test]
fn links_lead_somewhere_in_files_too() {
    let folder = folder();
    let table = fs::read_to_string(folder.join("links.md")).expect("the table of links");
    for entry in fs::read_dir(&folder).expect("the guide") {
        let path = entry.expect("a page").path();
        let page = fs::read_to_string(&path).expect("a page");
        for (name, destination) in links(&page) {
            if destination.starts_with("crate::") || destination.starts_with("https://") {
                continue;
            }
            let file = destination.split('#').next().unwrap_or_default();
            assert!(
                folder.join(file).exists(),
                "{}: {name} leads to {destination}",
                path.display()
            );
            let twin = links(&table).iter().any(|(known, _)| *known == name);
            assert!(twin, "{}: {name} is not in links.md", path.display());
        }
    }
}

/// What is not in a block, as one line.
fn prose(page: &str) -> String {
    let outside: String = page.split("```").step_by(2).collect();
    outside.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn names_are_links_in_files_too() {
    let table = fs::read_to_string(folder().join("links.md")).expect("the table of links");
    let mut found = 0;
    for entry in fs::read_dir(folder()).expect("the guide") {
        let path = entry.expect("a page").path();
        let page = fs::read_to_string(&path).expect("a page");
        let (prose, own) = (prose(&page), links(&page));
        for (name, _) in links(&table) {
            if path.ends_with("links.md") || !prose.contains(&format!("[{name}]")) {
                continue;
            }
            let is_defined = own.iter().any(|(defined, _)| *defined == name);
            assert!(is_defined, "{}: no [{name}]: at its end", path.display());
            found += 1;
        }
    }
    assert!(found > 30, "{found}");
}
