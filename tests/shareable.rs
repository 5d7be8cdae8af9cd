//! `shareable!` as another crate meets it: one that allows no `unsafe`, and imports nothing.

#![cfg(not(loom))]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

use std::sync::atomic::AtomicU64;

// Names that the macro must not stumble over.
#[allow(dead_code, reason = "only to be in the way")]
mod core {}
#[allow(dead_code, reason = "only to be in the way")]
trait Shareable {}

fn layout<T: procsync::Shareable>() -> u64 {
    T::LAYOUT
}

mod outer {
    procsync::shareable! {
        /// Several structs, one in another.
        #[derive(Debug, Default)]
        pub struct Inner {
            /// Public.
            pub a: u8,
            pub(crate) b: u64,
            c: [u32; 3],
        }

        #[derive(Debug, Default)]
        pub(super) struct Outer { pub(super) inner: Inner, pub(super) cell: std::cell::Cell<u8> }

        #[derive(Default)]
        pub(super) struct Empty {}
    }

    impl Inner {
        pub(super) fn c(&self) -> &[u32; 3] {
            &self.c
        }
    }
}

#[test]
fn structs_are_laid_out_as_in_c() {
    assert_eq!(std::mem::offset_of!(outer::Inner, b), 8);
    assert_eq!(size_of::<outer::Inner>(), 32);
    assert_eq!(size_of::<outer::Empty>(), 0);
}

#[test]
fn attributes_and_visibilities_are_kept() {
    let outer = outer::Outer::default();
    assert_eq!(
        format!("{outer:?}"),
        format!("{:?}", outer::Outer::default())
    );
    assert_eq!(
        (
            outer.inner.a,
            outer.inner.b,
            outer.inner.c(),
            outer.cell.get()
        ),
        (0, 0, &[0; 3], 0)
    );
}

#[test]
fn a_structs_own_name_is_no_part_of_its_layout() {
    mod one {
        procsync::shareable! { pub struct One { pub a: u8, pub b: u64 } }
    }
    mod two {
        procsync::shareable! { pub struct Two { pub a: u8, b: u64, } }
    }
    assert_eq!(layout::<one::One>(), layout::<two::Two>());
}

#[test]
fn any_other_difference_changes_the_layout() {
    mod differences {
        procsync::shareable! {
            pub struct Base { pub a: u32, pub b: u32 }
            pub struct Swapped { pub b: u32, pub a: u32 }
            pub struct Renamed { pub a: u32, pub c: u32 }
            pub struct Retyped { pub a: u32, pub b: i32 }
            pub struct Longer { pub a: u32, pub b: u32, pub c: u32 }
            pub struct Shorter { pub a: u32 }
            pub struct Grown { pub a: u32, pub b: [u32; 2] }
            pub struct Array { pub a: [u32; 2] }
            #[repr(align(64))]
            pub struct Aligned { pub a: u32, pub b: u32 }
            pub struct Nested { pub a: Base }
            pub struct Cells { pub a: std::cell::Cell<u32>, pub b: u32 }
            pub struct Empty {}
        }
    }
    use differences::*;
    let layouts = [
        layout::<Base>(),
        layout::<Swapped>(),
        layout::<Renamed>(),
        layout::<Retyped>(),
        layout::<Longer>(),
        layout::<Shorter>(),
        layout::<Grown>(),
        layout::<Array>(),
        layout::<Aligned>(),
        layout::<Nested>(),
        layout::<Cells>(),
        layout::<Empty>(),
        layout::<()>(),
        layout::<u32>(),
        layout::<i32>(),
        layout::<f32>(),
        layout::<u64>(),
        layout::<usize>(),
        layout::<AtomicU64>(),
        layout::<[u32; 2]>(),
        layout::<[u32; 3]>(),
        layout::<[[u32; 2]; 3]>(),
        layout::<[[u32; 3]; 2]>(),
    ];
    let distinct: std::collections::HashSet<u64> = layouts.into_iter().collect();
    assert_eq!(distinct.len(), layouts.len(), "{layouts:#x?}");
}

#[test]
fn layouts_are_the_same_in_every_build() {
    // Programs that share a value need not be one executable.
    assert_eq!(layout::<u32>(), 0x654e_d71a_3eab_e2f1);
    assert_eq!(layout::<[AtomicU64; 4]>(), 0xabbc_9a6a_6edc_6fc0);
    assert_eq!(layout::<outer::Inner>(), 0x58c9_8a1f_e2e8_73e4);
}
