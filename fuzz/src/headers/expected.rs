//! What opening a file should answer, written down from the documentation once more.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::LazyLock;

use procsync::{ShareError, Shared};

use super::Plain;

const HEADER: u64 = 128;
/// Magic and version, the same in all versions.
const MAKER: u64 = 12;
const VERSION: u32 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Ok,
    TooSmall {
        found: u64,
        expected: u64,
    },
    BadMagic,
    Version(u32),
    Layout(u64),
    Size(u64),
    StaleBoot,
    ForeignPidNamespace,
    /// Nothing that there is a name for.
    Other,
}

/// Where a value begins.
pub(super) fn offset<T>() -> u64 {
    HEADER.max(align_of::<T>() as u64)
}

pub(super) fn file_len<T>() -> u64 {
    offset::<T>() + size_of::<T>() as u64
}

/// Of the running system.
static BOOT: LazyLock<u128> = LazyLock::new(|| {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("/proc");
    u128::from_str_radix(&text.trim().replace('-', ""), 16).expect("hexadecimal digits")
});

/// Of this process.
static PID_NAMESPACE: LazyLock<u64> = LazyLock::new(|| {
    let link = std::fs::read_link("/proc/self/ns/pid").expect("/proc");
    let text = link.to_str().expect("ASCII");
    text["pid:[".len()..text.len() - 1]
        .parse()
        .expect("a number")
});

impl Expected {
    pub(super) fn of<T: Plain>(file: &File) -> Self {
        let len = file.metadata().expect("it is open").len();
        let mut bytes = [0; HEADER as usize];
        let here = usize::try_from(len.min(HEADER)).expect("it is short");
        file.read_exact_at(&mut bytes[..here], 0)
            .expect("it is that long");
        if len < MAKER {
            return Self::too_small(len);
        }
        match Self::of_maker(&bytes) {
            Self::Ok if len < HEADER => Self::too_small(len),
            Self::Ok => Self::of_header::<T>(&bytes, len),
            refused => refused,
        }
    }

    fn too_small(found: u64) -> Self {
        Self::TooSmall {
            found,
            expected: HEADER,
        }
    }

    fn of_maker(bytes: &[u8; HEADER as usize]) -> Self {
        let version = u32::from_ne_bytes(field(bytes, 8));
        if bytes[..8] != *b"procsync" {
            Self::BadMagic
        } else if version != VERSION {
            Self::Version(version)
        } else {
            Self::Ok
        }
    }

    fn of_header<T: Plain>(bytes: &[u8; HEADER as usize], len: u64) -> Self {
        let layout = u64::from_ne_bytes(field(bytes, 16));
        let size = u64::from_ne_bytes(field(bytes, 24));
        if layout != T::LAYOUT {
            Self::Layout(layout)
        } else if size != size_of::<T>() as u64 {
            Self::Size(size)
        } else if len < file_len::<T>() {
            Self::TooSmall {
                found: len,
                expected: file_len::<T>(),
            }
        } else if u128::from_ne_bytes(field(bytes, 40)) != *BOOT {
            Self::StaleBoot
        } else if u64::from_ne_bytes(field(bytes, 32)) != *PID_NAMESPACE {
            Self::ForeignPidNamespace
        } else {
            Self::Ok
        }
    }

    /// Whether that is what came of it; and if it is the value, whether that is the file's.
    pub(super) fn check<T: Plain>(self, opened: &Result<Shared<T>, ShareError>, file: &File) {
        assert_eq!(Self::from_result(opened), self, "{opened:?}");
        if let Ok(opened) = opened {
            self.check_value(opened, file);
        }
    }

    pub(super) fn check_value<T: Plain>(self, opened: &Shared<T>, file: &File) {
        let start = std::ptr::from_ref::<T>(opened);
        assert!(start.is_aligned());
        let mut expected = vec![0; size_of::<T>()];
        file.read_exact_at(&mut expected, offset::<T>())
            .expect("it is that long");
        // SAFETY: the value consists of integers, and nobody changes it now.
        let found = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), size_of::<T>()) };
        assert!(found == expected, "another value than the file's");
    }

    pub(super) fn from_result<T>(result: &Result<Shared<T>, ShareError>) -> Self {
        match *result {
            Ok(_) => Self::Ok,
            Err(ShareError::TooSmall { found, expected }) => Self::TooSmall { found, expected },
            Err(ShareError::BadMagic) => Self::BadMagic,
            Err(ShareError::VersionMismatch {
                found,
                expected: VERSION,
            }) => Self::Version(found),
            Err(ShareError::LayoutMismatch { found, .. }) => Self::Layout(found),
            Err(ShareError::SizeMismatch { found, .. }) => Self::Size(found),
            Err(ShareError::StaleBoot) => Self::StaleBoot,
            Err(ShareError::ForeignPidNamespace) => Self::ForeignPidNamespace,
            Err(_) => Self::Other,
        }
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("as many")
}
