//! Locks that were held when their value was moved into shared memory: by guards that were forgotten, for no
//! other outlives the move. Nobody uses the data any more by those, and where the locks lie now, no thread's list
//! leads to them, so that nobody would hear of a holder's death. So they are free.

use core::ptr::NonNull;

use super::shareable::Shareable;
use crate::inspect::types::Type;
use crate::raw_lock::RawLock;

/// Frees all locks in a value that nobody else knows of yet. Those in types that do not describe themselves
/// stay as they are.
pub(super) fn free_locks<T: Shareable>(value: &T) {
    if let Some(whole) = Type::of::<T>() {
        free(NonNull::from(value).cast(), &whole);
    }
}

/// `place` is that of a value of this type, which nobody else uses.
fn free(place: NonNull<u8>, value: &Type) {
    let at = |offset: u64| {
        let offset = usize::try_from(offset).expect("an offset in a value");
        // SAFETY: within the value, as its description says, which is its type's own.
        unsafe { place.byte_add(offset) }
    };
    match value {
        Type::Lock {
            value_at, value, ..
        } => {
            // SAFETY: a lock begins with its raw lock, whose words are all atomic.
            unsafe { place.cast::<RawLock>().as_ref() }.forget_holder();
            free(at(*value_at), value);
        }
        Type::Cell(value) => free(place, value),
        Type::Array { len, element } if has_locks(element) => {
            (0..*len).for_each(|index| free(at(index * element.size()), element));
        }
        Type::Struct { fields, .. } => {
            fields
                .iter()
                .for_each(|field| free(at(field.at), &field.kind));
        }
        _ => {}
    }
}

fn has_locks(value: &Type) -> bool {
    match value {
        Type::Lock { .. } => true,
        Type::Cell(value) => has_locks(value),
        Type::Array { len, element } => *len > 0 && has_locks(element),
        Type::Struct { fields, .. } => fields.iter().any(|field| has_locks(&field.kind)),
        _ => false,
    }
}
