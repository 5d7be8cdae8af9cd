//! Files that are almost, or not at all, values in shared memory: opening answers as documented.

mod expected;
mod race;

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use procsync::{Lock, ShareError, Shareable, Shared};
use rustix::fs::{Mode, OFlags};
use tempfile::TempDir;

use expected::Expected;

#[derive(Arbitrary, Debug)]
pub struct Case {
    pub value: Value,
    pub way: Way,
    pub damages: Vec<Damage>,
}

/// The type that is asked for; the file was made as one of these, too.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Value {
    Empty,
    Words,
    Lock,
    /// Aligned to more than the header is long.
    Aligned,
    /// Longer than a page.
    Long,
}

/// What happens to the file, one thing after the other.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Damage {
    Flip {
        offset: u8,
        bit: u8,
    },
    Byte {
        offset: u8,
        value: u8,
    },
    Field {
        field: u8,
        value: u64,
    },
    /// One of the numbers that could be meant, less or more.
    Near {
        field: u8,
        delta: i8,
    },
    Length(u16),
    LengthNear(i8),
    MadeAs(Value),
}

#[derive(Arbitrary, Clone, Debug)]
pub enum Way {
    ByDescriptor,
    ByDuplicate,
    ByName,
    OpenOrCreate,
    ReadOnly,
    WriteOnly,
    PathOnly,
    Directory,
    Pipe,
    SymbolicLink,
    /// Of a file beside it, with whatever name.
    AnyName(String),
    /// While another thread truncates and extends it.
    WhileTruncated(u16),
    /// While another thread unlinks and makes it.
    WhileUnlinked,
}

/// A type whose values consist of integers.
trait Plain: Shareable + Sync {
    const NEW: Self;
}

#[repr(C, align(256))]
pub struct Aligned([u64; 2]);

// SAFETY: integers, without pointers, valid for any bit pattern; and nobody else has such a layout.
unsafe impl Shareable for Aligned {
    const LAYOUT: u64 = 0x616c_6967_6e65_6421;
}

impl Plain for () {
    const NEW: Self = ();
}

impl Plain for [u64; 4] {
    const NEW: Self = [1, 2, 3, 4];
}

impl Plain for Lock<u32> {
    const NEW: Self = Lock::new(7);
}

impl Plain for Aligned {
    const NEW: Self = Self([1, 2]);
}

impl Plain for [u8; 5000] {
    const NEW: Self = [5; 5000];
}

/// Calls a function that is generic over the type that a [`Value`] names.
macro_rules! with_type {
    ($value:expr, $function:ident($($argument:expr),*)) => {
        match $value {
            Value::Empty => $function::<()>($($argument),*),
            Value::Words => $function::<[u64; 4]>($($argument),*),
            Value::Lock => $function::<Lock<u32>>($($argument),*),
            Value::Aligned => $function::<Aligned>($($argument),*),
            Value::Long => $function::<[u8; 5000]>($($argument),*),
        }
    };
}

/// On a tmpfs, for all cases of a process.
static DIRECTORY: LazyLock<TempDir> =
    LazyLock::new(|| tempfile::tempdir_in("/dev/shm").expect("a directory can be made"));

/// The file of a case. Its name goes with it.
struct Scene {
    file: File,
    path: PathBuf,
}

impl Scene {
    fn new<T: Plain>() -> Self {
        let path = DIRECTORY.path().join("value");
        drop(Shared::create(text(&path), T::NEW).expect("the name is free"));
        let file = OpenOptions::new().read(true).write(true).open(&path);
        Self {
            file: file.expect("it was just made"),
            path,
        }
    }

    fn name(&self) -> &str {
        text(&self.path)
    }

    fn len(&self) -> u64 {
        self.file.metadata().expect("it is open").len()
    }

