//! Errors of an SSH connection in our words: on the way to the server, at its door, and in the conversation.

use git2::{Error, ErrorClass, ErrorCode};

use super::reason::explained;
use crate::source::printable::printable;

/// The beginnings of what libgit2 says, and what each means.
const MEANINGS: [(&str, &str); 9] = [
    ("failed to resolve address", "the host cannot be resolved to an address"),
    (
        "failed to start SSH session",
        "what listens there does not speak SSH, or has no key exchange, host key or cipher in common with hfi",
    ),
    ("error loading known_hosts", "the known_hosts file has a line that cannot be read"),
    ("failed to set hostkey preference", "the known_hosts file has no key of a kind that hfi reads"),
    ("remote rejected authentication", "the server ended the login; is the user name right?"),
    ("failed to authenticate", "the login failed"),
    ("error authenticating", "the login failed"),
    ("Failed to open SSH channel", "the server accepts the login, and opens no session for it"),
    ("SSH could not", "the connection ended before the answer was complete"),
];

/// The sentence for an error; `None` for those of the Git protocol.
pub(super) fn sentence(error: &Error) -> Option<String> {
    let message = error.message().trim();
    if let Some(said) = said(error) {
        return Some(format!("the server says: {}", printable(said.lines().next().unwrap_or_default())));
    }
    if message.starts_with("failed to connect") {
        return Some(explained(unreachable(message), error));
    }
    let meaning = MEANINGS.iter().find(|(words, _)| message.starts_with(words));
    let of_ssh = || (error.class() == ErrorClass::Ssh).then_some("the SSH connection failed");
    meaning.map(|(_, meaning)| *meaning).or_else(of_ssh).map(|meaning| explained(meaning, error))
}

/// The last words of Git on the server, lines of any text.
pub(super) fn said(error: &Error) -> Option<String> {
    let is_said = (error.class(), error.code()) == (ErrorClass::Ssh, ErrorCode::Eof);
    is_said.then(|| error.message().trim().to_owned())
}

fn unreachable(message: &str) -> &'static str {
    if message.ends_with("Connection refused") {
        "the server refuses connections at this port"
    } else if message.ends_with("timed out") {
        "the server does not answer"
    } else {
        "the server cannot be reached over the network"
    }
}

#[cfg(test)]
mod tests {
    use git2::{Error, ErrorClass, ErrorCode};

    use super::sentence;

    #[test]
    fn each_error_is_explained_and_that_of_the_server_is_its_own() {
        let of = |class, message: &str| sentence(&Error::new(ErrorCode::GenericError, class, message));
        for (class, message, meaning) in [
            (ErrorClass::Net, "failed to resolve address for a: Name or service not known", "resolved to an"),
            (ErrorClass::Os, "failed to connect to a: Connection refused", "refuses connections"),
            (ErrorClass::Net, "failed to connect to a: Operation timed out", "does not answer"),
            (ErrorClass::Os, "failed to connect to a: No route to host", "cannot be reached"),
            (ErrorClass::Ssh, "failed to start SSH session: Failed getting banner", "does not speak SSH"),
            (ErrorClass::Ssh, "SSH could not read data: socket disconnect", "connection ended"),
            (ErrorClass::Ssh, "something\u{1b}[2J new", "the SSH connection failed"),
        ] {
            let sentence = of(class, message).unwrap();
            assert!(sentence.contains(meaning) && sentence.contains("(libgit2: "), "{sentence}");
            assert!(!sentence.contains('\u{1b}'));
        }
        let said =
            Error::new(ErrorCode::Eof, ErrorClass::Ssh, "fatal: '\u{9b}2J' is not there\nfatal: Sorry\n");
        assert_eq!(sentence(&said).unwrap(), "the server says: fatal: '\\u009b2J' is not there");
        assert_eq!(of(ErrorClass::Net, "invalid packet line"), None);
        assert_eq!(of(ErrorClass::Indexer, "early EOF"), None);
    }
}
