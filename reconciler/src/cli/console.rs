//! Exit codes, and output to the console.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

/// Success.
pub const DONE: u8 = 0;
/// The checked thing has errors.
pub const NOT_RIGHT: u8 = 1;
/// Wrong use.
pub const WRONG_USE: u8 = 2;
/// The server, repository or cluster cannot be reached.
pub const UNREACHABLE: u8 = 3;

/// Prints to stdout. A closed pipe is not an error: the reader has seen enough.
pub(crate) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        eprintln!("error: cannot write: {error}");
    }
}

/// Reports wrong use.
pub(crate) fn wrong_use(message: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(WRONG_USE)
}
