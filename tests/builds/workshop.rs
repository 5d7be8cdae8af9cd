//! Where programs are built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The version of the representation that the programs here have, but for one.
pub(crate) const VERSION: u32 = 2;

/// A program that was built.
pub(crate) struct Program(pub(crate) PathBuf);

/// How to build one.
pub(crate) struct Recipe {
    name: &'static str,
    features: &'static str,
    /// Lines of the profile `release`. Those who have the same also have a target directory in common.
    profile: &'static str,
    /// With a crate that represents things in another way, or says so.
    later: bool,
}

const FAST_BUILD: &str = "opt-level = 0\ncodegen-units = 16";

impl Recipe {
    pub(crate) const QUICK: Self = Self {
        name: "quick",
        features: "",
        profile: FAST_BUILD,
        later: false,
    };
    pub(crate) const THOROUGH: Self = Self {
        name: "thorough",
        features: "",
        profile: "opt-level = 3\ncodegen-units = 1\nlto = \"fat\"\npanic = \"abort\"",
        later: false,
    };
    pub(crate) const OTHER: Self = Self {
        name: "other",
        features: "other",
        profile: FAST_BUILD,
        later: false,
    };
    pub(crate) const LATER: Self = Self {
        name: "later",
        features: "",
        profile: FAST_BUILD,
        later: true,
    };
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Makes a crate, and builds it.
pub(crate) fn build(workshop: &TempDir, recipe: &Recipe) -> Program {
    let place = workshop.path().join(recipe.name);
    let target = workshop.path().join(match recipe.profile {
        FAST_BUILD => "target-fast",
        _ => "target",
    });
    fs::create_dir_all(place.join("src")).unwrap();
    fs::write(place.join("src/main.rs"), include_str!("stranger.rs")).unwrap();
    let procsync = if recipe.later {
        later_crate(&place)
    } else {
        here().to_owned()
    };
    fs::write(place.join("Cargo.toml"), manifest(&procsync, recipe)).unwrap();
    // The versions that were fetched already.
    fs::copy(here().join("Cargo.lock"), place.join("Cargo.lock")).unwrap();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--offline"])
        .args(["--features", recipe.features, "--target-dir"])
        .arg(&target)
        .current_dir(&place)
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "{} cannot be built", recipe.name);
    let program = place.join("stranger");
    fs::copy(target.join("release/stranger"), &program).unwrap();
    Program(program)
}

fn manifest(procsync: &Path, recipe: &Recipe) -> String {
    format!(
        "[package]\nname = \"stranger\"\nedition = \"2024\"\n\
         [features]\nother = []\n\
         [dependencies]\nprocsync = {{ path = {procsync:?} }}\n\
         [profile.release]\n{}\n[workspace]\n",
        recipe.profile
    )
}

/// A copy of this crate, of the next version of the representation.
fn later_crate(place: &Path) -> PathBuf {
    let copy = place.join("procsync");
    copy_all(&here().join("src"), &copy.join("src"));
    // What is part of the documentation is read when it is built.
    fs::copy(here().join("README.md"), copy.join("README.md")).unwrap();
    copy_all(&here().join("docs"), &copy.join("docs"));
    let whole = fs::read_to_string(here().join("Cargo.toml")).unwrap();
    let dependencies = whole.split_once("[dependencies]").unwrap().1;
    let dependencies = dependencies.split_once("[target.").unwrap().0;
    let manifest = format!(
        "[package]\nname = \"procsync\"\nversion = \"0.2.0\"\nedition = \"2024\"\n\
         [lints.rust]\nunexpected_cfgs = {{ level = \"allow\", check-cfg = [\"cfg(loom)\"] }}\n\
         [dependencies]{dependencies}"
    );
    fs::write(copy.join("Cargo.toml"), manifest).unwrap();
    let then = VERSION + 1;
    let replace = |file: &str, from: String, to: String| {
        let path = copy.join("src").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(&from), "{file} has no `{from}`");
        fs::write(&path, text.replace(&from, &to)).unwrap();
    };
    let constant = |version| format!("VERSION: u32 = {version};");
    replace("shared/header.rs", constant(VERSION), constant(then));
    let assertion = |version| format!("header::VERSION, {version})");
    replace("layout.rs", assertion(VERSION), assertion(then));
    copy
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
