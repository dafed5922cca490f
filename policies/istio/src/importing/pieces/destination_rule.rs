//! DestinationRules.

use serde_json::{Value, json};

use super::{get, list, object, others, some, text};

pub(super) fn pieces(spec: &Value) -> Vec<Value> {
    let mut pieces = vec![
        object([("host", get(spec, "host")), ("namespaces", get(spec, "exportTo"))]),
        object([("workloadSelector", spec.pointer("/workloadSelector/matchLabels").cloned())]),
    ];
    for with_traffic in [true, false] {
        let subsets: Value = list(spec, "subsets").iter().map(|item| subset(item, with_traffic)).collect();
        pieces.push(json!({"subsets": subsets}));
    }
    let blocks = spec.get("trafficPolicy").map(blocks).unwrap_or_default();
    pieces.extend(blocks.into_iter().map(|block| json!({"trafficPolicy": block})));
    pieces
}

fn subset(subset: &Value, with_traffic: bool) -> Value {
    let mut traffic = json!({});
    if with_traffic {
        let blocks = subset.get("trafficPolicy").map(blocks).unwrap_or_default();
        blocks.iter().for_each(|block| crate::values::merge(&mut traffic, block));
    }
    let is_written = traffic.as_object().is_some_and(|blocks| !blocks.is_empty());
    let known: &[_] = if is_written { &["name", "labels", "trafficPolicy"] } else { &["name", "labels"] };
    object([
        ("name", get(subset, "name")),
        ("labels", get(subset, "labels")),
        ("trafficPolicy", is_written.then_some(traffic)),
        ("spec", others(subset, known)),
    ])
}

/// The blocks of `trafficPolicy`, each of which may fit alone.
fn blocks(policy: &Value) -> Vec<Value> {
    let part = |name: &str| policy.get(name).unwrap_or(&Value::Null);
    let (outliers, tls, balancer) = (part("outlierDetection"), part("tls"), part("loadBalancer"));
    let pool = |name: &str| policy.pointer(&format!("/connectionPool/{name}")).unwrap_or(&Value::Null);
    let (tcp, http) = (pool("tcp"), pool("http"));
    let hash = balancer.get("consistentHash").unwrap_or(&Value::Null);
    let sticky = some([
        ("header", get(hash, "httpHeaderName")),
        ("query", get(hash, "httpQueryParameterName")),
        ("cookie", hash.pointer("/httpCookie/name").cloned()),
        ("sourceIp", get(hash, "useSourceIp")),
    ]);
    let fails_over = balancer.pointer("/localityLbSetting/enabled") == Some(&json!(true));
    let balance =
        |name: &str, value: Option<Value>| value.map(|value| json!({"loadBalancerSettings": {name: value}}));
    let block = |name: &str, value: Option<Value>| value.map(|value| json!({name: value}));
    let pools = |name: &str, value: Option<Value>| {
        value.map(|value| json!({"connectionPoolSettings": {name: value}}))
    };
    let blocks = [
        block(
            "ejectionSettings",
            some([
                ("consecutiveErrors", get(outliers, "consecutive5xxErrors")),
                ("interval", get(outliers, "interval")),
                ("minimumEjectionTime", get(outliers, "baseEjectionTime")),
                ("maxEjected", get(outliers, "maxEjectionPercent")),
            ]),
        ),
        block(
            "tlsSettings",
            some([
                ("mode", get(tls, "mode")),
                ("clientCertificate", get(tls, "clientCertificate")),
                ("clientPrivateKey", get(tls, "privateKey")),
                ("caCertificates", get(tls, "caCertificates")),
            ]),
        ),
        pools(
            "tcpSettings",
            some([
                ("maxTcpConnections", get(tcp, "maxConnections")),
                ("connectionTimeout", get(tcp, "connectTimeout")),
            ]),
        ),
        pools(
            "httpSettings",
            some([
                ("maxPendingHttpConnections", get(http, "http1MaxPendingRequests")),
                ("maxActiveHttpConnections", get(http, "http2MaxRequests")),
                ("maxHttpRequestsPerConnection", get(http, "maxRequestsPerConnection")),
            ]),
        ),
        balance("strategy", text(balancer, "simple").map(|simple| json!(simple))),
        balance("stickyBy", sticky),
        balance("warmup", balancer.pointer("/warmup/duration").cloned()),
        balance("locality", fails_over.then(|| json!("failover"))),
    ];
    blocks.into_iter().flatten().collect()
}
