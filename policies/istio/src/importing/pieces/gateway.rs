//! Gateways.

use serde_json::{Value, json};

use super::{get, list, object, text};

pub(super) fn pieces(spec: &Value) -> Vec<Value> {
    let servers = list(spec, "servers");
    let Some(first) = servers.first() else { return Vec::new() };
    let (tls, port) = (first.get("tls").unwrap_or(&Value::Null), first.get("port").unwrap_or(&Value::Null));
    let (mut hosts, mut namespaces): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
    for host in list(first, "hosts").iter().filter_map(Value::as_str) {
        let (namespace, host) = host.split_once('/').unwrap_or(("*", host));
        hosts.extend((!hosts.contains(&host)).then_some(host));
        namespaces.extend((!namespaces.contains(&namespace)).then_some(namespace));
    }
    let is_passed = text(tls, "mode") == Some("PASSTHROUGH");
    let is_mutual = text(tls, "mode") == Some("MUTUAL");
    let secret = get(tls, "credentialName")
        .map(|name| object([("secret", Some(name)), ("clientAuth", is_mutual.then_some(Value::Bool(true)))]));
    let known = if tls.is_null() { 80 } else { 443 };
    let number = get(port, "number").filter(|number| *number != json!(known));
    let is_special = number.is_some();
    // Without a second server nobody is redirected, which is the default but for TLS on port 443.
    let stays = !tls.is_null() && !is_special && servers.len() == 1;
    vec![object([
        ("hosts", Some(json!(hosts))),
        ("selector", get(spec, "selector").filter(|labels| *labels != json!({"istio": "ingressgateway"}))),
        ("tls", if is_passed { Some(json!("passthrough")) } else { secret }),
        ("minTLS", (text(tls, "minProtocolVersion") == Some("TLSV1_3")).then(|| json!("1.3"))),
        ("port", number),
        ("redirect", stays.then_some(Value::Bool(false))),
        ("allowRoutesFrom", (namespaces != ["."]).then(|| json!(namespaces))),
    ])]
}
