//! The poll: how a filter asks for its snapshot, and what the answer carries besides.
//!
//! ```text
//! GET /v1/snapshot?namespace=demo&service=checkout
//! accept: application/vnd.hfi.snapshot.v2, application/vnd.hfi.snapshot.v1;q=0.5
//! prefer: wait=30
//! x-hfi-node: sidecar~10.0.0.1~checkout-1.demo~demo.svc.cluster.local
//! x-hfi-plugins: demo/hfi-inbound,demo/hfi-outbound
//! x-hfi-faults: 4k2j9x1q;checkout-errors=1000.301.301.0.0.0
//! if-none-match: "sha256:…"        the digest that the filter runs
//! x-hfi-revision: main@sha1:…      the commit that it was made of
//! ```
//!
//! The filter writes requests with [`target`], [`ACCEPT`], [`prefer`] and [`NodeId::from_envoy`]; the
//! server reads them with [`scope`], [`Format::negotiate`](super::Format::negotiate) and
//! [`NodeId::parse`]. An answer always carries [`REVISION`]: without it, it is not the server's own.

use std::time::Duration;

use super::scope::{Scope, ScopeError};

/// The path of the snapshot.
pub const PATH: &str = "/v1/snapshot";

/// The header that names the Envoy node that polls.
pub const NODE: &str = "x-hfi-node";

/// The header that names the plugins of hfi that run in the proxy, as [`PluginNames`](super::PluginNames)
/// writes and reads it. Filters of older releases do not send it.
pub const PLUGINS: &str = "x-hfi-plugins";

/// The header that tells what the policies did in the proxy, as [`FaultReport`](super::FaultReport) writes and
/// reads it. A proxy that has counted nothing does not send it, and neither do filters of older releases.
pub const FAULTS: &str = "x-hfi-faults";

/// The header that names the commit: in a request the one that the filter runs, in an answer the one
/// that it was made of.
pub const REVISION: &str = "x-hfi-revision";

/// The header by which a filter says how long the server may hold the poll (RFC 7240).
pub const PREFER: &str = "prefer";

/// The longest that a poll is held, in seconds.
pub const MAX_WAIT_SECONDS: u64 = 300;

/// The longest query, in bytes: about sixty names. The server keeps what is asked for.
pub const MAX_QUERY_BYTES: usize = 4_096;

/// The longest name of a node, in bytes.
pub const MAX_NODE_BYTES: usize = 253;

/// The shortest time between the starts of two polls of a filter, whatever the server answers.
pub const MIN_SPACING: Duration = Duration::from_millis(200);

/// The time until a filter polls again, with jitter, after the server answered before the end of the
/// wait although nothing changed.
pub const EARLY_SPACING: Duration = Duration::from_secs(2);

/// The longest time between two polls of a filter that fail.
pub const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The `Accept` header of this build: the newest format first. A server that knows only format 1
/// answers with that.
pub const ACCEPT: &str = "application/vnd.hfi.snapshot.v2, application/vnd.hfi.snapshot.v1;q=0.5";

/// The request target of a scope's snapshot: path and query.
pub fn target(scope: &Scope) -> String {
    format!("{PATH}?{scope}")
}

/// The `Prefer` header of a poll that the server may hold for `seconds`.
pub fn prefer(seconds: u64) -> String {
    format!("wait={seconds}")
}

/// The error of a query that names no scope.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("the query is longer than {MAX_QUERY_BYTES} bytes")]
    TooLong,
    #[error("`{0}` is not a parameter; known here: namespace, service")]
    Unknown(String),
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

/// The scope that a query names: `namespace` and `service`, each any number of times.
pub fn scope(query: &str) -> Result<Scope, QueryError> {
    if query.len() > MAX_QUERY_BYTES {
        return Err(QueryError::TooLong);
    }
    let (mut namespaces, mut services) = (Vec::new(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        // Percent-encoding is not undone: no character of a name needs it, except for `*`.
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = if value.eq_ignore_ascii_case("%2a") { "*" } else { value };
        match key {
            "namespace" => namespaces.push(value),
            "service" => services.push(value),
            _ => return Err(QueryError::Unknown(key.to_owned())),
        }
    }
    Ok(Scope::new(namespaces, services)?)
}

/// The id of an Envoy node, as [`NODE`] carries it: 1 to 253 letters, digits and any of `._~-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(Box<str>);

impl NodeId {
    /// Reads the value of the header; `None` if it is not an id.
    pub fn parse(value: &str) -> Option<Self> {
        let is_id = (1..=MAX_NODE_BYTES).contains(&value.len()) && value.bytes().all(is_node_byte);
        is_id.then(|| Self(value.into()))
    }

    /// The id that Envoy was given, without the characters that the header cannot carry; `None` if
    /// nothing is left.
    pub fn from_envoy(id: &str) -> Option<Self> {
        let fits = |c: &char| u8::try_from(*c).is_ok_and(is_node_byte);
        let kept: String = id.chars().filter(fits).take(MAX_NODE_BYTES).collect();
        Self::parse(&kept)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_node_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._~-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{ACCEPT, NodeId, scope, target};
    use crate::wire::Format;

    #[test]
    fn a_target_names_its_scope() {
        for query in ["namespace=demo&service=checkout", "namespace=demo&service=a&service=b", "service=*"] {
            let target = target(&scope(query).unwrap());
            assert_eq!(target, format!("/v1/snapshot?{query}"));
        }
    }

    #[test]
    fn a_query_names_a_scope() {
        for (query, shown) in [
            ("", ""),
            ("service=b&service=a&namespace=demo", "namespace=demo&service=a&service=b"),
            ("namespace=demo&service=%2A", "namespace=demo&service=*"),
            ("namespace=shop&&namespace=demo&service=*", "namespace=demo&namespace=shop&service=*"),
        ] {
            assert_eq!(scope(query).unwrap().to_string(), shown, "{query}");
        }
        let long = format!("service={}", ["a"; 500].join("&service="));
        for bad in ["namespace=", "service=a%20b", "name=a", &long] {
            assert!(scope(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_filter_asks_for_the_newest_format_that_it_reads() {
        assert_eq!(Format::negotiate([ACCEPT.as_bytes()]), Some(Format::V2));
        for format in Format::ALL {
            assert!(ACCEPT.contains(format.media_type()), "{format:?}");
        }
    }

    #[test]
    fn a_node_is_named_by_what_a_header_can_carry() {
        let id = "sidecar~10.0.0.1~checkout-1.demo~demo.svc.cluster.local";
        assert_eq!(NodeId::parse(id).unwrap().as_str(), id);
        for bad in ["", "a b", "a\n", "é", &"x".repeat(254)] {
            assert_eq!(NodeId::parse(bad), None, "{bad}");
        }
        assert_eq!(NodeId::from_envoy("a é/b").unwrap().as_str(), "ab");
        assert_eq!(NodeId::from_envoy(&"x".repeat(300)).unwrap().as_str().len(), 253);
        assert_eq!(NodeId::from_envoy("é "), None);
    }
}
