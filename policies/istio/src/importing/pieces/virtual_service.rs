//! VirtualServices.

use serde_json::{Value, json};

use super::{bound, get, list, object, route};
use crate::{importing::header::Header, opinions::virtual_service::EXTERNAL_WEIGHTS, resource::Resource};

pub(super) fn pieces(resource: &Resource, header: &Header) -> Vec<Value> {
    let spec = &resource.spec;
    let own = header.own_host();
    let hosts: Vec<_> = list(spec, "hosts").iter().filter(|host| host.as_str() != Some(&own)).collect();
    let gateways = list(spec, "gateways").iter();
    let gateways: Vec<_> = gateways.filter(|gateway| gateway.as_str() != Some("mesh")).collect();
    let (key, value) = EXTERNAL_WEIGHTS;
    let is_external = resource.annotations.get(key).is_some_and(|given| given == value);
    let common = object([
        ("hosts", (!hosts.is_empty()).then(|| json!(hosts))),
        ("gateways", (!gateways.is_empty()).then(|| json!(gateways))),
        ("namespaces", get(spec, "exportTo")),
        ("weights", is_external.then(|| json!("external"))),
    ]);
    let kinds = [json!({}), json!({"internal": false})];
    bound(&bound(&kinds, &routes(spec, header)), &[common])
}

/// The routes in each way to write them: with the last as the fallback, or all as they are.
fn routes(spec: &Value, header: &Header) -> Vec<Value> {
    let http = list(spec, "http");
    let routes =
        |http: &[Value]| http.iter().map(|item| route::route(item, header)).collect::<Option<Vec<_>>>();
    let mut ways = Vec::new();
    let own = json!([{"destination": {"host": header.own_host()}}]);
    if let Some((last, before)) = http.split_last()
        && last.get("route") == Some(&own)
        && last.get("match").is_none()
        && let Some(before) = routes(before)
    {
        ways.push(object([
            ("timeout", get(last, "timeout")),
            ("retries", last.get("retries").and_then(route::retries)),
            ("routes", (!before.is_empty()).then(|| json!(before))),
        ]));
    }
    if let Some(routes) = routes(http) {
        // The first that takes every request is the last one.
        let catches_all = routes.iter().any(|route| route.get("match").is_none());
        ways.push(object([
            ("routes", Some(json!(routes))),
            ("fallback", (!catches_all).then(|| json!("none"))),
        ]));
    }
    ways
}
