//! Limits on the Istio configuration of applications.

use super::values::Glob;

/// What a guardrail says about the Istio configuration of applications. What it leaves out it does not limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IstioLimits {
    /// The kinds of objects, of [`ISTIO_KINDS`].
    pub kinds: Option<Vec<&'static str>>,
    /// The namespaces of applications.
    pub namespaces: Option<Vec<Glob>>,
    /// The hosts that an application claims for others.
    pub hosts: Option<Vec<Glob>>,
    pub allow_spec: Option<AllowSpec>,
    /// True if an object may be for a whole namespace.
    pub allow_namespace_wide: Option<bool>,
    /// True if a policy may deny all calls.
    pub allow_deny_all: Option<bool>,
    /// The most objects that a commit takes out of a namespace without consent.
    pub max_removals: Option<u32>,
    /// That of applications of which nothing else says it.
    pub dataplane: Option<Dataplane>,
    /// What every Sidecar calls, as `NAMESPACE/HOST`.
    pub sidecar_always: Option<Vec<String>>,
}

/// The use of Istio's own fields, from the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AllowSpec {
    /// None.
    None,
    /// Those that decide neither about what an object is for, nor about its hosts and its action.
    Safe,
    All,
}

/// The way in which the pods of an application are in the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dataplane {
    Sidecar,
    Ambient,
}

/// The kinds of objects that an application can have.
pub const ISTIO_KINDS: [&str; 13] = [
    "DestinationRule",
    "VirtualService",
    "HTTPRoute",
    "GRPCRoute",
    "ServiceEntry",
    "Gateway",
    "EnvoyFilter",
    "ProxyConfig",
    "Sidecar",
    "AuthorizationPolicy",
    "PeerAuthentication",
    "RequestAuthentication",
    "Telemetry",
];
