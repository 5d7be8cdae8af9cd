//! `procsync list`.

use procsync::{Lock, Shared};

use crate::{printed, refused};

#[test]
fn values_are_listed_and_other_files_are_not() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = |file: &str| format!("{}/{file}", directory.path().display());
    let _two = Shared::create(&path("two"), Lock::new(1_u64)).unwrap();
    let _one = Shared::create(&path("one"), [0_u8; 100]).unwrap();
    std::fs::write(path("text"), "procsyn, and so on").unwrap();
    std::fs::write(path("empty"), "").unwrap();
    std::fs::create_dir(path("directory")).unwrap();
    let version = [&b"procsync"[..], &9_u32.to_ne_bytes()].concat();
    std::fs::write(path("version"), version).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), mode).unwrap();

    let text = printed(&["list", &path("")]);
    let lines: Vec<&str> = text.lines().collect();
    let mine = format!("made by {} (", std::process::id());
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].contains("one") && lines[0].contains("100 bytes") && lines[0].contains(&mine));
    assert!(lines[1].contains("two") && lines[1].contains("48 bytes") && lines[1].contains(&mine));
    assert!(lines[2].contains("version") && lines[2].contains("has version 9"));

    let json = printed(&["list", "--json", &path("")]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(json[1]["size"], 48);
    assert!(refused(&["list", &path("none")]).contains("none"));
}
