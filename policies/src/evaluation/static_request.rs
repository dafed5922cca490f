//! A request that is known beforehand.

use std::borrow::Cow;

use crate::language::{Direction, Facts, Timestamp};

/// A request whose facts are given, for callers without a proxy to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaticRequest {
    pub now: Option<Timestamp>,
    /// Inbound unless it is said.
    pub direction: Option<Direction>,
    pub method: Option<String>,
    /// The path, with the query string if there is one.
    pub target: Option<String>,
    pub authority: Option<String>,
    /// The cluster of the route.
    pub cluster: Option<String>,
    /// By lower-case name; of one that is repeated, the first counts.
    pub headers: Vec<(String, String)>,
    pub spiffe_id: Option<String>,
}

fn bytes(text: &str) -> Cow<'_, [u8]> {
    Cow::Borrowed(text.as_bytes())
}

impl Facts for StaticRequest {
    fn fields_searched(&self) -> usize {
        self.headers.len()
    }

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

    fn cluster(&self) -> Option<Cow<'_, [u8]>> {
        self.cluster.as_deref().map(bytes)
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
