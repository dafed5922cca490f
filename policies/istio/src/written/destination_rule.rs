//! `destinationRule`: what holds for calls to a host.

mod connection_pool;
mod load_balancer;
mod tls;

use std::collections::BTreeSet;

use policies::reading::{Cursor, Fields};

pub use self::{
    connection_pool::{ConnectionPool, Http, MAX_CONNECTIONS, Tcp},
    load_balancer::{Balance, LoadBalancer, Strategy},
    tls::Tls,
};
use super::{
    fields::{duration, host, items, label, labels, selector},
    json,
    scope::Scope,
};
use crate::values::{Duration, Host, Label, LabelPairs, MergePatch};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationRule {
    /// As it is written: a short name is of the namespace of the rule.
    pub host: Host,
    pub workload_selector: Option<LabelPairs>,
    pub subsets: Vec<Subset>,
    pub traffic_policy: Option<TrafficPolicy>,
}

/// A part of the endpoints of a host, such as a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subset {
    pub name: Label,
    pub labels: LabelPairs,
    /// In place of that of the rule.
    pub traffic_policy: Option<TrafficPolicy>,
    pub patch: Option<MergePatch>,
}

/// Settings; at least one. A block that is absent renders nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficPolicy {
    pub load_balancer: Option<LoadBalancer>,
    pub tls: Option<Tls>,
    pub ejection: Option<Ejection>,
    pub connection_pool: Option<ConnectionPool>,
}

/// When an endpoint that fails is left out. What is absent has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ejection {
    pub consecutive_errors: Option<u32>,
    pub interval: Option<Duration>,
    pub minimum_time: Option<Duration>,
    /// The most endpoints that are left out at a time, in percent.
    pub max_ejected: Option<u32>,
}

pub(super) fn read(fields: &mut Fields<'_>, scope: &Scope<'_>) -> Option<DestinationRule> {
    let host = fields.require("host").and_then(|field| host(&field));
    let workload_selector = fields.read("workloadSelector", |field| {
        let labels = selector(field);
        if scope.namespaces.is_some() && !scope.is_exported_to_own_only() {
            field.report(
                "is for the own namespace alone; take `namespaces` out, or write `namespaces: [\".\"]`",
            );
        }
        labels
    });
    let workload_selector = workload_selector.optional();
    let subsets = fields.read("subsets", |field| subsets(field, scope)).or(Vec::new());
    let traffic_policy = fields.read("trafficPolicy", |field| traffic_policy(field, scope)).optional();
    Some(DestinationRule {
        host: host?,
        workload_selector: workload_selector?,
        subsets: subsets?,
        traffic_policy: traffic_policy?,
    })
}

fn subsets(field: &Cursor<'_>, scope: &Scope<'_>) -> Option<Vec<Subset>> {
    let mut names = BTreeSet::new();
    items(field, |item| {
        let mut fields = item.fields()?;
        let name = fields.require("name").and_then(|field| {
            let name = label(&field)?;
            if !names.insert(name.clone()) {
                field.report(format_args!("`{name}` is the name of a subset before; rename one"));
                return None;
            }
            Some(name)
        });
        let labels = fields.read("labels", labels).or(LabelPairs::new());
        let traffic_policy = fields.read("trafficPolicy", |field| traffic_policy(field, scope)).optional();
        let patch = fields.read("spec", json::patch).optional();
        fields.finish();
        Some(Subset { name: name?, labels: labels?, traffic_policy: traffic_policy?, patch: patch? })
    })
}

fn traffic_policy(field: &Cursor<'_>, scope: &Scope<'_>) -> Option<TrafficPolicy> {
    let mut fields = field.clone().fields()?;
    let load_balancer =
        fields.read("loadBalancerSettings", |field| load_balancer::read(field, scope)).optional();
    let tls = fields.read("tlsSettings", tls::read).optional();
    let ejection = fields.read("ejectionSettings", ejection).optional();
    let pool = fields.read("connectionPoolSettings", |field| connection_pool::read(field, scope)).optional();
    let policy = TrafficPolicy {
        load_balancer: load_balancer?,
        tls: tls?,
        ejection: ejection?,
        connection_pool: pool?,
    };
    let TrafficPolicy { load_balancer, tls, ejection, connection_pool } = &policy;
    if load_balancer.is_none() && tls.is_none() && ejection.is_none() && connection_pool.is_none() {
        field.report("has no settings; write a block such as `ejectionSettings: {}`, or leave it out");
    }
    if load_balancer.as_ref().is_some_and(|balancer| balancer.fails_over) && ejection.is_none() {
        field.report(
            "has `locality: failover` and no `ejectionSettings`, by which alone a failure is noticed; add `ejectionSettings: {}`",
        );
    }
    fields.finish();
    Some(policy)
}

fn ejection(field: &Cursor<'_>) -> Option<Ejection> {
    let mut fields = field.clone().fields()?;
    let errors = fields.read("consecutiveErrors", |field| field.integer(1..=u32::MAX, "")).optional();
    let interval = fields.read("interval", duration).optional();
    let minimum_time = fields.read("minimumEjectionTime", duration).optional();
    // 0 is what Istio takes for unset.
    let max_ejected = fields.read("maxEjected", |field| field.integer(1..=100, " of percent")).optional();
    fields.finish();
    Some(Ejection {
        consecutive_errors: errors?,
        interval: interval?,
        minimum_time: minimum_time?,
        max_ejected: max_ejected?,
    })
}
