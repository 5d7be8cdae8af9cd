//! Where two types differ: for whoever opens a value as another type than it was made as, which is mostly
//! the same type before or after a change.

use std::os::fd::BorrowedFd;

use super::header::Header;
use super::shareable::Shareable;
use crate::inspect::types::{Field, Type};

/// The first difference between the type that the file describes and `T`, in words. `None`: the file does
/// not tell, or nothing that differs.
pub(super) fn first<T: Shareable>(file: BorrowedFd<'_>, header: &Header) -> Option<String> {
    let description = header.read_description(file)?;
    let found = Type::decode(&description, header)?;
    between("", &found, &Type::of::<T>()?)
}

/// In what is at `place`: the path from the whole value, which is empty.
fn between(place: &str, found: &Type, expected: &Type) -> Option<String> {
    match (found, expected) {
        (Type::Opaque { .. }, _) | (_, Type::Opaque { .. }) => None,
        (Type::Cell(found), Type::Cell(expected)) => between(place, found, expected),
        (
            Type::Lock {
                again: theirs,
                value: found,
                ..
            },
            Type::Lock {
                again: mine,
                value: expected,
                ..
            },
        ) if theirs == mine => match (&**found, &**expected) {
            (Type::Struct { .. }, Type::Struct { .. }) => between(place, found, expected),
            _ => unequal(place, protecting(*mine, found), protecting(*mine, expected)),
        },
        (
            Type::Array {
                len: theirs,
                element: found,
            },
            Type::Array {
                len: mine,
                element: expected,
            },
        ) if theirs == mine => between(&format!("{place}[…]"), found, expected),
        (
            Type::Struct {
                align: theirs,
                fields: found,
                ..
            },
            Type::Struct {
                align: mine,
                fields: expected,
                ..
            },
        ) => between_fields(place, found, expected)
            .or_else(|| unequal(place, aligned(*theirs), aligned(*mine))),
        _ => unequal(place, found.name(), expected.name()),
    }
}

fn between_fields(place: &str, theirs: &[Field], mine: &[Field]) -> Option<String> {
    let mut pairs = theirs.iter().zip(mine);
    let differ = |(theirs, mine): (&Field, &Field)| {
        if theirs.name != mine.name {
            let (found, expected) = (inside(place, theirs), inside(place, mine));
            return Some(format!(
                "it has the field `{found}` where this program has `{expected}`"
            ));
        }
        let place = inside(place, mine);
        between(&place, &theirs.kind, &mine.kind)
            .or_else(|| unequal(&place, at_byte(theirs.at), at_byte(mine.at)))
    };
    pairs.find_map(differ).or_else(|| match theirs.len() {
        len if len < mine.len() => Some(format!(
            "it has no field `{}`, which this program has",
            inside(place, &mine[len])
        )),
        len if len > mine.len() => Some(format!(
            "it has a field `{}`, which this program has not",
            inside(place, &theirs[mine.len()])
        )),
        _ => None,
    })
}

fn inside(place: &str, field: &Field) -> String {
    let dot = if place.is_empty() { "" } else { "." };
    format!("{place}{dot}{}", field.name)
}

fn protecting(again: bool, value: &Type) -> String {
    let lock = if again { "RLock" } else { "Lock" };
    format!("{lock}<{}>", value.name())
}

fn aligned(to: u64) -> String {
    format!("aligned to {to}")
}

fn at_byte(offset: u64) -> String {
    format!("at byte {offset} of its struct")
}

fn unequal(place: &str, found: String, expected: String) -> Option<String> {
    let place = if place.is_empty() {
        "it".to_owned()
    } else {
        format!("`{place}`")
    };
    (found != expected).then(|| format!("{place} is {found} there, and {expected} in this program"))
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;
    use crate::shareable;
    use crate::{Event, Lock, RLock};

    shareable! {
        struct Base { a: u32, b: [Lock<u64>; 2] }
        struct Retyped { a: i32, b: [Lock<u64>; 2] }
        struct Deep { a: u32, b: [Lock<Cell<u64>>; 2] }
        struct Again { a: u32, b: [RLock<u64>; 2] }
        struct Longer { a: u32, b: [Lock<u64>; 3] }
        struct More { a: u32, b: [Lock<u64>; 2], c: Event }
        struct Between { a: u32, c: u32, b: [Lock<u64>; 2] }
        #[repr(align(64))]
        struct Aligned { a: u32, b: [Lock<u64>; 2] }
        struct Moved { a: u32, b: Aligned }
        struct Inner { a: u32, b: Base }
        struct Other { a: u32, b: Retyped }
        struct Packed { a: u8, b: u32 }
        #[repr(packed)]
        struct Tight { a: u8, b: u32 }
    }

    /// Of what was made as a `Found`, and is opened as an `Expected`.
    fn told<Found: Shareable, Expected: Shareable>() -> Option<String> {
        between("", &Type::of::<Found>()?, &Type::of::<Expected>()?)
    }

    #[test]
    fn the_first_difference_is_told() {
        let all = [
            (
                told::<u64, u32>(),
                "it is u64 there, and u32 in this program",
            ),
            (
                told::<Event, u64>(),
                "it is Event there, and u64 in this program",
            ),
            (
                told::<[u8; 4], [u8; 8]>(),
                "it is [u8; 4] there, and [u8; 8] in this program",
            ),
            (
                told::<[u8; 4], [i8; 4]>(),
                "`[…]` is u8 there, and i8 in this program",
            ),
            (
                told::<Lock<u8>, RLock<u8>>(),
                "it is Lock there, and RLock in this program",
            ),
            (
                told::<Lock<u8>, Lock<i8>>(),
                "it is Lock<u8> there, and Lock<i8> in this program",
            ),
            (
                told::<Base, u32>(),
                "it is struct there, and u32 in this program",
            ),
            (
                told::<Base, Retyped>(),
                "`a` is u32 there, and i32 in this program",
            ),
            (
                told::<Deep, Base>(),
                "`b[…]` is Lock<Cell<u64>> there, and Lock<u64> in this program",
            ),
            (
                told::<Base, Again>(),
                "`b[…]` is Lock there, and RLock in this program",
            ),
            (
                told::<Longer, Base>(),
                "`b` is [Lock; 3] there, and [Lock; 2] in this program",
            ),
            (
                told::<Base, More>(),
                "it has no field `c`, which this program has",
            ),
            (
                told::<More, Base>(),
                "it has a field `c`, which this program has not",
            ),
            (
                told::<Base, Between>(),
                "it has the field `b` where this program has `c`",
            ),
            (
                told::<Base, Aligned>(),
                "it is aligned to 8 there, and aligned to 64 in this program",
            ),
            (
                told::<Inner, Moved>(),
                "`b` is aligned to 8 there, and aligned to 64 in this program",
            ),
            (
                told::<Other, Inner>(),
                "`b.a` is i32 there, and u32 in this program",
            ),
            (
                told::<Packed, Tight>(),
                "`b` is at byte 4 of its struct there, and at byte 1 of its struct in this program",
            ),
        ];
        for (told, expected) in all {
            assert_eq!(told.as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_alike_has_none() {
        assert_eq!(told::<Base, Base>(), None);
        assert_eq!(told::<(), ()>(), None);
    }
}
