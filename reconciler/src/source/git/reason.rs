//! Errors of libgit2 in our words. Its own stand behind them, for a report of a fault.

use git2::{Error, ErrorClass, ErrorCode};

use crate::source::{error::SourceError, printable::printable};

/// An error of libgit2 as the reason why something cannot be done.
pub(super) fn failure(what: &str, error: &Error) -> SourceError {
    SourceError(format!("{what}: {}", reason(error)))
}

/// The reason as a clause.
pub(super) fn reason(error: &Error) -> String {
    let clause = match (error.class(), error.code()) {
        // It is one of ours.
        (ErrorClass::None, _) => return printable(error.message()).into_owned(),
        (ErrorClass::NoMemory, _) => "it takes more memory than the process may use",
        (ErrorClass::Repository, _) => "it is not a Git repository that can be read",
        (ErrorClass::Config, _) => "its configuration cannot be read",
        (ErrorClass::Reference, _) => "a ref cannot be read or written",
        (ErrorClass::Os | ErrorClass::Filesystem, ErrorCode::NotFound) => {
            "a file or directory does not exist"
        }
        (ErrorClass::Os | ErrorClass::Filesystem, _) => "a file cannot be read or written",
        (_, ErrorCode::NotFound) => "an object is missing",
        (
            ErrorClass::Odb
            | ErrorClass::Object
            | ErrorClass::Tree
            | ErrorClass::Tag
            | ErrorClass::Zlib
            | ErrorClass::Sha1
            | ErrorClass::Indexer,
            _,
        ) => "an object is damaged",
        _ => "libgit2 cannot do it",
    };
    explained(clause, error)
}

/// A clause, and the words of the library.
pub(super) fn explained(clause: &str, error: &Error) -> String {
    format!("{clause} (libgit2: {})", printable(error.message().trim()))
}

#[cfg(test)]
mod tests {
    use git2::{Error, ErrorClass, ErrorCode, Oid, Repository};

    use super::reason;

    #[test]
    fn what_the_library_says_is_explained_and_cannot_control_a_terminal() {
        let folder = tempfile::tempdir().unwrap();
        let none = reason(&Repository::open_bare(folder.path()).err().unwrap());
        assert!(none.starts_with("it is not a Git repository that can be read (libgit2: "), "{none}");
        let clone = Repository::init_bare(folder.path()).unwrap();
        let missing = reason(&clone.find_commit(Oid::ZERO_SHA1).unwrap_err());
        assert!(missing.starts_with("an object is missing (libgit2: "), "{missing}");
        let no_ref = reason(&clone.find_reference("refs/heads/a").err().unwrap());
        assert!(no_ref.starts_with("a ref cannot be read or written (libgit2: "), "{no_ref}");
        let nowhere = reason(&Repository::open("/nowhere/at/all").err().unwrap());
        assert!(nowhere.starts_with("a file or directory does not exist (libgit2: "), "{nowhere}");
        let odd = Error::new(ErrorCode::GenericError, ErrorClass::Os, "no\u{1b}[2J\n");
        assert_eq!(reason(&odd), "a file cannot be read or written (libgit2: no\\u001b[2J)");
        assert_eq!(reason(&Error::from_str("there is nothing to keep")), "there is nothing to keep");
    }
}
