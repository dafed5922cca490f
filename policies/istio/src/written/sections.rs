//! The sections: a row for each.

use policies::reading::Fields;

use super::{
    authorization_policy::{self, AuthorizationPolicy},
    destination_rule::{self, DestinationRule},
    envoy_filter::{self, EnvoyFilter},
    gateway::{self, Gateway},
    peer_authentication::{self, PeerAuthentication},
    proxy_config::{self, ProxyConfig},
    request_authentication::{self, RequestAuthentication},
    scope::Scope,
    service_entry::{self, ServiceEntry},
    sidecar::{self, Sidecar},
    telemetry::{self, Telemetry},
    virtual_service::{self, VirtualService},
};
use crate::resource::Kind;

/// What an entry says, by its section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attributes {
    DestinationRule(DestinationRule),
    VirtualService(VirtualService),
    ServiceEntry(ServiceEntry),
    Gateway(Gateway),
    EnvoyFilter(EnvoyFilter),
    ProxyConfig(ProxyConfig),
    Sidecar(Sidecar),
    AuthorizationPolicy(AuthorizationPolicy),
    PeerAuthentication(PeerAuthentication),
    RequestAuthentication(RequestAuthentication),
    Telemetry(Telemetry),
}

/// Reads the attributes of an entry. Who calls it reports the fields that nobody took.
pub(super) fn read(kind: Kind, fields: &mut Fields<'_>, scope: &Scope<'_>) -> Option<Attributes> {
    match kind {
        Kind::DestinationRule => destination_rule::read(fields, scope).map(Attributes::DestinationRule),
        Kind::VirtualService | Kind::HttpRoute | Kind::GrpcRoute => {
            virtual_service::read(fields, scope).map(Attributes::VirtualService)
        }
        Kind::ServiceEntry => service_entry::read(fields, scope).map(Attributes::ServiceEntry),
        Kind::Gateway => gateway::read(fields, scope).map(Attributes::Gateway),
        Kind::EnvoyFilter => envoy_filter::read(fields, scope).map(Attributes::EnvoyFilter),
        Kind::ProxyConfig => proxy_config::read(fields, scope).map(Attributes::ProxyConfig),
        Kind::Sidecar => sidecar::read(fields, scope).map(Attributes::Sidecar),
        Kind::AuthorizationPolicy => {
            authorization_policy::read(fields, scope).map(Attributes::AuthorizationPolicy)
        }
        Kind::PeerAuthentication => {
            peer_authentication::read(fields, scope).map(Attributes::PeerAuthentication)
        }
        Kind::RequestAuthentication => {
            request_authentication::read(fields, scope).map(Attributes::RequestAuthentication)
        }
        Kind::Telemetry => telemetry::read(fields, scope).map(Attributes::Telemetry),
    }
}
