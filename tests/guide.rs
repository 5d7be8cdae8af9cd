//! What README.md and `docs/guide` show is there: their links, their pictures, and the code in
//! `docs/guide/models.md`, which is that of `examples/ledger`.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

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
fn what_readers_do_without_a_lock_is_what_the_model_explores() {
    const MODEL: &str = include_str!("../loom-tests/tests/guide.rs");
    const CHOOSING: &str = include_str!("../docs/guide/choosing.md");
    let shown = CHOOSING
        .split_once("impl Settings {")
        .expect("the example")
        .1;
    let shown = shown.split_once("\n}\n").expect("its end").0;
    assert!(
        MODEL.contains(shown),
        "another one than in loom-tests:{shown}"
    );
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
        .filter(|(name, _)| !name.contains(']'))
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The links that rustdoc knows.
fn table() -> String {
    fs::read_to_string(root().join("docs/guide/links.md")).expect("the table of links")
}

/// README.md and the guide.
fn pages() -> Vec<PathBuf> {
    let guide = fs::read_dir(root().join("docs/guide")).expect("the guide");
    let files = guide.map(|entry| entry.expect("a page").path());
    let pages = files.filter(|path| path.extension() == Some("md".as_ref()));
    let pages = pages.filter(|path| !path.ends_with("links.md"));
    pages.chain([root().join("README.md")]).collect()
}

#[test]
fn links_lead_somewhere_in_files_and_in_rustdoc() {
    let table = table();
    for path in pages() {
        let page = fs::read_to_string(&path).expect("a page");
        for (name, destination) in links(&page) {
            if destination.starts_with("https://") {
                continue;
            }
            let file = destination.split('#').next().unwrap_or_default();
            let target = path.parent().expect("a folder").join(file);
            let path = path.display();
            assert!(target.exists(), "{path}: {name} leads to {destination}");
            let known = links(&table).iter().any(|(known, _)| *known == name);
            assert!(
                known || PICTURES.contains(&name),
                "{path}: {name} is not in links.md"
            );
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
    let table = table();
    let mut found = 0;
    for path in pages() {
        let page = fs::read_to_string(&path).expect("a page");
        let (prose, own) = (prose(&page), links(&page));
        for (name, _) in links(&table) {
            if !prose.contains(&format!("[{name}]")) {
                continue;
            }
            let is_defined = own.iter().any(|(defined, _)| *defined == name);
            assert!(is_defined, "{}: no [{name}]: at its end", path.display());
            found += 1;
        }
    }
    assert!(found > 60, "{found}");
}

/// src/lib.rs gives them to rustdoc, which takes no files.
const PICTURES: [&str; 2] = ["picture", "chart"];

#[test]
fn rustdoc_shows_the_pictures_of_the_readme() {
    for file in ["death.svg", "ratios.svg"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("docs/figures")
            .join(file);
        let picture = fs::read(&path).expect("a picture");
        let copy = fs::read(path.with_extension("svg.base64")).expect("its copy");
        assert!(
            BASE64_STANDARD.encode(picture).as_bytes() == copy,
            "an old copy: base64 -w0 docs/figures/{file} >docs/figures/{file}.base64"
        );
    }
}
