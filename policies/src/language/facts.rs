//! The facts about a request that a program may ask for.

use std::borrow::Cow;

use super::{direction::Direction, values::Timestamp};

/// One request, as far as policies look at it.
///
/// Each fact is asked for only when a rule needs it, because in a proxy each one is a call into the
/// host. A fact that is not there matches no matcher.
pub trait Facts {
    /// About so many fields (method, path, authority, headers) are going to be asked for: whoever can
    /// fetch them together may find that cheaper.
    fn announce(&self, _fields: usize) {}

    /// The number of fields that are looked at to find one.
    fn fields_searched(&self) -> usize {
        0
    }

    /// The time.
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

    /// The cluster that the route has chosen, as Istio names it: `outbound|PORT|SUBSET|HOST`.
    fn cluster(&self) -> Option<Cow<'_, [u8]>>;

    /// The value of the header field `name` (lower case).
    fn header(&self, name: &str) -> Option<Cow<'_, [u8]>>;

    /// The URI of the caller's certificate: its SPIFFE identity.
    fn spiffe_id(&self) -> Option<Cow<'_, [u8]>>;

    /// Takes the decision about the request, which a proxy makes once; false if another program of the proxy has
    /// made it. It is asked for when a rule applies, and before dice are thrown.
    fn claim(&self) -> bool {
        true
    }

    /// Matching the request took more work than a request may cause. It gets no fault.
    fn give_up(&self) {}
}
