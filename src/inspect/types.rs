//! The type of a value, as the [description](crate::shared::description) in its file tells it.
//!
//! Anybody may have written that. It is taken only as a whole: every part must lie within the whole,
//! names must be names, and the layout that follows from it must be the one in the header.

use super::number::{NumberType, first};
use crate::shared::description::{
    ARRAY, CELL, LOCK, MAX_DEPTH, NAMED, OPAQUE, RLOCK, STRUCT, encode,
};
use crate::shared::header::Header;
use crate::shared::layout;
use crate::{
    Barrier, BoundedSemaphore, Condition, Event, FutexWord, Lock, Semaphore, Shareable, Timer,
};

#[derive(Debug)]
pub(crate) enum Type {
    Opaque {
        size: u64,
        layout: u64,
    },
    Unit,
    Number(&'static NumberType),
    Primitive(Primitive),
    Cell(Box<Type>),
    Lock {
        again: bool,
        size: u64,
        value_at: u64,
        value: Box<Type>,
    },
    Array {
        len: u64,
        element: Box<Type>,
    },
    Struct {
        size: u64,
        align: u64,
        fields: Vec<Field>,
    },
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) at: u64,
    pub(crate) kind: Type,
}

/// One without payload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Primitive {
    Semaphore,
    BoundedSemaphore,
    Event,
    Condition,
    Barrier,
    Timer,
    FutexWord,
}

impl Primitive {
    const ALL: [Self; 7] = [
        Self::Semaphore,
        Self::BoundedSemaphore,
        Self::Event,
        Self::Condition,
        Self::Barrier,
        Self::Timer,
        Self::FutexWord,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Semaphore => "Semaphore",
            Self::BoundedSemaphore => "BoundedSemaphore",
            Self::Event => "Event",
            Self::Condition => "Condition",
            Self::Barrier => "Barrier",
            Self::Timer => "Timer",
            Self::FutexWord => "FutexWord",
        }
    }

    fn size(self) -> u64 {
        let size = match self {
            Self::Semaphore => size_of::<Semaphore>(),
            Self::BoundedSemaphore => size_of::<BoundedSemaphore>(),
            Self::Event => size_of::<Event>(),
            Self::Condition => size_of::<Condition>(),
            Self::Barrier => size_of::<Barrier>(),
            Self::Timer => size_of::<Timer>(),
            Self::FutexWord => size_of::<FutexWord>(),
        };
        size as u64
    }
}

impl Type {
    /// What a type that this program knows says of itself.
    pub(crate) fn of<T: Shareable>() -> Option<Self> {
        let description = encode(T::DESCRIPTION, size_of::<T>(), T::LAYOUT);
        Bytes(&description).node(MAX_DEPTH)
    }

    /// What the description tells, if it can be true of the value that the header tells of.
    pub(crate) fn decode(description: &[u8], header: &Header) -> Option<Self> {
        let mut rest = Bytes(description);
        let whole = rest.node(MAX_DEPTH)?;
        let consistent =
            rest.0.is_empty() && whole.size() == header.size && whole.layout() == header.layout;
        consistent.then_some(whole)
    }

