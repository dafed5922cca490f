//! The commands that read policies and answer; each is handed what was typed and ends with an exit
//! code.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

/// Done.
pub const DONE: u8 = 0;
/// The thing asked about is not right.
pub const NOT_RIGHT: u8 = 1;
/// Wrong use.
pub const WRONG_USE: u8 = 2;
/// What was to be asked could not be reached.
pub const UNREACHABLE: u8 = 3;

/// Prints on stdout. Whoever has stopped reading has seen what they wanted.
pub(crate) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        eprintln!("error: cannot write: {error}");
    }
}

/// Says what was used wrongly.
pub(crate) fn wrong_use(message: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(WRONG_USE)
}
