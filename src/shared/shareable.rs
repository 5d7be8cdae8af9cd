//! Which types may live in memory that several processes share.

use core::cell::Cell;
use core::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize,
};

use super::description::{Description, Payload};
use super::layout;
use crate::{
    Barrier, BoundedSemaphore, Condition, Event, FutexWord, Lock, RLock, Semaphore, Timer,
};

/// A type whose values may live in memory that several processes share, each at its own address.
///
/// It is implemented for the primitives of this crate (where the payload is `Shareable`), `()`,
/// integers, floats, integer atomics, [`Cell`], and arrays of them. Structs of such fields are
/// defined with [`shareable!`](crate::shareable), which checks every field and needs no `unsafe`.
///
/// Not `Shareable` are types that point elsewhere (`&T`, `Box`, `Vec`, `String`: the address means
/// nothing in another process; use an array), and types that are not valid for every bit pattern
/// (`bool`, `char`, `Option`, enums: what another process wrote may be none of their values; use an
/// integer).
///
/// A destructor never runs on what lives in shared memory, since nobody knows who is the last to
/// use it: a `Shareable` type must do without.
///
/// # Safety
///
/// The implementor promises that
///
/// - the type is `#[repr(C)]`, `#[repr(transparent)]` or a primitive, so that every program that was
///   compiled with it lays it out alike;
/// - it holds no pointer, reference, file descriptor or other thing that means something to one
///   process only;
/// - every bit pattern is a valid value of it, since another process may write any;
/// - its methods that take `&self` stay sound when threads of other processes use the value at
///   the same time, if it is [`Sync`];
/// - `LAYOUT` differs from that of any type with another structure.
///
/// # Examples
///
/// By hand, for what the macro does not define:
///
/// ```
/// use procsync::{Lock, Shareable, Shared};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// #[repr(transparent)]
/// struct Celsius(i32);
///
/// // SAFETY: `repr(transparent)`, and as an i32 has no pointers and any bit pattern for a value. It is
/// // shared by reference only, and has no methods. Its layout is its own.
/// unsafe impl Shareable for Celsius {
///     const LAYOUT: u64 = <i32>::LAYOUT ^ 0x4365_6c73_6975_7321;
/// }
///
/// let coldest = Shared::anonymous(Lock::new(Celsius(-7)))?;
/// assert_eq!(*coldest.acquire().unwrap(), Celsius(-7));
/// # Ok::<(), procsync::ShareError>(())
/// ```
///
/// Not by the macro:
///
/// ```compile_fail,E0277
/// procsync::shareable! {
///     struct State { log: Vec<u8> } // Points into the memory of one process.
/// }
/// ```
///
/// ```compile_fail,E0277
/// procsync::shareable! {
///     struct State { name: &'static u64 } // So does this.
/// }
/// ```
///
/// ```compile_fail,E0277
/// procsync::shareable! {
///     struct State { done: bool } // A 2, written by another process, would be neither.
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot live in memory that several processes share",
    label = "not `Shareable`",
    note = "a struct of your own: define it with `procsync::shareable! {{ struct … {{ … }} }}`",
    note = "in place of `bool`, `char`, an enum or `Option`: an integer, since others may write any bits there; \
            of `AtomicBool`: `AtomicU8`",
    note = "in place of `Vec`, `String`, `Box`, `&T`, which point into one process: an array, and indices into it",
    note = "in place of `Mutex`, `RwLock`, `Condvar` of std: `Lock`, `RLock`, `Condition`; of `Arc<T>`: `Shared<T>` \
            around the whole",
    note = "in place of a tuple: a struct; of `Duration` or `SystemTime`: nanoseconds in a `u64`"
)]
#[doc(alias("Pod", "FromBytes", "ZeroCopySend"))]
pub unsafe trait Shareable: Sized + Send + 'static {
    /// A hash of the structure: what is opened as another type than it was made as, is
    /// [refused](crate::ShareError::LayoutMismatch).
    const LAYOUT: u64;

    /// The structure itself, for [`inspect`](crate::inspect). An implementation by hand leaves it out,
    /// and is shown as bytes.
    #[doc(hidden)]
    const DESCRIPTION: &'static Description = &Description::Opaque {
        size: size_of::<Self>(),
        layout: Self::LAYOUT,
    };
}

macro_rules! shareable_numbers {
    ($($number:ty)*) => { $(
        // SAFETY: a primitive, or an atomic with the layout of one: it has no pointers, and every
        // bit pattern is a number. The atomics are lock-free, hence work between processes.
        #[diagnostic::do_not_recommend]
        unsafe impl Shareable for $number {
            const LAYOUT: u64 = layout::of(stringify!($number), &[size_of::<Self>() as u64]);
            const DESCRIPTION: &'static Description = &Description::Named(stringify!($number));
        }
    )* };
}

shareable_numbers! {
    u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64
    AtomicU8 AtomicU16 AtomicU32 AtomicU64 AtomicUsize
    AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize
}

// SAFETY: it has no bytes.
#[diagnostic::do_not_recommend]
unsafe impl Shareable for () {
    const LAYOUT: u64 = layout::of("()", &[]);
    const DESCRIPTION: &'static Description = &Description::Named("()");
}

// SAFETY: a Cell is `repr(transparent)`, and is as shareable as what is in it. It is not `Sync`, so
// one thread of one process at a time uses it, under a lock.
unsafe impl<T: Shareable> Shareable for Cell<T> {
    const LAYOUT: u64 = layout::of("Cell", &[T::LAYOUT]);
    const DESCRIPTION: &'static Description = &Description::Cell(T::DESCRIPTION);
}

