//! The reasons of the fields that are rendered where a document says nothing.

use crate::resource::Kind;

/// A field, and the reason of what hfi writes there. A path has `[]` for every index.
type Row = (Kind, &'static str, &'static str);

const SEEN_BY_ALL: &str =
    "Istio's default is every namespace, so that one team's object would hold for another team";
const AS_ISTIO: &str = "it is Istio's own default, written down so that no default of the mesh changes it";
const NO_LIMIT: &str = "Istio has no limit, so that an overloaded callee would get all that its callers have";

const ROWS: [Row; 26] = [
    (Kind::DestinationRule, "spec.exportTo[]", "Istio takes no other for an object of some pods only"),
    (Kind::DestinationRule, "outlierDetection.consecutive5xxErrors", AS_ISTIO),
    (Kind::DestinationRule, "outlierDetection.interval", AS_ISTIO),
    (Kind::DestinationRule, "outlierDetection.baseEjectionTime", AS_ISTIO),
    (Kind::DestinationRule, "connectionPool.tcp.connectTimeout", AS_ISTIO),
    (Kind::DestinationRule, "connectionPool.http.http1MaxPendingRequests", NO_LIMIT),
    (Kind::DestinationRule, "connectionPool.http.http2MaxRequests", NO_LIMIT),
    (
        Kind::DestinationRule,
        "consistentHash.httpCookie.ttl",
        "without one Envoy sets no cookie; 0s is as long as the session",
    ),
    (Kind::DestinationRule, "tls.caCertificates", "the authorities that the proxy's system knows"),
    (
        Kind::VirtualService,
        "spec.gateways[]",
        "calls inside the mesh stay routed, unless `internal` is false",
    ),
    (Kind::ServiceEntry, "spec.exportTo[]", SEEN_BY_ALL),
    (Kind::ServiceEntry, "spec.location", "the hosts are outside the mesh, unless `inMesh` is true"),
    (Kind::ServiceEntry, "spec.resolution", "it is derived from the hosts, addresses and endpoints"),
    (Kind::ServiceEntry, "spec.ports[].protocol", "it is that of the port's number"),
    (
        Kind::Gateway,
        "spec.selector.istio",
        "it is the gateway of Istio's charts; without a selector the host is open at every gateway",
    ),
    (Kind::Gateway, "spec.servers[].tls.minProtocolVersion", "TLS 1.0 and 1.1 are broken (RFC 8996)"),
    (
        Kind::Gateway,
        "spec.servers[].tls.httpsRedirect",
        "plain HTTP is answered with the address of HTTPS, unless `redirect` is false",
    ),
    (Kind::EnvoyFilter, "spec.priority", "with 0 the order of filters is undefined"),
    (
        Kind::Sidecar,
        "spec.egress[].hosts[]",
        "every sidecar calls it; without hfi's control plane faults stop arriving",
    ),
    (Kind::AuthorizationPolicy, "spec.action", "it is what the section is about"),
    (
        Kind::AuthorizationPolicy,
        "spec.rules[].from[].source.notRequestPrincipals[]",
        "a RequestAuthentication alone lets requests without a token through",
    ),
    (Kind::PeerAuthentication, "spec.mtls.mode", "to refuse plain text is the reason to write the section"),
    (Kind::Telemetry, "spec.accessLogging[].providers[].name", "Istio ignores an entry without a provider"),
    (Kind::Telemetry, "spec.accessLogging[].filter.expression", "answers with these codes are errors"),
    (Kind::Telemetry, "spec.metrics[].providers[].name", "Istio ignores an entry without a provider"),
    (Kind::ServiceEntry, "spec.ports[].name", "it is made of the protocol and the number"),
];

/// The reason of what hfi writes to this field of a resource.
pub fn reason(kind: Kind, field: &str) -> Option<&'static str> {
    if field == "metadata.labels.app.kubernetes.io/managed-by" {
        return Some("it marks what hfi has rendered");
    }
    let path = without_numbers(field);
    let row = ROWS.iter().find(|(of, known, _)| *of == kind && path.ends_with(known));
    row.map(|(_, _, reason)| *reason)
}

/// A path with `[]` for every index.
fn without_numbers(field: &str) -> String {
    let mut parts = field.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| path + "[" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}
