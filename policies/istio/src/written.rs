//! Documents as teams write them.
//!
//! A document is read into an [`Application`], or into every reason why not: `envelope` reads what is around the
//! sections, `entry` what all entries of a section have in common, and a file for each section its attributes.

mod application;
mod authorization_policy;
mod destination_rule;
mod entry;
mod envelope;
mod envoy_filter;
mod fields;
mod gateway;
mod json;
mod own_fields;
mod path_pattern;
mod peer_authentication;
mod proxy_config;
mod request_authentication;
mod scope;
mod sections;
mod service_entry;
mod sidecar;
mod telemetry;
mod virtual_service;

pub use policies::language::Dataplane;

pub use application::{Application, Document};
pub use authorization_policy::{
    Access, AccessRule, AuthorizationPolicy, Conditions, OnlyViaWaypoint, Sources,
};
pub use destination_rule::{
    Balance, ConnectionPool, DestinationRule, Ejection, Http, LoadBalancer, MAX_CONNECTIONS, Strategy,
    Subset, Tcp, Tls, TrafficPolicy,
};
pub use entry::{ApplyTo, Entry};
pub(crate) use envelope::NAME_LABEL;
pub use envelope::{KIND, Reading, default_workload, is_application, read};
pub use envoy_filter::{Direction, EnvoyFilter, Intent, LocalRateLimit, Patch};
pub use gateway::{Gateway, ServerTls};
pub use own_fields::OwnFields;
pub use peer_authentication::{Mtls, PeerAuthentication};
pub use proxy_config::ProxyConfig;
pub use request_authentication::{Issuer, Keys, RequestAuthentication, Required, TokenPlace};
pub use sections::Attributes;
pub use service_entry::{Endpoint, Port, ServiceEntry};
pub use sidecar::{Call, External, Sidecar};
pub use telemetry::{Logs, Metrics, Telemetry, TraceTag, Traces};
pub use virtual_service::{
    Cors, Destination, GatewayRef, HeaderChanges, Mirror, NameMatch, Origin, Redirect, Render, RequestMatch,
    Respond, Retries, Rewrite, Route, Share, Target, TextMatch, VirtualService,
};
