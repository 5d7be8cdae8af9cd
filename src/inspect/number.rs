//! Numbers, as they are in memory.

use core::fmt;
use core::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize,
};

/// A number of any type.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Number {
    /// `u8` to `u128`, `usize` and their atomics.
    Unsigned(u128),
    /// `i8` to `i128`, `isize` and their atomics.
    Signed(i128),
    /// `f32`.
    Single(f32),
    /// `f64`.
    Double(f64),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => number.fmt(f),
            Self::Signed(number) => number.fmt(f),
            Self::Single(number) => write!(f, "{number:?}"),
            Self::Double(number) => write!(f, "{number:?}"),
        }
    }
}

/// A type of numbers.
#[derive(Debug)]
pub(crate) struct NumberType {
    pub(super) name: &'static str,
    pub(super) size: usize,
    read: fn(&[u8]) -> Number,
}

impl NumberType {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|number| number.name == name)
    }

    pub(super) fn read(&self, bytes: &[u8]) -> Number {
        (self.read)(bytes)
    }
}

/// The types by their names, each represented as another is.
macro_rules! number_types {
    ($( $kind:ident($wide:ty): $( $name:ident as $plain:ty ),*; )*) => {
        const TYPES: &[NumberType] = &[ $( $( NumberType {
            name: stringify!($name),
            size: size_of::<$name>(),
            read: |bytes| Number::$kind(<$wide>::from(<$plain>::from_ne_bytes(first(bytes)))),
        }, )* )* ];
    };
}

number_types! {
    Unsigned(u128): u8 as u8, u16 as u16, u32 as u32, u64 as u64, u128 as u128, usize as u64,
        AtomicU8 as u8, AtomicU16 as u16, AtomicU32 as u32, AtomicU64 as u64, AtomicUsize as u64;
    Signed(i128): i8 as i8, i16 as i16, i32 as i32, i64 as i64, i128 as i128, isize as i64,
        AtomicI8 as i8, AtomicI16 as i16, AtomicI32 as i32, AtomicI64 as i64, AtomicIsize as i64;
    Single(f32): f32 as f32;
    Double(f64): f64 as f64;
}

/// The first bytes; zeros where there are none.
pub(super) fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    core::array::from_fn(|i| bytes.get(i).copied().unwrap_or(0))
}
