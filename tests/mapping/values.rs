//! Values of all sizes and alignments, and the handles to them.

use std::cell::Cell;
use std::fmt::Debug;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use procsync::{Shareable, Shared, unlink};
use static_assertions::{assert_impl_all, assert_not_impl_any};

use crate::{directory, mapped, name_in};

assert_impl_all!(Shared<AtomicU64>: Send, Sync, Clone, Debug, AsFd);
assert_impl_all!(Shared<[AtomicU64]>: Send, Sync, Clone, Debug, AsFd);
assert_not_impl_any!(Shared<Cell<u64>>: Send, Sync);
assert_not_impl_any!(Shared<dyn Debug>: Send, Sync);

procsync::shareable! {
    #[repr(align(256))]
    struct Wide { number: AtomicU64 }

    #[repr(align(4096))]
    struct Page { number: AtomicU64 }
}

fn address<T: ?Sized>(shared: &Shared<T>) -> usize {
    (&raw const **shared).addr()
}

/// Where the value ends in its file, according to the header, and what is behind it does not begin before.
fn end<T: ?Sized>(shared: &Shared<T>) -> u64 {
    let mut header = [0; 128];
    let read = rustix::io::pread(shared, &mut header, 0).unwrap();
    assert_eq!(read, header.len());
    let number = |at: usize| u64::from_ne_bytes(header[at..at + 8].try_into().unwrap());
    let (size, value, description, description_len) =
        (number(24), number(64), number(72), number(80));
    let file_len = rustix::fs::fstat(shared).unwrap().st_size;
    assert_eq!(description, (value + size).next_multiple_of(8));
    assert_eq!(file_len as u64, description + description_len);
    value + size
}

#[test]
fn two_mappings_in_one_process_have_one_value() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let one = Shared::create(&name, [const { AtomicU32::new(1) }; 3]).unwrap();
    let two = Shared::<[AtomicU32; 3]>::open(&name).unwrap();
    assert_ne!(address(&one), address(&two));
    one[2].store(9, Relaxed);
    assert_eq!(two[2].load(Relaxed), 9);
    assert_eq!(two[1].load(Relaxed), 1);
}

#[test]
fn a_value_is_at_its_types_alignment() {
    let wide = Shared::anonymous(Wide {
        number: AtomicU64::new(3),
    })
    .unwrap();
    assert_eq!((address(&wide) % 256, end(&wide)), (0, 256 + 256));
    let page = Shared::anonymous(Page {
        number: AtomicU64::new(4),
    })
    .unwrap();
    assert_eq!((address(&page) % 4096, end(&page)), (0, 4096 + 4096));
    let small = Shared::anonymous(5_u8).unwrap();
    assert_eq!((address(&small) % 128, end(&small)), (0, 128 + 1));
    let same = Shared::<Page>::from_fd(page.as_fd().try_clone_to_owned().unwrap()).unwrap();
    let values = (wide.number.load(Relaxed), same.number.load(Relaxed), *small);
    assert_eq!(values, (3, 4, 5));
}

#[test]
fn a_value_may_have_no_bytes() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let shared = Shared::create(&name, ()).unwrap();
    assert_eq!(end(&shared), 128);
    let () = *Shared::<()>::open(&name).unwrap();
    let none = Shared::anonymous([0_u64; 0]).unwrap();
    assert_eq!(*none, []);
}

#[test]
fn a_value_may_be_big() {
    // Without optimisation it is copied on the stack a few times.
    let thread = std::thread::Builder::new().stack_size(32 << 20).spawn(|| {
        let directory = directory();
        let name = name_in(&directory, "x");
        let shared = Shared::create(&name, [7_u8; 1 << 20]).unwrap();
        assert_eq!(end(&shared), 128 + (1 << 20));
        let same = Shared::<[u8; 1 << 20]>::open(&name).unwrap();
        assert!(same.iter().all(|byte| *byte == 7));
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn a_mapping_lives_as_long_as_its_last_handle_and_no_longer() {
    let directory = directory();
    let name = name_in(&directory, "x");
    let shared = Shared::create(&name, [const { AtomicU64::new(6) }; 1000]).unwrap();
    // The creator's mapping shows the directory and the file's number.
    let path = directory.path().to_str().unwrap();
    assert_eq!(mapped(path), 1);
    let clone = shared.clone();
    let part = clone.project(|all| &all[100..]);
    let element = part.project(|part| &part[899]);
    unlink(&name).unwrap();
    drop((shared, clone, part));
    assert_eq!(mapped(path), 1);
    assert_eq!(element.load(Relaxed), 6);
    let thread = std::thread::spawn(move || element.fetch_add(1, Relaxed));
    assert_eq!(thread.join().unwrap(), 6);
    assert_eq!(mapped(path), 0);
}

#[test]
fn a_part_is_the_same_memory() {
    let all = Shared::anonymous([const { AtomicU32::new(0) }; 8]).unwrap();
    let slice: Shared<[AtomicU32]> = all.project(|all| &all[2..5]);
    let shown: Shared<dyn Debug> = all.project(|all| &all[4] as &dyn Debug);
    slice[2].store(31, Relaxed);
    assert_eq!((slice.len(), all[4].load(Relaxed)), (3, 31));
    assert_eq!(format!("{:?}", &*shown), "31");
    let whole = Shared::<[AtomicU32; 8]>::from_fd(slice.as_fd().try_clone_to_owned().unwrap());
    assert_eq!(whole.unwrap()[4].load(Relaxed), 31);
}

#[test]
fn a_handle_shows_where_its_value_is() {
    let shared = Shared::anonymous(1_u8).unwrap();
    let expected = format!("Shared {{ address: {:#x}, .. }}", address(&shared));
    assert_eq!(format!("{shared:?}"), expected);
}

struct Dropped(#[allow(dead_code, reason = "it has a byte")] u8);

impl Drop for Dropped {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

// SAFETY: for this test, `Dropped` is as good as the u8 in it.
unsafe impl Shareable for Dropped {
    const LAYOUT: u64 = 1;
}

#[test]
fn no_destructor_runs_on_a_shared_value() {
    let directory = directory();
    let name = name_in(&directory, "x");
    drop(Shared::create(&name, Dropped(1)).unwrap());
    drop(Shared::create(&name, Dropped(2)).unwrap_err());
    drop(Shared::<Dropped>::open(&name).unwrap());
}
