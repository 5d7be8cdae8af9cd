//! What is not a value of the type asked for, made on purpose.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, symlink};
use std::os::unix::net::UnixListener;

use procsync::{ShareError, Shareable, Shared, unlink};
use tempfile::TempDir;

use crate::{directory, name_in};

type Value = [u64; 4];
/// Header and value.
const LEN: u64 = 128 + 32;
/// An array, so many, of what is called so.
const DESCRIPTION_LEN: u64 = 1 + 8 + 1 + 1 + 3;

fn made() -> (TempDir, String, File) {
    let directory = directory();
    let name = name_in(&directory, "x");
    Shared::<Value>::create(&name, [1, 2, 3, 4]).unwrap();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&name)
        .unwrap();
    (directory, name, file)
}

#[test]
fn the_header_is_as_documented() {
    let before = now();
    let (_directory, _name, file) = made();
    let mut bytes = [0; 174];
    file.read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!(file.metadata().unwrap().len(), LEN + DESCRIPTION_LEN);
    assert_eq!(&bytes[..8], b"procsync");
    assert_eq!(bytes[8..12], 2_u32.to_ne_bytes());
    assert_eq!(bytes[12..16], std::process::id().to_ne_bytes());
    assert_eq!(bytes[16..24], Value::LAYOUT.to_ne_bytes());
    assert_eq!(bytes[24..32], 32_u64.to_ne_bytes());
    let link = std::fs::read_link("/proc/self/ns/pid").unwrap();
    let inode = u64::from_ne_bytes(bytes[32..40].try_into().unwrap());
    assert_eq!(link.to_str().unwrap(), format!("pid:[{inode}]"));
    let boot = u128::from_ne_bytes(bytes[40..56].try_into().unwrap());
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert_eq!(format!("{boot:032x}"), text.trim().replace('-', ""));
    let created = u64::from_ne_bytes(bytes[56..64].try_into().unwrap());
    assert!((before..=now()).contains(&created));
    assert_eq!(bytes[64..72], 128_u64.to_ne_bytes());
    assert_eq!(bytes[72..80], LEN.to_ne_bytes());
    assert_eq!(bytes[80..88], DESCRIPTION_LEN.to_ne_bytes());
    assert_eq!(bytes[88..128], [0; 40]);
    assert_eq!(bytes[128..136], 1_u64.to_ne_bytes());
    assert_eq!(bytes[160], 5);
    assert_eq!(bytes[161..169], 4_u64.to_ne_bytes());
    assert_eq!(&bytes[169..], b"\x01\x03u64");
}

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

#[test]
fn a_damage_is_told_by_the_first_check_that_it_fails() {
    let (_directory, name, file) = made();
    let open = || Shared::<Value>::open(&name).unwrap_err();
    let damage = |offset: u64, byte: u8| file.write_all_at(&[byte], offset).unwrap();
    assert!(Shared::<Value>::open(&name).is_ok());
    // From the last check to the first: each damage hides those before it.
    damage(33, 0xaa);
    assert!(matches!(open(), ShareError::ForeignPidNamespace));
    damage(55, !byte_at(&file, 55));
    assert!(matches!(open(), ShareError::StaleBoot));
    file.set_len(LEN - 1).unwrap();
    assert!(matches!(
        open(),
        ShareError::TooSmall {
            found: 159,
            expected: LEN
        }
    ));
    damage(24, 33);
    assert!(matches!(
        open(),
        ShareError::SizeMismatch {
            found: 33,
            expected: 32
        }
    ));
    file.write_all_at(&5_u64.to_ne_bytes(), 16).unwrap();
    let expected_layout = Value::LAYOUT;
    assert!(
        matches!(open(), ShareError::LayoutMismatch { found: 5, expected, difference: None }
        if expected == expected_layout)
    );
    damage(8, 9);
    assert!(matches!(
        open(),
        ShareError::VersionMismatch {
            found: 9,
            expected: 2
        }
    ));
    // The headers of other versions may be shorter.
    file.set_len(12).unwrap();
    assert!(matches!(open(), ShareError::VersionMismatch { .. }));
    damage(7, b'C');
    assert!(matches!(open(), ShareError::BadMagic));
    file.set_len(11).unwrap();
    assert!(matches!(
        open(),
        ShareError::TooSmall {
            found: 11,
            expected: 128
        }
    ));
    file.set_len(0).unwrap();
    assert!(matches!(
        open(),
        ShareError::TooSmall {
            found: 0,
            expected: 128
        }
    ));
}

