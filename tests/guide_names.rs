//! What the pages of the guide name as a proof is there: tests, scenarios, mutants.

use std::fs;
use std::path::{Path, PathBuf};

const PAGES: [&str; 4] = ["mappings", "processes", "containers", "the-lock"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries
        .flat_map(|entry| {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                rust_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// All sources of a folder, one after the other.
fn sources(folder: &str) -> String {
    let files = rust_files(&root().join(folder));
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a source");
    files.iter().map(read).collect()
}

/// What a page has between single backticks, outside of its blocks.
fn code(page: &str) -> Vec<String> {
    let path = root().join("docs/guide").join(page).with_extension("md");
    let text = fs::read_to_string(path).expect("a page");
    let prose: String = text.split("```").step_by(2).collect();
    let spans = prose.split('`').skip(1).step_by(2);
    spans
        .map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

fn consists_of(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

/// Tests have long names; so much else has not.
fn is_a_test(name: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    consists_of(name, word) && name.matches('_').count() >= 3
}

fn is_a_mutant(name: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    consists_of(name, word) && name.contains('-') && !name.starts_with('-')
}

/// Of `file: name`, the name.
fn name_in(span: &str) -> &str {
    span.rsplit_once(": ").map_or(span, |(_, name)| name)
}

/// How many there are, all of which `source` defines as `definition` does.
fn check(
    wanted: impl Fn(&str) -> bool,
    source: &str,
    definition: impl Fn(&str) -> String,
) -> usize {
    let mut found = 0;
    for page in PAGES {
        for span in code(page).iter().filter(|span| wanted(span)) {
            let definition = definition(span);
            assert!(source.contains(&definition), "{page}: no {definition}");
            found += 1;
        }
    }
    found
}

#[test]
fn its_tests_are_there() {
    let source = sources("tests") + &sources("loom-tests/tests");
    let define = |span: &str| format!("fn {}", name_in(span));
    let found = check(|span| is_a_test(name_in(span)), &source, define);
    assert!(found > 30, "{found}");
}

#[test]
fn its_scenarios_are_there() {
    let source = sources("tests/deaths");
    let define = |span: &str| format!("\"{span}\"");
    let is_one = |span: &str| span.starts_with("lock: ") || span.starts_with("race: ");
    let found = check(is_one, &source, define);
    assert!(found >= 10, "{found}");
}

#[test]
fn its_mutants_are_there() {
    let source = sources("loom-tests/src/bin/mutants");
    let define = |span: &str| format!("name: \"{span}\"");
    let found = check(is_a_mutant, &source, define);
    assert!(found >= 10, "{found}");
}
