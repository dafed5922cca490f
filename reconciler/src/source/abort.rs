//! The wish that a checkout under way ends, which whoever does it can wait for.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Asked for from one thread, heard in another. Asked for once, it holds for ever.
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

    /// Has `tell` called when it is asked for, at once if it has been. The one before is forgotten.
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
