//! What a type consists of, for those who look at a value and were not compiled with its type: see
//! [`inspect`](crate::inspect).
//!
//! Each file of a value carries the description of its type, behind the value. Nobody needs it to use
//! the value: that is what the layout is for.
//!
//! # In the file
//!
//! A node is a tag, and what the tag says; numbers are native-endian, `u64` but for the tag and lengths
//! of names, `u8`, and the number of fields, `u32`.
//!
//! | tag | node | followed by |
//! |---|---|---|
//! | 0 | opaque | size, layout |
//! | 1 | a number, `()`, or a primitive without payload | its name |
//! | 2 | `Cell` | what is in it |
//! | 3 | `Lock` | size, offset of the payload, payload |
//! | 4 | `RLock` | the same |
//! | 5 | array | number of elements, element |
//! | 6 | struct | size, alignment, number of fields; of each: offset, name, type |

/// The longest description that a file carries. A type that has a longer one is described as opaque.
pub(crate) const MAX_LEN: usize = 1 << 16;
/// The deepest nesting of one that is read or written.
pub(crate) const MAX_DEPTH: usize = 32;

pub(crate) const OPAQUE: u8 = 0;
pub(crate) const NAMED: u8 = 1;
pub(crate) const CELL: u8 = 2;
pub(crate) const LOCK: u8 = 3;
pub(crate) const RLOCK: u8 = 4;
pub(crate) const ARRAY: u8 = 5;
pub(crate) const STRUCT: u8 = 6;

/// What a type consists of.
#[derive(Clone, Copy, Debug)]
pub enum Description {
    /// Nobody has said.
    Opaque {
        /// In bytes.
        size: usize,
        /// `Shareable::LAYOUT`.
        layout: u64,
    },
    /// A number, `()`, or a primitive without payload, by its name.
    Named(&'static str),
    /// A `Cell`.
    Cell(&'static Description),
    /// A `Lock`.
    Lock(Payload),
    /// An `RLock`.
    RLock(Payload),
    /// An array.
    Array(usize, &'static Description),
    /// A struct.
    Struct {
        /// In bytes.
        size: usize,
        /// In bytes.
        align: usize,
        /// In their order: name, offset, type.
        fields: &'static [(&'static str, usize, &'static Description)],
    },
}

/// What a lock protects.
#[derive(Clone, Copy, Debug)]
pub struct Payload {
    /// Of the lock and the payload, in bytes.
    pub size: usize,
    /// Of the payload.
    pub offset: usize,
    /// The payload's type.
    pub description: &'static Description,
}

/// The description as files carry it. `size` and `layout` are the type's, to be told where the description
/// would be too long or too deep.
pub(crate) fn encode(description: &Description, size: usize, layout: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if add(&mut bytes, description, MAX_DEPTH).is_none() {
        bytes.clear();
        let opaque = Description::Opaque { size, layout };
        let fits = add(&mut bytes, &opaque, MAX_DEPTH);
        debug_assert!(fits.is_some(), "an opaque node is short");
    }
    bytes
}

/// `None`: too long, or too deep.
fn add(bytes: &mut Vec<u8>, description: &Description, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match *description {
        Description::Opaque { size, layout } => {
            bytes.push(OPAQUE);
            add_size(bytes, size);
            bytes.extend(layout.to_ne_bytes());
        }
        Description::Named(name) => {
            bytes.push(NAMED);
            add_name(bytes, name)?;
        }
        Description::Cell(value) => {
            bytes.push(CELL);
            add(bytes, value, depth)?;
        }
        Description::Lock(payload) => add_lock(bytes, LOCK, payload, depth)?,
        Description::RLock(payload) => add_lock(bytes, RLOCK, payload, depth)?,
        Description::Array(len, element) => {
            bytes.push(ARRAY);
            add_size(bytes, len);
            add(bytes, element, depth)?;
        }
        Description::Struct {
            size,
            align,
            fields,
        } => {
            bytes.push(STRUCT);
            add_size(bytes, size);
            add_size(bytes, align);
            bytes.extend(u32::try_from(fields.len()).ok()?.to_ne_bytes());
            for (name, offset, description) in fields {
                add_size(bytes, *offset);
                add_name(bytes, name)?;
                add(bytes, description, depth)?;
            }
        }
    }
    (bytes.len() <= MAX_LEN).then_some(())
}

fn add_lock(bytes: &mut Vec<u8>, tag: u8, payload: Payload, depth: usize) -> Option<()> {
    bytes.push(tag);
    add_size(bytes, payload.size);
    add_size(bytes, payload.offset);
    add(bytes, payload.description, depth)
}

fn add_size(bytes: &mut Vec<u8>, size: usize) {
    bytes.extend((size as u64).to_ne_bytes());
}

fn add_name(bytes: &mut Vec<u8>, name: &str) -> Option<()> {
    bytes.push(u8::try_from(name.len()).ok()?);
    bytes.extend(name.as_bytes());
    Some(())
}
