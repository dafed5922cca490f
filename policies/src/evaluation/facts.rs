//! What a program may ask about a request.

use std::borrow::Cow;

use crate::language::{Direction, Timestamp};

/// One request, as far as policies look at it.
///
/// Each fact is asked for only when a rule needs it, because in a proxy each one is a call into the
/// host. A fact that is not there matches no matcher.
pub trait Facts {
    /// About so many fields (method, path, authority, headers) are going to be asked for: whoever can
    /// fetch them together may find that cheaper.
    fn announce(&self, _fields: usize) {}

    /// What time it is.
    fn now(&self) -> Timestamp;

    /// Which way the request goes; `None` where that is not known.
    fn direction(&self) -> Option<Direction>;

    /// The request method, such as `GET`.
    fn method(&self) -> Option<Cow<'_, [u8]>>;

    /// The path without the query string.
    fn path(&self) -> Option<Cow<'_, [u8]>>;

    /// The query string, without its question mark and as it came.
    fn query(&self) -> Option<Cow<'_, [u8]>>;

    /// The authority that the request is for: a host, with or without a port.
    fn authority(&self) -> Option<Cow<'_, [u8]>>;

    /// The value of the header field `name` (lower case).
    fn header(&self, name: &str) -> Option<Cow<'_, [u8]>>;

    /// The URI of the caller's certificate: its SPIFFE identity.
    fn spiffe_id(&self) -> Option<Cow<'_, [u8]>>;
}

/// A request whose facts are given, for whoever has no proxy to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaticRequest {
    pub now: Option<Timestamp>,
    /// Inbound unless it is said.
    pub direction: Option<Direction>,
    pub method: Option<String>,
    /// The path, with the query string if there is one.
    pub target: Option<String>,
    pub authority: Option<String>,
    /// By lower-case name; of one that is repeated, the first counts.
    pub headers: Vec<(String, String)>,
    pub spiffe_id: Option<String>,
}

fn bytes(text: &str) -> Cow<'_, [u8]> {
    Cow::Borrowed(text.as_bytes())
}

impl Facts for StaticRequest {
    fn now(&self) -> Timestamp {
        self.now.unwrap_or(Timestamp::from_millis(0))
    }

    fn direction(&self) -> Option<Direction> {
        self.direction.or(Some(Direction::Inbound))
    }

    fn method(&self) -> Option<Cow<'_, [u8]>> {
        self.method.as_deref().map(bytes)
    }

    fn path(&self) -> Option<Cow<'_, [u8]>> {
        self.target.as_deref()?.split('?').next().map(bytes)
    }

    fn query(&self) -> Option<Cow<'_, [u8]>> {
        self.target.as_deref()?.split_once('?').map(|(_, query)| bytes(query))
    }

    fn authority(&self) -> Option<Cow<'_, [u8]>> {
        self.authority.as_deref().map(bytes)
    }

    fn header(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let given = self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| bytes(value));
        // A proxy has one place for both (RFC 9113, section 8.3.1).
        given.or_else(|| self.authority().filter(|_| name == "host"))
    }

    fn spiffe_id(&self) -> Option<Cow<'_, [u8]>> {
        self.spiffe_id.as_deref().map(bytes)
    }
}
