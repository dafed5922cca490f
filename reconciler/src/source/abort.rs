//! A request to abort a checkout, which the checkout can wait for.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A request that is made in one thread and seen in another. Once made, it stays.
#[derive(Clone, Default)]
pub struct Abort(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_requested: bool,
    tell: Option<Box<dyn FnOnce() + Send>>,
}

impl Abort {
    pub fn request(&self) {
        let mut state = self.lock();
        state.is_requested = true;
        if let Some(tell) = state.tell.take() {
            tell();
        }
    }

    pub fn is_requested(&self) -> bool {
        self.lock().is_requested
    }

    /// Calls `tell` when the abort is requested; at once if it was. Replaces the earlier `tell`.
    pub fn on_request(&self, tell: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        if state.is_requested {
            tell();
        } else {
            state.tell = Some(Box::new(tell));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is half done in it at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Abort({})", self.is_requested())
    }
}
