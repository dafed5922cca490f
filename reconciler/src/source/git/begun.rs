//! The point of a job in the child process from which on it can no longer be taken back.

use std::{
    io::{self, Write as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The line that is written before the answer, once the job can no longer be taken back.
pub(super) const BEGUN: &str = "begun";

/// Held by what would leave a lock behind if it were interrupted.
static UNINTERRUPTED: Mutex<()> = Mutex::new(());

/// While this is held, the death of the parent does not end this process. It must not take long.
pub(super) fn uninterrupted() -> MutexGuard<'static, ()> {
    UNINTERRUPTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the parent that the job can no longer be taken back, before it is so.
pub(super) fn tell_begun() -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{BEGUN}")?;
    output.flush()
}
