//! Every attribute of a request costs a call into the host, so only those that a rule needs are read.

use std::{cell::RefCell, time::Duration};

use filter::{
    clock::Instant,
    identity::{Identity, ProxyKind},
    request::{header_map, lazy_request::LazyRequest, source::RequestSource},
};
use policies::{Scope, Timestamp, language::Direction};

use crate::world::{Data, World, checkout, good, snapshot_of};

/// Host that records the calls.
struct Host<'h> {
    path: &'static str,
    direction: Direction,
    calls: &'h RefCell<Vec<String>>,
}

impl RequestSource for Host<'_> {
    fn now(&self) -> Timestamp {
        self.calls.borrow_mut().push("now".into());
        Timestamp::from_millis(1)
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.calls.borrow_mut().push(name.into());
        (name == ":path").then(|| self.path.into())
    }

    fn header_map(&self) -> Option<Vec<u8>> {
        self.calls.borrow_mut().push("all".into());
        Some(header_map::encode(&[(":path", self.path), (":method", "GET")]))
    }

    fn direction(&self) -> Option<Direction> {
        self.calls.borrow_mut().push("direction".into());
        Some(self.direction)
    }

    fn cluster(&self) -> Option<Vec<u8>> {
        self.calls.borrow_mut().push("cluster".into());
        Some(b"outbound|80||cart.shop.svc.cluster.local".to_vec())
    }

    fn claim(&self) -> bool {
        self.calls.borrow_mut().push("claim".into());
        true
    }

    fn certificate(&self) -> Option<Vec<u8>> {
        self.calls.borrow_mut().push("certificate".into());
        None
    }

    fn tunnel_principal(&self) -> Option<Vec<u8>> {
        self.calls.borrow_mut().push("principal".into());
        Some(b"spiffe://cluster.local/ns/shop/sa/web".to_vec())
    }
}

/// Plugin of a proxy that runs this policy.
fn running(proxy: Identity, yaml: &str) -> World {
    let mut world = World::of(proxy, &Data::default(), "", 7, Instant::from_origin(Duration::from_secs(1)));
    world.until_poll();
    world.answer(good(snapshot_of(yaml)));
    world
}

/// Attributes that an inbound request for `path` reads when these are the rules of `checkout`.
fn reads(rules: &str, path: &'static str) -> Vec<String> {
    read_by(checkout(), &format!("rules: [{rules}]"), path, Direction::Inbound)
}

/// The same for a proxy and a policy of `checkout`.
fn read_by(proxy: Identity, spec: &str, path: &'static str, direction: Direction) -> Vec<String> {
    let yaml = format!("metadata: {{name: a}}\nspec: {{selector: {{service: checkout}}, {spec}}}");
    let mut world = running(proxy, &yaml);
    let calls = RefCell::default();
    world.injects_through("", &LazyRequest::new(Host { path, direction, calls: &calls }));
    calls.into_inner()
}

#[test]
fn of_a_request_without_a_rule_for_its_path_only_the_path_is_read() {
    let rule = "{match: {path: {prefix: /api/}, method: {exact: GET}, headers: [{name: x-a, exact: b}]}, fault: {percentage: 100, delay_ms: 1}}";
    assert_eq!(reads(rule, "/other"), [":path"]);
}

#[test]
fn several_header_fields_are_read_in_one_call() {
    let rules = "{match: {path: {prefix: /api/}}, fault: {percentage: 100, delay_ms: 1}}, {match: {headers: [{name: x-a, exact: b}]}, fault: {percentage: 100, delay_ms: 1}}";
    assert_eq!(reads(rules, "/other"), ["all"]);
    assert_eq!(reads(rules, "/api/"), ["all", "direction", "claim"]);
}

#[test]
fn a_rule_for_all_requests_reads_the_direction_and_the_user_agent() {
    assert_eq!(reads("{fault: {percentage: 100, delay_ms: 1}}", "/"), ["direction", "claim", "user-agent"]);
}

#[test]
fn a_rule_that_hits_nothing_reads_no_more() {
    assert_eq!(reads("{fault: {percentage: 0, delay_ms: 1}}", "/"), ["direction", "claim"]);
}

