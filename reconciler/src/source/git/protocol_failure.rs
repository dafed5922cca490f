//! Errors of the Git protocol, on any connection, in our words.

use git2::{Error, ErrorClass, ErrorCode};

use super::formats::SHA256;
use crate::source::printable::printable;

/// The sentence for what a server sent; `None` for errors of other kinds.
pub(super) fn sentence(error: &Error) -> Option<String> {
    let message = error.message();
    if let Some(said) = said(error) {
        return Some(format!("the server says: {}", printable(&said)));
    }
    if message.contains("object format") {
        return Some(format!("the repository {SHA256}"));
    }
    let sentence = match (error.class(), error.code()) {
        (ErrorClass::Net, ErrorCode::Eof) => {
            "the server ended its answer too early; is the repository there whole, and not a partial clone?"
        }
        (ErrorClass::Net, _) => {
            "the answer is not that of a Git server with a whole repository; is it a shallow clone, which cannot be \
             followed?"
        }
        (ErrorClass::Indexer | ErrorClass::Zlib | ErrorClass::Odb, _) => {
            "the server sent a pack that is damaged or not complete"
        }
        _ => return None,
    };
    Some(sentence.to_owned())
}

/// The words of a server that sends an error instead of what was asked for, any text.
pub(super) fn said(error: &Error) -> Option<String> {
    let message = error.message();
    let said = ["remote error: ", "report-status: Error reported: "];
    said.iter().find_map(|prefix| message.strip_prefix(prefix)).map(|said| said.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use git2::{Error, ErrorClass, ErrorCode};

    use super::sentence;

    #[test]
    fn the_words_of_the_library_are_replaced_and_those_of_the_server_kept() {
        let of = |code, class, message: &str| sentence(&Error::new(code, class, message));
        let net = |message| of(ErrorCode::GenericError, ErrorClass::Net, message).unwrap();
        assert_eq!(net("remote error: access denied\x1b[2J\n"), "the server says: access denied\\u001b[2J");
        assert!(net("invalid packet line").contains("is not that of a Git server"));
        let early = of(ErrorCode::Eof, ErrorClass::Net, "could not read from remote repository").unwrap();
        assert!(early.contains("too early"), "{early}");
        let indexer = of(ErrorCode::GenericError, ErrorClass::Indexer, "early EOF").unwrap();
        assert!(indexer.contains("pack"), "{indexer}");
        let format =
            of(ErrorCode::GenericError, ErrorClass::Invalid, "unknown remote object format 'sha256'");
        assert!(format.unwrap().contains("SHA-256"));
        assert_eq!(of(ErrorCode::GenericError, ErrorClass::Os, "no space left"), None);
    }
}
