//! The end of a walk through the history, whether everything is found by then or not.

use std::time::Instant;

use crate::source::git::budget::ReadError;

/// The time when a walk ends; `None` in a process that is ended by another.
#[derive(Clone, Copy, Debug)]
pub(in crate::source::git) struct Deadline(pub(in crate::source::git) Option<Instant>);

/// The reason why the times are not found.
#[derive(Debug, thiserror::Error)]
pub(in crate::source::git) enum TimesError {
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The history is too long, or has too large a commit, for a process with a deadline.
    #[error("there is no time for the whole history")]
    Late,
}

impl From<git2::Error> for TimesError {
    fn from(error: git2::Error) -> Self {
        Self::Read(error.into())
    }
}

impl Deadline {
    /// An error if the time is over.
    pub(super) fn check(self) -> Result<(), TimesError> {
        if self.0.is_some_and(|at| Instant::now() > at) { Err(TimesError::Late) } else { Ok(()) }
    }

    /// An error if there is a deadline at all: what comes next takes any time and memory.
    pub(super) fn check_none(self) -> Result<(), TimesError> {
        if self.0.is_some() { Err(TimesError::Late) } else { Ok(()) }
    }
}
