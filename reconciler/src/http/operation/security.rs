//! The tokens that a route takes, in OpenAPI: a scheme for each option that names a file of tokens.

use serde_json::{Map, Value, json};

/// The kinds of tokens, each with a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    View,
    Halt,
    Write,
    Peer,
}

/// The tokens that a route takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Security {
    /// It asks for one of these.
    Always(&'static [TokenKind]),
    /// It does where reads are closed.
    WhereReadsAreClosed,
}

/// The scheme of all of these tokens as passwords.
const PASSWORD: &str = "password";
/// Those who may read.
const READERS: [TokenKind; 3] = [TokenKind::View, TokenKind::Halt, TokenKind::Write];

impl TokenKind {
    const ALL: [Self; 4] = [Self::View, Self::Halt, Self::Write, Self::Peer];

    fn scheme(self) -> &'static str {
        match self {
            Self::View => "viewToken",
            Self::Halt => "haltToken",
            Self::Write => "writeToken",
            Self::Peer => "peerToken",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::View => "A token of --view-token-file. It reads everything, where that option closes reads",
            Self::Halt => "A token of --halt-token-file. It reads, and stops everything",
            Self::Write => {
                "A token of --write-token-file. It reads, stops everything, and writes as its line allows"
            }
            Self::Peer => "A token of --peer-token-file, by which replicas know each other",
        }
    }
}

impl Security {
    /// As an operation has it: any of these is enough.
    pub(super) fn render(self) -> Value {
        let (tokens, none) = match self {
            Self::Always(tokens) => (tokens, None),
            Self::WhereReadsAreClosed => (&READERS[..], Some(json!({}))),
        };
        let schemes = tokens.iter().map(|kind| kind.scheme()).chain([PASSWORD]);
        none.into_iter().chain(schemes.map(|scheme| json!({scheme: []}))).collect()
    }
}

/// All schemes, as the document has them.
pub(crate) fn schemes() -> Value {
    let bearer = |kind: TokenKind| {
        let scheme = json!({"type": "http", "scheme": "bearer", "description": kind.description()});
        (kind.scheme().to_owned(), scheme)
    };
    let basic = json!({"type": "http", "scheme": "basic", "description": "The same as a password, with any user name"});
    let schemes = TokenKind::ALL.map(bearer).into_iter().chain([(PASSWORD.to_owned(), basic)]);
    schemes.collect::<Map<_, _>>().into()
}
