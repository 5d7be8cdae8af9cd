//! The kernel's own: a bare futex, an eventfd, a pipe.

use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

use procsync::Shared;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};
use rustix::pipe::pipe;
use rustix::thread::futex::{self, Flags};

use super::ours::shared;
use crate::traits::Baton;

/// A word that is 1 when it is somebody's turn. Who has nothing to do sleeps at once.
pub(crate) struct Futex(Shared<AtomicU32>);

impl Futex {
    pub(crate) fn new() -> Self {
        Self(shared(AtomicU32::new(0)))
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }
}

impl Baton for Futex {
    #[inline]
    fn pass(&self) {
        self.0.store(1, Release);
        futex::wake(&self.0, Flags::empty(), 1).expect("a futex");
    }

    #[inline]
    fn take(&self) {
        while self.0.compare_exchange(1, 0, AcqRel, Acquire).is_err() {
            // It answers with an error if the word is 1 by now.
            let _ = futex::wait(&self.0, Flags::empty(), 0, None);
        }
    }
}

/// A counter in the kernel.
pub(crate) struct EventFd(OwnedFd);

impl EventFd {
    pub(crate) fn new() -> Self {
        Self(eventfd(0, EventfdFlags::empty()).expect("an eventfd"))
    }
}

impl Baton for EventFd {
    fn pass(&self) {
        let one = 1_u64.to_ne_bytes();
        assert_eq!(write(&self.0, &one), Ok(one.len()));
    }

    fn take(&self) {
        let mut count = [0; size_of::<u64>()];
        assert_eq!(read(&self.0, &mut count), Ok(count.len()));
    }
}

/// A byte for each turn.
pub(crate) struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Pipe {
    pub(crate) fn new() -> Self {
        let (reader, writer) = pipe().expect("a pipe");
        Self { reader, writer }
    }
}

impl Baton for Pipe {
    fn pass(&self) {
        assert_eq!(write(&self.writer, &[1]), Ok(1));
    }

    fn take(&self) {
        assert_eq!(read(&self.reader, &mut [0]), Ok(1));
    }
}
