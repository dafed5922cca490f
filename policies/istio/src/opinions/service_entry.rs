//! Opinions about ServiceEntries.

/// The namespaces that see an entry. Istio's default is all: one team's entry then redirects another's traffic.
pub const EXPORT_TO: &str = ".";

/// The authorities that a host outside proves itself by: those that the system of the proxy knows.
pub const CA_CERTIFICATES: &str = "system";
