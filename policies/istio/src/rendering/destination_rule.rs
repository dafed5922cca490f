//! DestinationRules.

use serde_json::{Value, json};

use super::{frame::Frame, json::object, part::Part};
use crate::{
    opinions::destination_rule as opinions,
    resource::Kind,
    written::{
        Balance, ConnectionPool, Dataplane, DestinationRule, Ejection, Entry, Http, LoadBalancer, Subset,
        Tcp, Tls, TrafficPolicy,
    },
};

pub(super) fn parts(rule: &DestinationRule, entry: &Entry, frame: &Frame<'_>) -> Vec<Part> {
    let DestinationRule { host, workload_selector, subsets, traffic_policy: policy } = rule;
    if frame.dataplane() == Dataplane::Ambient && frame.is_foreign(host) {
        let reason =
            format!("is about `{host}` of another namespace, which only the waypoint of its owner reads");
        let finding = entry.error("APP06", "host", reason);
        frame.report(finding.right("ask its owner for it"));
    }
    let export = workload_selector.is_some().then(|| json!([opinions::EXPORT_OF_SELECTED]));
    let spec = object([
        ("host", Some(json!(host.as_str()))),
        ("workloadSelector", workload_selector.as_ref().map(|labels| json!({"matchLabels": labels}))),
        ("exportTo", export),
        ("subsets", (!subsets.is_empty()).then(|| subsets.iter().map(subset).collect())),
        ("trafficPolicy", policy.as_ref().map(traffic_policy)),
    ]);
    vec![Part::new(Kind::DestinationRule, spec)]
}

fn subset(subset: &Subset) -> Value {
    let Subset { name, labels, traffic_policy: policy, patch } = subset;
    let mut rendered = object([
        ("name", Some(json!(name.as_str()))),
        ("labels", (!labels.is_empty()).then(|| json!(labels))),
        ("trafficPolicy", policy.as_ref().map(traffic_policy)),
    ]);
    if let Some(patch) = patch {
        patch.apply(&mut rendered);
    }
    rendered
}

fn traffic_policy(policy: &TrafficPolicy) -> Value {
    let TrafficPolicy { load_balancer: balancer, tls, ejection, connection_pool: pool } = policy;
    object([
        ("loadBalancer", balancer.as_ref().map(load_balancer)),
        ("tls", tls.as_ref().map(self::tls)),
        ("outlierDetection", ejection.as_ref().map(outlier_detection)),
        ("connectionPool", pool.as_ref().map(connection_pool)),
    ])
}

fn load_balancer(balancer: &LoadBalancer) -> Value {
    let LoadBalancer { balance, fails_over, warmup } = balancer;
    let (simple, hash) = match balance {
        None => (None, None),
        Some(Balance::Simple(strategy)) => (Some(json!(strategy.name())), None),
        Some(Balance::Header(name)) => (None, Some(json!({"httpHeaderName": name}))),
        Some(Balance::Cookie(name)) => {
            (None, Some(json!({"httpCookie": {"name": name, "ttl": opinions::COOKIE_TTL}})))
        }
        Some(Balance::Query(name)) => (None, Some(json!({"httpQueryParameterName": name}))),
        Some(Balance::SourceIp) => (None, Some(json!({"useSourceIp": true}))),
    };
    object([
        ("simple", simple),
        ("consistentHash", hash),
        ("localityLbSetting", fails_over.then(|| json!({"enabled": true}))),
        ("warmup", warmup.map(|warmup| json!({"duration": warmup.to_string()}))),
    ])
}

fn tls(tls: &Tls) -> Value {
    match tls {
        Tls::Disable => json!({"mode": "DISABLE"}),
        Tls::IstioMutual => json!({"mode": "ISTIO_MUTUAL"}),
        Tls::Simple { ca_certificates } => object([
            ("mode", Some(json!("SIMPLE"))),
            ("caCertificates", ca_certificates.as_ref().map(|path| json!(path))),
        ]),
        Tls::Mutual { certificate, private_key, ca_certificates } => object([
            ("mode", Some(json!("MUTUAL"))),
            ("clientCertificate", Some(json!(certificate))),
            ("privateKey", Some(json!(private_key))),
            ("caCertificates", ca_certificates.as_ref().map(|path| json!(path))),
        ]),
    }
}

fn outlier_detection(ejection: &Ejection) -> Value {
    let Ejection { consecutive_errors, interval, minimum_time, max_ejected } = ejection;
    let errors = consecutive_errors.unwrap_or(opinions::CONSECUTIVE_ERRORS);
    let interval = interval.unwrap_or(opinions::EJECTION_INTERVAL);
    let time = minimum_time.unwrap_or(opinions::MINIMUM_EJECTION_TIME);
    object([
        // `consecutiveErrors`, which has the better name, does nothing in Istio.
        ("consecutive5xxErrors", Some(json!(errors))),
        ("interval", Some(json!(interval.to_string()))),
        ("baseEjectionTime", Some(json!(time.to_string()))),
        ("maxEjectionPercent", max_ejected.map(|percent| json!(percent))),
    ])
}

fn connection_pool(pool: &ConnectionPool) -> Value {
    let ConnectionPool { tcp, http } = pool;
    let tcp = tcp.as_ref().map(|Tcp { max_connections, connection_timeout }| {
        let timeout = connection_timeout.unwrap_or(opinions::CONNECTION_TIMEOUT);
        object([
            ("maxConnections", max_connections.map(|most| json!(most))),
            ("connectTimeout", Some(json!(timeout.to_string()))),
        ])
    });
    let http = http.as_ref().map(|Http { max_pending, max_active, max_per_connection }| {
        object([
            ("http1MaxPendingRequests", Some(json!(max_pending.unwrap_or(opinions::HTTP_REQUESTS)))),
            // It limits HTTP/1.1 too.
            ("http2MaxRequests", Some(json!(max_active.unwrap_or(opinions::HTTP_REQUESTS)))),
            ("maxRequestsPerConnection", max_per_connection.map(|most| json!(most))),
        ])
    });
    object([("tcp", tcp), ("http", http)])
}