    /// In bytes. The parts of a type that was decoded lie within it, so nothing overflows.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Opaque { size, .. } | Self::Lock { size, .. } | Self::Struct { size, .. } => {
                *size
            }
            Self::Unit => 0,
            Self::Number(number) => number.size as u64,
            Self::Primitive(primitive) => primitive.size(),
            Self::Cell(value) => value.size(),
            Self::Array { len, element } => len.saturating_mul(element.size()),
        }
    }

    /// As `Shareable::LAYOUT` of the type itself.
    fn layout(&self) -> u64 {
        match self {
            Self::Opaque { layout, .. } => *layout,
            Self::Unit => layout::of("()", &[]),
            Self::Number(number) => layout::of(number.name, &[number.size as u64]),
            Self::Primitive(primitive) => layout::of(primitive.name(), &[primitive.size()]),
            Self::Cell(value) => layout::of("Cell", &[value.layout()]),
            Self::Lock {
                size,
                value_at,
                value,
                ..
            } => layout::of(&self.name(), &[*size, *value_at, value.layout()]),
            Self::Array { len, element } => layout::of("array", &[*len, element.layout()]),
            Self::Struct {
                size,
                align,
                fields,
            } => layout::of_fields(
                *size,
                *align,
                fields
                    .iter()
                    .map(|field| (field.name.as_str(), field.at, field.kind.layout())),
            ),
        }
    }

    /// As Rust calls it. What a struct or a lock consists of is told elsewhere.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Opaque { .. } => "unknown".to_owned(),
            Self::Unit => "()".to_owned(),
            Self::Number(number) => number.name.to_owned(),
            Self::Primitive(primitive) => primitive.name().to_owned(),
            Self::Cell(value) => format!("Cell<{}>", value.name()),
            Self::Lock { again: false, .. } => "Lock".to_owned(),
            Self::Lock { again: true, .. } => "RLock".to_owned(),
            Self::Array { len, element } => format!("[{}; {len}]", element.name()),
            Self::Struct { .. } => "struct".to_owned(),
        }
    }
}

/// What is still to be decoded.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn size(&mut self) -> Option<u64> {
        Some(u64::from_ne_bytes(first(self.take(8)?)))
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = self.byte()?;
        std::str::from_utf8(self.take(usize::from(len))?).ok()
    }

    fn node(&mut self, depth: usize) -> Option<Type> {
        let depth = depth.checked_sub(1)?;
        match self.byte()? {
            OPAQUE => Some(Type::Opaque {
                size: self.size()?,
                layout: self.size()?,
            }),
            NAMED => known(self.text()?),
            CELL => Some(Type::Cell(Box::new(self.node(depth)?))),
            LOCK => self.lock(false, depth),
            RLOCK => self.lock(true, depth),
            ARRAY => self.array(depth),
            STRUCT => self.structure(depth),
            _ => None,
        }
    }

    fn lock(&mut self, again: bool, depth: usize) -> Option<Type> {
        let (size, value_at) = (self.size()?, self.size()?);
        let value = Box::new(self.node(depth)?);
        let fits = value_at >= size_of::<Lock>() as u64 && lies_within(value_at, &value, size);
        fits.then_some(Type::Lock {
            again,
            size,
            value_at,
            value,
        })
    }

    fn array(&mut self, depth: usize) -> Option<Type> {
        let len = self.size()?;
        let element = Box::new(self.node(depth)?);
        len.checked_mul(element.size())?;
        Some(Type::Array { len, element })
    }

    fn structure(&mut self, depth: usize) -> Option<Type> {
        let (size, align) = (self.size()?, self.size()?);
        let count = u32::from_ne_bytes(first(self.take(4)?));
        let mut fields = Vec::new();
        for _ in 0..count {
            let at = self.size()?;
            let name = self.text().filter(|name| is_name(name))?.to_owned();
            let kind = self.node(depth)?;
            if !lies_within(at, &kind, size) {
                return None;
            }
            fields.push(Field { name, at, kind });
        }
        Some(Type::Struct {
            size,
            align,
            fields,
        })
    }
}

fn known(name: &str) -> Option<Type> {
    if name == "()" {
        return Some(Type::Unit);
    }
    let primitive = Primitive::ALL.into_iter().find(|one| one.name() == name);
    primitive
        .map(Type::Primitive)
        .or_else(|| NumberType::named(name).map(Type::Number))
}

fn lies_within(at: u64, part: &Type, size: u64) -> bool {
    at.checked_add(part.size()).is_some_and(|end| end <= size)
}

