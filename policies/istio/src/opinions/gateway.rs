//! Opinions about Gateways.

/// The label of the gateway that Istio's charts install. Without a selector a host would be open on every gateway
/// of the mesh.
pub const SELECTOR: (&str, &str) = ("istio", "ingressgateway");

/// The namespace whose routes a host takes: the own one. Else another team could answer under this name.
pub const ROUTES_FROM: &str = ".";

/// The oldest TLS. 1.0 and 1.1 are broken (RFC 8996).
pub const MIN_TLS: &str = "TLSV1_2";