// SAFETY: an array is its elements one after the other, as in C.
unsafe impl<T: Shareable, const N: usize> Shareable for [T; N] {
    const LAYOUT: u64 = layout::of("array", &[N as u64, T::LAYOUT]);
    const DESCRIPTION: &'static Description = &Description::Array(N, T::DESCRIPTION);
}

// SAFETY: `repr(C)`, no pointer that anybody follows, sound with any bit pattern, and made for threads
// of many processes.
unsafe impl<T: Shareable> Shareable for Lock<T> {
    const LAYOUT: u64 = layout::of(
        "Lock",
        &[size_of::<Self>() as u64, Self::DATA_AT as u64, T::LAYOUT],
    );
    const DESCRIPTION: &'static Description = &Description::Lock(Payload {
        size: size_of::<Self>(),
        offset: Self::DATA_AT,
        description: T::DESCRIPTION,
    });
}

// SAFETY: as for `Lock`.
unsafe impl<T: Shareable> Shareable for RLock<T> {
    const LAYOUT: u64 = layout::of(
        "RLock",
        &[size_of::<Self>() as u64, Self::DATA_AT as u64, T::LAYOUT],
    );
    const DESCRIPTION: &'static Description = &Description::RLock(Payload {
        size: size_of::<Self>(),
        offset: Self::DATA_AT,
        description: T::DESCRIPTION,
    });
}

macro_rules! shareable_primitives {
    ($($primitive:ident)*) => { $(
        // SAFETY: as for `Lock`, and it has no payload.
        #[diagnostic::do_not_recommend]
        unsafe impl Shareable for $primitive {
            const LAYOUT: u64 = layout::of(stringify!($primitive), &[size_of::<Self>() as u64]);
            const DESCRIPTION: &'static Description = &Description::Named(stringify!($primitive));
        }
    )* };
}

shareable_primitives! { Semaphore BoundedSemaphore Event Condition Barrier Timer FutexWord }

/// Defines structs that may live in shared memory.
///
/// Each becomes a `#[repr(C)]` struct that is [`Shareable`](crate::Shareable). Every field's type is
/// checked at compile time; the struct's layout is derived from the fields' names, offsets and
/// types, in their order. Attributes, visibilities and doc comments are kept. Only structs with
/// braces are supported, and no generic ones.
///
/// `Shared<State>` wants the struct to be [`Sync`] too: put a field that is not, a [`Cell`] for
/// instance, into a lock. The struct must not implement [`Drop`], which would not run on a value in
/// shared memory.
///
/// In [models](crate::guide::models) it becomes a plain struct.
///
/// # Errors
///
/// It does not compile if a field's type is not `Shareable`.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// procsync::shareable! {
///     /// What the workers count.
///     #[derive(Debug, Default)]
///     pub struct Counters {
///         /// Requests answered.
///         pub hits: AtomicU64,
///         misses: [AtomicU64; 4],
///     }
///
///     #[derive(Default)]
///     pub struct State { counters: Counters, version: u32 }
/// }
///
/// let state = procsync::Shared::anonymous(State::default())?;
/// state.counters.hits.fetch_add(1, Relaxed);
/// # Ok::<(), procsync::ShareError>(())
/// ```
///
/// # Between two processes
///
/// All must agree on the structure. One that was compiled with another one is refused, and finds no
/// zeros or half-understood bytes:
///
#[doc = include_str!("../../docs/examples/shareable.md")]
#[macro_export]
macro_rules! shareable {
    ($(
        $(#[$attribute:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$field_attribute:meta])* $field_vis:vis $field:ident : $type:ty ),* $(,)?
        }
    )*) => { $(
        $(#[$attribute])*
        #[repr(C)]
        $vis struct $name {
            $( $(#[$field_attribute])* $field_vis $field: $type ),*
        }

        // SAFETY: `repr(C)`; every field is `Shareable` (LAYOUT asks for it), and these are all the
        // fields there are, whatever the attributes make of the struct (the constant below).
        unsafe impl $crate::Shareable for $name {
            const LAYOUT: u64 = $crate::__private::of_struct(
                ::core::mem::size_of::<$name>(),
                ::core::mem::align_of::<$name>(),
                &[ $( (
                    ::core::stringify!($field),
                    ::core::mem::offset_of!($name, $field),
                    <$type as $crate::Shareable>::LAYOUT,
                ) ),* ],
            );

            const DESCRIPTION: &'static $crate::__private::Description =
                &$crate::__private::Description::Struct {
                    size: ::core::mem::size_of::<$name>(),
                    align: ::core::mem::align_of::<$name>(),
                    fields: &[ $( (
                        ::core::stringify!($field),
                        ::core::mem::offset_of!($name, $field),
                        <$type as $crate::Shareable>::DESCRIPTION,
                    ) ),* ],
                };
        }

        // Of fields that have a destructor, the bound tells.
        const _: () = ::core::assert!(
            !::core::mem::needs_drop::<$name>() $( || ::core::mem::needs_drop::<$type>() )*,
            ::core::concat!(
                "`", ::core::stringify!($name), "` implements Drop, which would never run: nobody knows who \
                 is the last to use what is in shared memory; do without, or clean up where it is unlinked"
            )
        );

        #[allow(deprecated, unused_variables, reason = "a field may be deprecated, or none be there")]
        const _: fn(&$name) = |value| {
            let $name { $( $field: _ ),* } = value;
            $( let _: *const $type = &raw const value.$field; )*
        };
    )* };

    ($($other:tt)*) => { $crate::__shareable_refused! { $($other)* } };
}