/// One that Rust allows: nothing in it moves a terminal's cursor, or looks like a path.
fn is_name(name: &str) -> bool {
    let bare = name.strip_prefix("r#").unwrap_or(name);
    !bare.is_empty() && bare.chars().all(|c| c == '_' || c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::description::MAX_LEN;

    crate::shareable! { struct Inner { a: u8, b: Lock<[u64; 3]> } }
    crate::shareable! { struct Outer { inner: [Inner; 2], timer: Timer } }

    fn encoded<T: Shareable>() -> Vec<u8> {
        encode(T::DESCRIPTION, size_of::<T>(), T::LAYOUT)
    }

    fn header<T: Shareable>() -> Header {
        Header {
            creator: 0,
            layout: T::LAYOUT,
            size: size_of::<T>() as u64,
            pid_namespace: 0,
            boot: 0,
            created: 0,
            value_at: 0,
            description_at: 0,
            description_len: 0,
        }
    }

    fn decode(description: &[u8]) -> Option<Type> {
        Bytes(description).node(MAX_DEPTH)
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let outer = Type::decode(&encoded::<Outer>(), &header::<Outer>()).unwrap();
        let Type::Struct { fields, .. } = &outer else {
            panic!("{outer:?}");
        };
        assert_eq!(fields[1].name, "timer");
        assert_eq!(fields[1].at, core::mem::offset_of!(Outer, timer) as u64);
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_refused() {
        let mut bytes = encoded::<Outer>();
        for len in 0..bytes.len() {
            let cut = Type::decode(&bytes[..len], &header::<Outer>());
            assert!(cut.is_none(), "{len}: {cut:?}");
        }
        bytes.push(0);
        assert!(Type::decode(&bytes, &header::<Outer>()).is_none());
    }

    #[test]
    fn no_depth_makes_it_go_astray() {
        let nested = |depth| [vec![CELL; depth], vec![NAMED, 2, b'u', b'8']].concat();
        assert!(decode(&nested(MAX_DEPTH - 1)).is_some());
        assert!(decode(&nested(MAX_DEPTH)).is_none());
        assert!(decode(&vec![CELL; MAX_LEN]).is_none());
    }

    #[test]
    fn parts_lie_within_the_whole_and_nothing_overflows() {
        let number = |number: u64| number.to_ne_bytes().to_vec();
        let byte = vec![NAMED, 2, b'u', b'8'];
        let array = |len| [vec![ARRAY], number(len), byte.clone()].concat();
        assert!(decode(&array(u64::MAX)).is_some());
        let twice = [vec![ARRAY], number(2), array(u64::MAX)].concat();
        assert!(decode(&twice).is_none());
        let lock = |size, at| [vec![LOCK], number(size), number(at), byte.clone()].concat();
        assert!(decode(&lock(41, 40)).is_some());
        for (size, at) in [(40, 40), (41, 39), (41, 41), (0, u64::MAX)] {
            assert!(decode(&lock(size, at)).is_none(), "{size}, {at}");
        }
    }

    #[test]
    fn names_are_names() {
        let field = |name: &str| {
            let mut bytes = vec![STRUCT];
            bytes.extend([1_u64.to_ne_bytes(), 1_u64.to_ne_bytes()].concat());
            bytes.extend(1_u32.to_ne_bytes());
            bytes.extend(0_u64.to_ne_bytes());
            bytes.push(u8::try_from(name.len()).unwrap());
            bytes.extend(name.as_bytes());
            bytes.extend([NAMED, 2, b'u', b'8']);
            decode(&bytes).is_some()
        };
        assert!(["a", "_9", "r#type", "größe"].into_iter().all(field));
        assert!(
            !["", "r#", "a.b", "a[]", "\u{1b}[2J", "a b", "*a"]
                .into_iter()
                .any(field)
        );
    }

    #[test]
    fn what_is_too_long_or_too_deep_to_describe_is_opaque() {
        type Four<T> = [[[[T; 1]; 1]; 1]; 1];
        type Deep = Four<Four<Four<Four<Four<Four<Four<Four<u8>>>>>>>>;
        let bytes = encoded::<Deep>();
        let decoded = Type::decode(&bytes, &header::<Deep>());
        assert!(
            matches!(decoded, Some(Type::Opaque { size: 1, .. })),
            "{decoded:?}"
        );
        let shallower = encoded::<Four<Four<Four<u8>>>>();
        assert!(matches!(decode(&shallower), Some(Type::Array { .. })));
    }
}
