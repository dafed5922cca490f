//! The protocol of a port, as rules ask for it.

use crate::values;

/// A protocol as it is written; nothing where none is known by that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Protocol(Option<values::Protocol>);

impl From<values::Protocol> for Protocol {
    fn from(protocol: values::Protocol) -> Self {
        Self(Some(protocol))
    }
}

impl Protocol {
    pub(super) fn of(text: &str) -> Self {
        Self(values::Protocol::try_from(text).ok())
    }

    pub(super) fn is(self, name: &str) -> bool {
        self.0.is_some_and(|protocol| protocol.name() == name)
    }

    /// True if a client says for which host a connection is.
    pub(super) fn is_tls(self) -> bool {
        self.is("HTTPS") || self.is("TLS")
    }

    /// True if a proxy sees requests, and the host of each.
    pub(super) fn is_http(self) -> bool {
        !self.is_tls() && !self.is_blind()
    }

    /// True if connections to several hosts look alike: TCP, or none given.
    pub(super) fn is_blind(self) -> bool {
        !self.0.is_some_and(values::Protocol::names_host)
    }
}
