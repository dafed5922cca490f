//! At a waypoint every request is for the service that its filter chain names.

use std::time::Duration;

use filter::{
    clock::Instant,
    identity::{Identity, ProxyKind},
};
use policies::{Scope, evaluation::StaticRequest, wire::poll::NodeId};

use crate::world::{Data, World, checkout, good, header, snapshot_of};

const POLICIES: &str = "
metadata: {name: cart}
spec: {selector: {service: cart, namespace: demo}, rules: [{match: {path: {exact: /cart}}, fault: {percentage: 100, delay_ms: 1}}]}
---
metadata: {name: everyone}
spec: {rules: [{match: {path: {exact: /all}}, fault: {percentage: 100, delay_ms: 1}}]}
---
metadata: {name: partner}
spec: {selector: {host: api.partner.example}, rules: [{match: {path: {exact: /partner}}, fault: {percentage: 100, delay_ms: 1}}]}
---
metadata: {name: evil}
spec: {selector: {host: '*.evil.example', namespace: demo}, rules: [{match: {path: {exact: /evil}}, fault: {percentage: 100, delay_ms: 1}}]}
---
metadata: {name: anywhere}
spec: {selector: {service: cart}, rules: [{match: {path: {exact: /anywhere}}, fault: {percentage: 100, delay_ms: 1}}]}
";

/// Waypoint of `demo` with these policies.
fn waypoint(config: &str, policies: &str) -> World {
    let scope = Scope::new(["demo"], ["*"]).unwrap();
    let identity =
        Identity { scope, kind: ProxyKind::Waypoint, node: NodeId::parse("waypoint~1"), ..checkout() };
    let now = Instant::from_origin(Duration::from_secs(1));
    let mut world = World::of(identity, &Data::default(), config, 7, now);
    let (poll, _) = world.until_poll();
    assert_eq!(header(&poll, ":path"), Some("/v1/snapshot?namespace=demo&service=*"));
    world.answer(good(snapshot_of(policies)));
    world
}

/// Paths that get a fault through this filter chain.
fn faulted(filter_chain: &str) -> Vec<&'static str> {
    faulted_with("", filter_chain)
}

fn faulted_with(config: &str, filter_chain: &str) -> Vec<&'static str> {
    let mut world = waypoint(config, POLICIES);
    let mut paths = vec!["/cart", "/all", "/anywhere", "/partner", "/evil"];
    paths.retain(|path| {
        let request = StaticRequest { target: Some((*path).into()), ..StaticRequest::default() };
        world.injects_through(filter_chain, &request)
    });
    paths
}

#[test]
fn a_request_gets_the_faults_of_the_service_that_it_is_for() {
    assert_eq!(faulted("inbound-vip|8080|http|cart.demo.svc.cluster.local"), ["/cart", "/all", "/anywhere"]);
    assert_eq!(faulted("inbound-vip|8080|http|checkout.demo.svc.cluster.local"), ["/all"]);
}

#[test]
fn a_service_entry_is_known_by_its_host_also_if_it_looks_like_a_service() {
    assert_eq!(faulted("inbound-vip|443|http|api.partner.example"), ["/all", "/partner"]);
    assert_eq!(faulted("inbound-vip|80|http|cart.demo.svc.evil.example"), ["/all", "/evil"]);
}

#[test]
fn services_are_those_of_the_configured_domain() {
    let evil = r#", "cluster_domain": "evil.example""#;
    let cart = ["/cart", "/all", "/anywhere"];
    assert_eq!(faulted_with(evil, "inbound-vip|80|http|cart.demo.svc.evil.example"), cart);
    assert_eq!(faulted_with(evil, "inbound-vip|80|http|cart.demo.svc.cluster.local"), ["/all"]);
}

#[test]
fn another_namespace_or_an_unknown_chain_gets_only_wildcards() {
    for filter_chain in ["inbound-vip|8080|http|cart.shop.svc.cluster.local", "direct-http", ""] {
        assert_eq!(faulted(filter_chain), ["/all"], "{filter_chain}");
    }
}

#[test]
fn a_waypoint_without_policies_is_idle() {
    let mut world = waypoint("", POLICIES);
    assert!(!world.plugin.is_idle() && world.policies() == 5);
    world.until_poll();
    world.answer(good(snapshot_of("")));
    assert!(world.plugin.is_idle() && world.policies() == 0);
}

#[test]
fn a_service_that_many_selectors_select_gets_the_faults_of_all() {
    // More than are looked through one by one.
    let names = ["cart", "c*", "ca*", "car*", "*art", "*rt"];
    let selectors = ["demo", "de*", "*mo"].map(|namespace| names.map(|name| (name, namespace)));
    let policy = |(number, (name, namespace)): (usize, &(&str, &str))| {
        let selector = format!("{{service: '{name}', namespace: '{namespace}'}}");
        let rule =
            format!("{{match: {{path: {{exact: /{number}}}}}, fault: {{percentage: 100, delay_ms: 1}}}}");
        format!("metadata: {{name: p{number}}}\nspec: {{selector: {selector}, rules: [{rule}]}}\n---\n")
    };
    let policies: String = selectors.as_flattened().iter().enumerate().map(policy).collect();
    let mut world = waypoint("", &policies);
    for number in 0..18 {
        let request = StaticRequest { target: Some(format!("/{number}")), ..StaticRequest::default() };
        assert!(
            world.injects_through("inbound-vip|80|http|cart.demo.svc.cluster.local", &request),
            "{number}"
        );
        assert!(
            !world.injects_through("inbound-vip|80|http|shop.demo.svc.cluster.local", &request),
            "{number}"
        );
    }
}