#[test]
fn the_caller_is_read_only_if_a_rule_asks_for_it() {
    let rule =
        "{match: {path: {prefix: /api/}, source: {namespace: shop}}, fault: {percentage: 100, delay_ms: 1}}";
    assert_eq!(reads(rule, "/other"), [":path"]);
    assert_eq!(
        reads(rule, "/api/"),
        [":path", "certificate", "principal", "direction", "claim", "user-agent"]
    );
}

const OUTBOUND: &str =
    "direction: outbound, rules: [{match: {path: {prefix: /api/}}, fault: {percentage: 100, delay_ms: 1}}]";

/// Outbound policy for this destination.
fn to(destination: &str) -> String {
    format!("destination: {destination}, {OUTBOUND}")
}

#[test]
fn the_route_is_read_only_if_a_rule_asks_for_the_callee() {
    let read = |spec: &str, path| read_by(checkout(), spec, path, Direction::Outbound);
    assert_eq!(read(OUTBOUND, "/api/"), [":path", "direction", "claim", "user-agent"]);
    assert_eq!(read(&to("{host: '*.example'}"), "/other"), [":path"]);
    assert_eq!(read(&to("{host: '*.example'}"), "/api/"), [":path", ":authority", "cluster"]);
    assert_eq!(read(&to("{service: payments}"), "/api/"), [":authority", "cluster"]);
    let cart = to("{service: cart, namespace: shop}");
    assert_eq!(read(&cart, "/api/"), [":authority", "cluster", ":path", "direction", "claim", "user-agent"]);
}

#[test]
fn a_field_that_policies_of_several_selectors_need_is_one_field() {
    let scope = Scope::new(["demo"], ["*"]).unwrap();
    let waypoint = Identity { scope, kind: ProxyKind::Waypoint, ..checkout() };
    let policy = |name: &str, selector: &str| {
        let rule = "{match: {path: {prefix: /api/}}, fault: {percentage: 100, delay_ms: 1}}";
        format!("metadata: {{name: {name}}}\nspec: {{selector: {selector}, rules: [{rule}]}}\n---\n")
    };
    let mut world = running(waypoint, &(policy("a", "{service: cart}") + &policy("b", "{namespace: demo}")));
    let calls = RefCell::default();
    let request = LazyRequest::new(Host { path: "/other", direction: Direction::Inbound, calls: &calls });
    world.injects_through("inbound-vip|80|http|cart.demo.svc.cluster.local", &request);
    assert_eq!(calls.take(), [":path"]);
}

#[test]
fn the_direction_of_a_listener_is_nothing_to_a_gateway() {
    let gateway = || Identity { kind: ProxyKind::Gateway, ..checkout() };
    for spec in [OUTBOUND, "rules: [{match: {path: {prefix: /api/}}, fault: {percentage: 100, delay_ms: 1}}]"]
    {
        assert_eq!(read_by(gateway(), spec, "/api/", Direction::Inbound), [":path", "claim", "user-agent"]);
    }
}

#[test]
fn a_request_that_takes_too_much_work_is_known_if_a_rule_could_be_for_it() {
    // 1,000 regexes on a path of 1,500 bytes.
    let path: &'static str = Box::leak(format!("/{}", "a".repeat(1_500)).into_boxed_str());
    let rules = "{match: {path: {regex: 'b$'}}, fault: {percentage: 100, delay_ms: 1}}, ".repeat(1_000);
    let policy = |direction: &str| format!("metadata: {{name: a}}\nspec: {{{direction}rules: [{rules}]}}");
    let is_undecided = |direction: &str, path| {
        let mut world = running(checkout(), &policy(direction));
        let calls = RefCell::default();
        let request = LazyRequest::new(Host { path, direction: Direction::Inbound, calls: &calls });
        assert!(!world.injects_through("", &request));
        request.is_undecided()
    };
    assert!(is_undecided("", path));
    assert!(!is_undecided("", "/a"));
    assert!(!is_undecided("direction: outbound, ", path));
}
