//! Exit codes, and output to the console: the one place where foreign text reaches a terminal.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use crate::{
    io_reason::io_reason,
    printable::{printable, printable_lines},
};

/// Success.
pub const DONE: u8 = 0;
/// The checked thing has errors.
pub const NOT_RIGHT: u8 = 1;
/// Wrong use.
pub const WRONG_USE: u8 = 2;
/// The server, repository or cluster cannot be reached.
pub const UNREACHABLE: u8 = 3;

/// Prints to stdout, with whatever a terminal would obey escaped.
pub(crate) fn print(text: &str) {
    print_styled(&printable_lines(text));
}

/// Prints to stdout as it is: colours, and texts that are [`printable`] already. A closed pipe is not an error: the
/// reader has seen enough.
pub(crate) fn print_styled(text: &str) {
    try_print_styled(text);
}

/// Prints to stdout for other programs: as it is, unless that is a terminal.
pub(crate) fn print_exact(text: &str) {
    if io::stdout().is_terminal() { print(text) } else { print_styled(text) }
}

/// The same; false if nobody reads stdout any more.
pub(crate) fn try_print_styled(text: &str) -> bool {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => true,
        Err(failure) => {
            if failure.kind() != io::ErrorKind::BrokenPipe {
                error(format_args!("cannot write: {}", io_reason(&failure)));
            }
            false
        }
    }
}

/// Prints an error to stderr.
pub(crate) fn error(message: impl Display) {
    eprintln!("error: {}", printable(&message.to_string()));
}

/// Prints the next step after an error to stderr.
pub(crate) fn next(message: impl Display) {
    eprintln!("  next: {}", printable(&message.to_string()));
}

/// Prints to stderr what is no mistake.
pub(crate) fn note(message: impl Display) {
    eprintln!("{}", printable(&message.to_string()));
}

/// Prints a warning to stderr.
pub(crate) fn warning(message: impl Display) {
    eprintln!("warning: {}", printable(&message.to_string()));
}

/// Reports wrong use.
pub(crate) fn wrong_use(message: impl Display) -> ExitCode {
    error(message);
    ExitCode::from(WRONG_USE)
}
