//! What is to be done on the way out, however that comes.

use crate::sync::kernel;

/// Calls the function when dropped; but the dead of a model, who unwind, do nothing more.
pub(crate) struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    pub(crate) fn new(f: F) -> Self {
        Self(Some(f))
    }

    /// Does not call it.
    pub(crate) fn forget(mut self) {
        self.0 = None;
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        match self.0.take() {
            Some(f) if !kernel::is_over() => f(),
            _ => {}
        }
    }
}
