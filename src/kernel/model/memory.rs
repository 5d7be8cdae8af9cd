//! The links of robust lists, and which memory is shared.

use core::ffi::c_void;
use core::ptr::NonNull;

use super::death::{look_at, step};
use super::{ME, is_over, world};

pub(crate) unsafe fn store_link(at: usize, value: usize) {
    if is_over() {
        return;
    }
    step();
    look_at(at);
    let pending = ME.with(|me| me.head().pending);
    world(|world| {
        world.links.insert(at, value);
        if at == pending && value != 0 {
            world.entries.insert(value);
        }
    });
}

pub(crate) unsafe fn publish_link(at: usize, value: usize) {
    // SAFETY: the caller's promise.
    unsafe { store_link(at, value) };
}

pub(crate) unsafe fn store_entry(at: usize, value: usize) {
    // SAFETY: the caller's promise.
    unsafe { store_link(at, value) };
}

pub(crate) unsafe fn load_link(at: usize) -> usize {
    let head = ME.with(|me| me.head().list);
    world(|world| {
        world
            .links
            .get(&at)
            .copied()
            .unwrap_or(if at == head { head } else { 0 })
    })
}

pub(crate) fn zeroed_memory(bytes: usize) -> Option<NonNull<c_void>> {
    let layout = std::alloc::Layout::from_size_align(bytes, 64).ok()?;
    // SAFETY: the layout is not of size 0.
    NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) }.cast())
}

#[expect(clippy::unnecessary_wraps, reason = "the real kernel may not tell")]
pub(crate) fn is_shared(_address: usize) -> Option<bool> {
    Some(!world(|world| world.private))
}