    fn reopened(&self, flags: OFlags) -> OwnedFd {
        rustix::fs::open(&self.path, flags, Mode::empty()).expect("it is there")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A case may have unlinked it.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name of our own")
}

pub fn play(case: &Case) {
    with_type!(case.value, play_as(case));
}

fn play_as<T: Plain>(case: &Case) {
    let made = case.damages.iter().rev().find_map(|damage| match damage {
        Damage::MadeAs(value) => Some(*value),
        _ => None,
    });
    let scene = with_type!(made.unwrap_or(case.value), scene());
    for damage in &case.damages {
        damage.happen::<T>(&scene);
    }
    case.way.go::<T>(&scene);
}

fn scene<T: Plain>() -> Scene {
    Scene::new::<T>()
}

/// Where the fields of a header begin, and how long they are.
const FIELDS: [(u64, usize); 8] = [
    (0, 8),
    (8, 4),
    (12, 4),
    (16, 8),
    (24, 8),
    (32, 8),
    (40, 8),
    (48, 8),
];

impl Damage {
    fn happen<T: Plain>(self, scene: &Scene) {
        let file = &scene.file;
        match self {
            Self::Flip { offset, bit } => {
                let mut byte = [0];
                // Past the end there is nothing to be flipped.
                let _ = file.read_at(&mut byte, offset.into());
                write(file, &[byte[0] ^ 1 << (bit % 8)], offset.into());
            }
            Self::Byte { offset, value } => write(file, &[value], offset.into()),
            Self::Field { field, value } => {
                let (offset, len) = FIELDS[usize::from(field) % FIELDS.len()];
                write(file, &value.to_ne_bytes()[..len], offset);
            }
            Self::Near { field, delta } => {
                let (offset, len) = FIELDS[usize::from(field) % FIELDS.len()];
                let mut bytes = [0; 8];
                let _ = file.read_at(&mut bytes[..len], offset);
                let near = u64::from_ne_bytes(bytes).wrapping_add_signed(delta.into());
                write(file, &near.to_ne_bytes()[..len], offset);
            }
            Self::Length(len) => set_len(file, len.into()),
            Self::LengthNear(delta) => {
                set_len(
                    file,
                    expected::file_len::<T>().saturating_add_signed(delta.into()),
                );
            }
            // It was made so at the beginning.
            Self::MadeAs(_) => {}
        }
    }
}

fn write(file: &File, bytes: &[u8], offset: u64) {
    file.write_all_at(bytes, offset)
        .expect("a file on a tmpfs can be written");
}

fn set_len(file: &File, len: u64) {
    file.set_len(len).expect("a file on a tmpfs can be resized");
}

impl Way {
    fn go<T: Plain>(&self, scene: &Scene) {
        let expected = Expected::of::<T>(&scene.file);
        match self {
            Self::ByDescriptor => {
                expected.check(
                    &Shared::<T>::from_fd(scene.reopened(OFlags::RDWR)),
                    &scene.file,
                );
            }
            Self::ByDuplicate => {
                let fd = scene.file.as_fd().try_clone_to_owned().expect("it is open");
                expected.check(&Shared::<T>::from_fd(fd), &scene.file);
            }
            Self::ByName => expected.check(&Shared::<T>::open(scene.name()), &scene.file),
            Self::OpenOrCreate => {
                let opened = Shared::<T>::open_or_create(scene.name(), || unreachable!());
                expected.check(&opened, &scene.file);
            }
            Self::ReadOnly => {
                let opened = Shared::<T>::from_fd(scene.reopened(OFlags::RDONLY));
                match expected {
                    Expected::Ok => {
                        assert!(
                            matches!(opened, Err(ShareError::PermissionDenied)),
                            "{opened:?}"
                        );
                    }
                    _ => expected.check(&opened, &scene.file),
                }
            }
            Self::WriteOnly => refuse_by_system::<T>(scene.reopened(OFlags::WRONLY)),
            Self::PathOnly => refuse_by_system::<T>(scene.reopened(OFlags::PATH)),
            Self::Directory => {
                let directory = File::open(DIRECTORY.path()).expect("it is there");
                refuse_as_not_regular::<T>(directory.into());
            }
            Self::Pipe => {
                let (pipe, _) = std::io::pipe().expect("pipes can be had");
                refuse_as_not_regular::<T>(pipe.into());
            }
            Self::SymbolicLink => {
                let link = DIRECTORY.path().join("link");
                std::os::unix::fs::symlink(&scene.path, &link).expect("the name is free");
                let opened = Shared::<T>::open(text(&link));
                std::fs::remove_file(&link).expect("it is there");
                assert!(matches!(opened, Err(ShareError::NotRegular)), "{opened:?}");
            }
            Self::AnyName(name) => {
                let opened = Shared::<T>::open(&format!("{}/{name}", text(DIRECTORY.path())));
                if let Ok(opened) = &opened {
                    Expected::Ok.check_value(opened, &scene.file);
                }
            }
            Self::WhileTruncated(len) => race::truncate::<T>(scene, (*len).into(), &expected),
            Self::WhileUnlinked => race::unlink::<T>(scene),
        }
    }
}

fn refuse_by_system<T: Plain>(fd: OwnedFd) {
    let opened = Shared::<T>::from_fd(fd);
    assert!(matches!(opened, Err(ShareError::Os(_))), "{opened:?}");
}

fn refuse_as_not_regular<T: Plain>(fd: OwnedFd) {
    let opened = Shared::<T>::from_fd(fd);
    assert!(matches!(opened, Err(ShareError::NotRegular)), "{opened:?}");
}
