//! The rules of Istio's resources: what Istio refuses, what it warns of, and what it takes in silence.
//!
//! A rule is a small function of its id's name, in the file of its kind. The table of that file lists it. Rules
//! never stumble over a value of another type: the fields of [`crate::backbone`] say that.

mod across;
mod around;
mod authorization_policy;
mod destination_rule;
mod envoy_filter;
mod every_kind;
mod gateway;
mod objects;
mod peer_authentication;
mod pods;
mod protocol;
mod proxy_config;
mod request_authentication;
mod routes;
mod service_entry;
mod sidecar;
mod subject;
mod telemetry;
mod virtual_service;

use std::collections::BTreeSet;

use self::subject::{Out, Rule};
pub use self::{across::check_all, objects::check_object};
pub(crate) use self::{
    across::{Tie, Ties, is_for_own_namespace, ties},
    around::check_around,
    authorization_policy::of_http,
    every_kind::selectors::selects_gateways,
    routes::holds_at,
    subject::Subject,
};
use crate::{
    backbone,
    finding::Finding,
    resource::{Kind, Resource},
};

/// Checks a resource by the fields that Istio knows, and by every rule that needs this resource alone.
pub fn check(resource: &Resource) -> Vec<Finding> {
    let subject = Subject::new(resource);
    let mut found = backbone::check(resource);
    for rule in tables(resource.kind).flatten() {
        (rule.check)(&subject, &mut Out::new(rule.id, &mut found));
    }
    found.sort_by(|one, other| (&one.field, one.rule).cmp(&(&other.field, other.rule)));
    found
}

/// The rules of a kind: those of every kind, and its own.
fn tables(kind: Kind) -> impl Iterator<Item = &'static [Rule]> {
    let own: &'static [&'static [Rule]] = match kind {
        Kind::DestinationRule => &destination_rule::TABLES,
        Kind::VirtualService => &virtual_service::TABLES,
        Kind::ServiceEntry => &service_entry::TABLES,
        Kind::Gateway => &gateway::TABLES,
        Kind::EnvoyFilter => &envoy_filter::TABLES,
        Kind::ProxyConfig => &proxy_config::TABLES,
        Kind::Sidecar => &sidecar::TABLES,
        Kind::AuthorizationPolicy => &authorization_policy::TABLES,
        Kind::PeerAuthentication => &peer_authentication::TABLES,
        Kind::RequestAuthentication => &request_authentication::TABLES,
        Kind::Telemetry => &telemetry::TABLES,
        Kind::HttpRoute | Kind::GrpcRoute => &[],
    };
    every_kind::TABLES.into_iter().chain(own.iter().copied())
}

/// The ids of all rules, in order.
pub fn ids() -> BTreeSet<&'static str> {
    let own = Kind::ALL.into_iter().flat_map(tables).flatten().map(|rule| rule.id);
    own.chain(every_kind::hosts::IDS)
        .chain(backbone::RULES)
        .chain(across::ids())
        .chain(objects::ids())
        .chain(around::IDS)
        .collect()
}
