//! What a process has: memory and descriptors.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

/// The first figures and the last, as a process notes them of itself.
#[repr(C)]
#[derive(Default)]
pub(crate) struct Figures {
    notes: AtomicU64,
    first: [AtomicU64; 3],
    last: [AtomicU64; 3],
}

/// In KiB, and descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) size: u64,
    pub(crate) resident: u64,
    pub(crate) files: u64,
}

/// So much may become resident, or be mapped, that was only not needed before: the stack's next pages, the
/// allocator's. A leak of one page a second or one record a thread is more.
const TOLERANCE: u64 = 512;

/// Some pages of the allocator's.
const CLOSE: u64 = 64;

/// Until everything has happened once, in rounds with deaths and without.
const WARM_UP: u64 = 2;

impl Usage {
    pub(crate) fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            number
                .and_then(|number| number.parse().ok())
                .expect("the kernel tells")
        };
        let files = std::fs::read_dir("/proc/self/fd").expect("/proc is mounted");
        Self {
            size: field("VmSize:"),
            resident: field("VmRSS:"),
            files: files.count() as u64,
        }
    }

    fn numbers(self) -> [u64; 3] {
        [self.size, self.resident, self.files]
    }

    fn from(numbers: &[AtomicU64; 3]) -> Self {
        let [size, resident, files] = numbers.each_ref().map(|number| number.load(SeqCst));
        Self {
            size,
            resident,
            files,
        }
    }

    /// Whether it has what it had before, apart from what only was not needed before.
    pub(crate) fn is_flat_since(self, before: Self) -> bool {
        self.exceeds_by_less_than(TOLERANCE, before)
    }

    /// After a moment in which nothing should have come to stay.
    pub(crate) fn is_the_same_as(self, before: Self) -> bool {
        self.exceeds_by_less_than(CLOSE, before)
    }

    fn exceeds_by_less_than(self, tolerance: u64, before: Self) -> bool {
        self.files == before.files
            && self.size <= before.size + tolerance
            && self.resident <= before.resident + tolerance
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (resident, size, files) = (self.resident, self.size, self.files);
        write!(f, "{resident} KiB of {size} KiB, {files} descriptors")
    }
}

impl Figures {
    pub(crate) fn note(&self) {
        let note = self.notes();
        let numbers = Usage::now().numbers();
        for (place, number) in numbers.into_iter().enumerate() {
            self.last[place].store(number, SeqCst);
            if note < WARM_UP {
                self.first[place].store(number, SeqCst);
            }
        }
        self.notes.fetch_add(1, SeqCst);
    }

    pub(crate) fn notes(&self) -> u64 {
        self.notes.load(SeqCst)
    }

    pub(crate) fn first(&self) -> Usage {
        Usage::from(&self.first)
    }

    pub(crate) fn last(&self) -> Usage {
        Usage::from(&self.last)
    }
}
