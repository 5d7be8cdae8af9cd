//! Lists that only grow, of places that are used again: what this process knows about its threads
//! and its mappings.
//!
//! No lock, so that a fork in the middle leaves nothing locked in the child, and no allocator, so
//! that an allocator may use the crate. Nothing here is part of a protocol between processes, and
//! loom does not look at it.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::sync::kernel;

/// A type that is valid as zeroed memory, and holds nothing that a thread owns.
///
/// # Safety
///
/// All-zero bytes are a valid value.
pub(crate) unsafe trait Zeroed: Sync + 'static {}

/// A list of `T`s that live for ever.
#[derive(Debug)]
pub(crate) struct Registry<T: 'static> {
    first: AtomicPtr<Node<T>>,
}

#[repr(C)]
struct Node<T: 'static> {
    next: AtomicPtr<Node<T>>,
    value: T,
}

impl<T: Zeroed> Registry<T> {
    pub(crate) const fn new() -> Self {
        Self {
            first: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The first entry that `take` accepts; a new, zeroed one after all others refused. `None`: no
    /// memory.
    pub(crate) fn claim(&self, take: impl Fn(&T) -> bool) -> Option<&'static T> {
        self.iter().find(|value| take(value)).or_else(|| {
            let value = self.grow(&take)?;
            Some(value)
        })
    }

    /// Every entry, claimed or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static T> + use<T> {
        let mut node = self.first.load(Ordering::Acquire);
        core::iter::from_fn(move || {
            // SAFETY: null, or a node that `grow` filled before it published it (Release there,
            // Acquire here); nodes are never freed.
            let found: &'static Node<T> = unsafe { node.as_ref() }?;
            node = found.next.load(Ordering::Acquire);
            Some(&found.value)
        })
    }

    fn grow(&self, take: impl Fn(&T) -> bool) -> Option<&'static T> {
        let node = kernel::zeroed_memory(size_of::<Node<T>>())?.cast::<Node<T>>();
        // SAFETY: page-aligned zeroed memory of that size, valid for `Node<T>` as `T: Zeroed`, and
        // never given back.
        let node: &'static Node<T> = unsafe { node.as_ref() };
        take(&node.value);
        let mut next = self.first.load(Ordering::Relaxed);
        loop {
            node.next.store(next, Ordering::Relaxed);
            let new = ptr::from_ref(node).cast_mut();
            // ORDERING: Release pairs with the Acquire in `iter`.
            match self
                .first
                .compare_exchange(next, new, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return Some(&node.value),
                Err(newer) => next = newer,
            }
        }
    }
}
