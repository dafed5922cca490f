//! Every attribute of a request costs a call into the host, so only those that a rule needs are read.

use std::{cell::RefCell, time::Duration};

use filter::{
    clock::Instant,
    request::{
        header_map,
        lazy_request::{LazyRequest, RequestSource},
    },
};
use policies::{Timestamp, language::Direction};

use crate::world::{Data, World, good, snapshot_of};

/// Host that records the calls.
struct Host<'h> {
    path: &'static str,
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
        Some(Direction::Inbound)
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

/// Attributes that a request for `path` reads when these are the rules of `checkout`.
fn reads(rules: &str, path: &'static str) -> Vec<String> {
    let mut world = World::joining(&Data::default(), "", 7, Instant::from_origin(Duration::from_secs(1)));
    world.until_poll();
    let yaml = format!("metadata: {{name: a}}\nspec: {{selector: {{service: checkout}}, rules: [{rules}]}}");
    world.answer(good(snapshot_of(&yaml)));
    let calls = RefCell::default();
    world.injects_through("", &LazyRequest::new(Host { path, calls: &calls }));
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
    assert_eq!(reads(rules, "/api/"), ["all", "direction"]);
}

#[test]
fn a_rule_for_all_requests_reads_the_direction_and_the_user_agent() {
    assert_eq!(reads("{fault: {percentage: 100, delay_ms: 1}}", "/"), ["direction", "user-agent"]);
}

#[test]
fn a_rule_that_hits_nothing_reads_no_more() {
    assert_eq!(reads("{fault: {percentage: 0, delay_ms: 1}}", "/"), ["direction"]);
}

#[test]
fn the_caller_is_read_only_if_a_rule_asks_for_it() {
    let rule =
        "{match: {path: {prefix: /api/}, source: {namespace: shop}}, fault: {percentage: 100, delay_ms: 1}}";
    assert_eq!(reads(rule, "/other"), [":path"]);
    assert_eq!(reads(rule, "/api/"), [":path", "certificate", "principal", "direction", "user-agent"]);
}
