//! The reason of a failed input or output, in our own words.

use std::io::{self, ErrorKind};

/// The reason as a clause: `it does not exist`.
pub(crate) fn io_reason(error: &io::Error) -> String {
    let clause = match error.kind() {
        ErrorKind::NotFound => "it does not exist",
        ErrorKind::PermissionDenied => "permission is denied; check its owner and mode",
        ErrorKind::NotADirectory => "a part of its path is no directory",
        ErrorKind::IsADirectory => "it is a directory",
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::QuotaExceeded => "the disk quota is used up",
        ErrorKind::ReadOnlyFilesystem => "its file system is read-only",
        ErrorKind::StaleNetworkFileHandle => "the file server no longer knows it",
        ErrorKind::AddrInUse => "another process listens there",
        ErrorKind::AddrNotAvailable => "this machine has no such address",
        _ => return plain(error),
    };
    clause.to_owned()
}

/// The words of the operating system, without its number, or our own.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::{fs, io};

    use super::io_reason;

    #[test]
    fn no_reason_has_a_number_of_the_operating_system() {
        let missing = fs::read("/nowhere/at/all").unwrap_err();
        assert_eq!(io_reason(&missing), "it does not exist");
        for number in 1..134 {
            let reason = io_reason(&io::Error::from_raw_os_error(number));
            assert!(!reason.contains("os error") && !reason.is_empty(), "{number}: {reason}");
        }
        assert_eq!(io_reason(&io::Error::other("it is not a regular file")), "it is not a regular file");
    }
}
