//! Opinions about RequestAuthentications.

/// What is before a token in the header `authorization` (RFC 6750). Without it Istio takes the whole value for a
/// token, and finds none in `Bearer …`.
pub const PREFIX: (&str, &str) = ("authorization", "Bearer ");