#[test]
fn a_header_that_is_cut_short_is_refused() {
    let (_directory, name, file) = made();
    file.set_len(127).unwrap();
    let opened = Shared::<Value>::open(&name);
    assert!(
        matches!(
            opened,
            Err(ShareError::TooSmall {
                found: 127,
                expected: 128
            })
        ),
        "{opened:?}"
    );
}

#[test]
fn the_description_is_not_needed_to_open() {
    let (_directory, name, file) = made();
    file.set_len(LEN).unwrap();
    file.write_all_at(&[0xff; 24], 64).unwrap();
    assert_eq!(*Shared::<Value>::open(&name).unwrap(), [1, 2, 3, 4]);
}

fn byte_at(file: &File, offset: u64) -> u8 {
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    byte[0]
}

#[test]
fn every_operation_checks() {
    let (directory, name, file) = made();
    file.write_all_at(b"P", 0).unwrap();
    let results = [
        Shared::<Value>::open(&name),
        Shared::<Value>::open_or_create(&name, || unreachable!()),
        Shared::<Value>::from_fd(OwnedFd::from(file)),
    ];
    for result in results {
        assert!(matches!(result, Err(ShareError::BadMagic)), "{result:?}");
    }
    std::fs::write(name_in(&directory, "zeros"), [0; 200]).unwrap();
    let zeros = Shared::<Value>::open(&name_in(&directory, "zeros"));
    assert!(matches!(zeros, Err(ShareError::BadMagic)), "{zeros:?}");
}

#[test]
fn every_byte_that_is_checked_counts() {
    let (_directory, name, file) = made();
    for offset in (0..12).chain(16..56) {
        let byte = byte_at(&file, offset);
        for bit in 0..8 {
            file.write_all_at(&[byte ^ 1 << bit], offset).unwrap();
            assert!(
                Shared::<Value>::open(&name).is_err(),
                "byte {offset}, bit {bit}"
            );
        }
        file.write_all_at(&[byte], offset).unwrap();
        assert!(Shared::<Value>::open(&name).is_ok());
    }
}

#[test]
fn a_longer_file_is_accepted() {
    let (_directory, name, file) = made();
    file.set_len(LEN + 10_000).unwrap();
    assert_eq!(*Shared::<Value>::open(&name).unwrap(), [1, 2, 3, 4]);
}

#[test]
fn another_type_is_refused_even_of_the_same_size() {
    let (_directory, name, _file) = made();
    fn refused<T: Shareable + Sync>(name: &str) -> bool {
        matches!(
            Shared::<T>::open(name),
            Err(ShareError::LayoutMismatch { .. })
        )
    }
    assert!(refused::<[i64; 4]>(&name));
    assert!(refused::<[u32; 8]>(&name));
    assert!(refused::<[u64; 3]>(&name));
    assert!(refused::<()>(&name));
    assert!(!refused::<Value>(&name));
}

#[test]
fn what_is_no_regular_file_is_refused_and_nothing_hangs() {
    let (directory, name, _file) = made();
    let at = |file| name_in(&directory, file);
    symlink(&name, at("link")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    std::fs::create_dir(at("directory")).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo"), mode).unwrap();
    let null = "/dev/null".to_owned();
    let names = [
        at("link"),
        at("dangling"),
        at("socket"),
        at("directory"),
        at("fifo"),
        null,
    ];
    for name in names {
        let opened = Shared::<Value>::open(&name);
        assert!(
            matches!(opened, Err(ShareError::NotRegular)),
            "{name}: {opened:?}"
        );
        let made = Shared::<Value>::open_or_create(&name, || unreachable!());
        assert!(
            matches!(made, Err(ShareError::NotRegular)),
            "{name}: {made:?}"
        );
        let created = Shared::<Value>::create(&name, [0; 4]);
        assert!(!name.contains("shm") || matches!(created, Err(ShareError::AlreadyExists)));
    }
    assert!(matches!(
        unlink(&at("directory")),
        Err(ShareError::NotRegular)
    ));
    let (pipe, _write) = nix::unistd::pipe().unwrap();
    let passed = Shared::<Value>::from_fd(pipe);
    assert!(matches!(passed, Err(ShareError::NotRegular)), "{passed:?}");
}

#[test]
fn a_descriptor_that_is_read_only_is_refused() {
    let (_directory, name, _file) = made();
    let result = Shared::<Value>::from_fd(OwnedFd::from(File::open(&name).unwrap()));
    assert!(
        matches!(result, Err(ShareError::PermissionDenied)),
        "{result:?}"
    );
}
