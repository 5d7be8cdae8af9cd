//! A number for the structure of a type, so that two programs can tell whether they mean the same.

// FNV-1a over everything that makes up a structure. Every string is preceded by its length and
// every list by its own, so that no two structures are the same bytes.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// The layout of a type known by the name `kind` that is made of `parts`: sizes, and the layouts of
/// the types in it.
pub(crate) const fn of(kind: &str, parts: &[u64]) -> u64 {
    let mut hash = add_text(BASIS, kind);
    hash = add(hash, parts.len() as u64);
    let mut i = 0;
    while i < parts.len() {
        hash = add(hash, parts[i]);
        i += 1;
    }
    hash
}

/// The layout of a struct, whose fields have a name, an offset, and a type's layout each. The
/// struct's own name is no part of it.
pub const fn of_struct(size: usize, align: usize, fields: &[(&str, usize, u64)]) -> u64 {
    let mut hash = of("struct", &[size as u64, align as u64, fields.len() as u64]);
    let mut i = 0;
    while i < fields.len() {
        let (name, offset, layout) = fields[i];
        hash = add(add(add_text(hash, name), offset as u64), layout);
        i += 1;
    }
    hash
}

/// [`of_struct`] of fields that are known only now.
pub(crate) fn of_fields<'a>(
    size: u64,
    align: u64,
    fields: impl ExactSizeIterator<Item = (&'a str, u64, u64)>,
) -> u64 {
    let start = of("struct", &[size, align, fields.len() as u64]);
    fields.fold(start, |hash, (name, offset, layout)| {
        add(add(add_text(hash, name), offset), layout)
    })
}

const fn add_text(hash: u64, text: &str) -> u64 {
    add_bytes(add(hash, text.len() as u64), text.as_bytes())
}

const fn add(hash: u64, number: u64) -> u64 {
    add_bytes(hash, &number.to_le_bytes())
}

const fn add_bytes(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(PRIME);
        i += 1;
    }
    hash
}
