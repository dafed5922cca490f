//! The commands that read policies and answer; each is handed what was typed and ends with an exit
//! code.

pub mod explain;
pub mod report;
pub mod validate;

use std::{process::ExitCode, time::SystemTime};

use policies::Timestamp;

/// Done.
pub const DONE: u8 = 0;
/// The thing asked about is not right.
pub const NOT_RIGHT: u8 = 1;
/// Wrong use.
pub const WRONG_USE: u8 = 2;

/// What time it is.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Says what was used wrongly.
fn wrong_use(message: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(WRONG_USE)
}
