//! What `CONTRIBUTING.md` shows is there: the files of its tables, and the code of its recipes, as it is.

use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../CONTRIBUTING.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The blocks that are marked so.
fn blocks(mark: &str) -> impl Iterator<Item = &'static str> {
    let mark = format!("{mark}\n");
    let marked = PAGE.split("```").skip(1).step_by(2);
    marked.filter_map(move |block| block.strip_prefix(&mark))
}

/// What is in a folder, one source after the other.
fn sources(folder: PathBuf) -> String {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let read = |path: PathBuf| match path.is_dir() {
        true => sources(path),
        false => fs::read_to_string(path).unwrap_or_default(),
    };
    paths.map(read).collect()
}

#[test]
fn its_files_are_there() {
    let words = blocks("text").flat_map(str::split_whitespace);
    let is_path = |word: &&str| {
        let looks = word.ends_with(".rs") || word.ends_with('/');
        looks
            || ["src/", "tests/"]
                .iter()
                .any(|start| word.starts_with(start))
    };
    let files: Vec<&str> = words.filter(is_path).collect();
    for file in &files {
        assert!(root().join(file).exists(), "no {file}");
    }
    assert!(files.len() > 50, "{files:?}");
}

/// No file of the crate is missing in the table, or else in a folder that is not.
#[test]
fn no_file_is_left_out() {
    let all: Vec<&str> = blocks("text").flat_map(str::split_whitespace).collect();
    for entry in fs::read_dir(root().join("src")).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("a name").to_owned();
        let told = all
            .iter()
            .any(|file| file.starts_with(&format!("src/{name}")));
        assert!(told || name == "lib.rs", "src/{name}");
    }
}

#[test]
fn its_code_is_that_of_the_tests() {
    let all = sources(root().join("tests")) + &sources(root().join("loom-tests"));
    let mut found = 0;
    for block in blocks("rust") {
        assert!(all.contains(block), "nowhere:\n{block}");
        found += 1;
    }
    assert!(found >= 5, "{found}");
}
