//! The direction of a request.

/// The way that a request goes through a proxy, as seen from its workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    Inbound,
    Outbound,
}
