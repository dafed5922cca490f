//! What a request is asked for costs a call into the host each: nothing is asked that no rule asks.

use std::{cell::RefCell, time::Duration};

use filter::{
    clock::Instant,
    request::{
        header_map::map,
        view::{Request, Source},
    },
};
use policies::{Timestamp, language::Direction};

use crate::world::{Data, World, good, snapshot_of};

/// A host that remembers what it was asked.
struct Host<'h> {
    path: &'static str,
    asked: &'h RefCell<Vec<String>>,
}

impl Source for Host<'_> {
    fn now(&self) -> Timestamp {
        self.asked.borrow_mut().push("now".into());
        Timestamp::from_millis(1)
    }

    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.asked.borrow_mut().push(name.into());
        (name == ":path").then(|| self.path.into())
    }

    fn headers(&self) -> Option<Vec<u8>> {
        self.asked.borrow_mut().push("all".into());
        Some(map(&[(":path", self.path), (":method", "GET")]))
    }

    fn direction(&self) -> Option<Direction> {
        self.asked.borrow_mut().push("direction".into());
        Some(Direction::Inbound)
    }

    fn peer(&self) -> Option<Vec<u8>> {
        self.asked.borrow_mut().push("peer".into());
        None
    }
}

/// What a request for `path` is asked for when these are the rules of `checkout`.
fn asked(rules: &str, path: &'static str) -> Vec<String> {
    let mut world = World::joining(&Data::default(), "", 7, Instant::from_origin(Duration::from_secs(1)));
    world.until_poll();
    let yaml = format!("metadata: {{name: a}}\nspec: {{selector: {{service: checkout}}, rules: [{rules}]}}");
    world.answer(good(snapshot_of(&yaml)));
    let asked = RefCell::default();
    world.injects_through("", &Request::new(Host { path, asked: &asked }));
    asked.into_inner()
}

#[test]
fn a_request_that_no_path_leads_to_is_asked_for_its_path_alone() {
    let rule = "{match: {path: {prefix: /api/}, method: {exact: GET}, headers: [{name: x-a, exact: b}]}, fault: {percentage: 100, delay_ms: 1}}";
    assert_eq!(asked(rule, "/other"), [":path"]);
}

#[test]
fn a_request_that_more_is_needed_of_is_asked_for_its_head_at_once() {
    let rules = "{match: {path: {prefix: /api/}}, fault: {percentage: 100, delay_ms: 1}}, {match: {headers: [{name: x-a, exact: b}]}, fault: {percentage: 100, delay_ms: 1}}";
    assert_eq!(asked(rules, "/other"), ["all"]);
    assert_eq!(asked(rules, "/api/"), ["all", "direction"]);
}

#[test]
fn a_rule_for_all_requests_asks_which_way_this_one_goes_and_whether_it_is_a_probe() {
    assert_eq!(asked("{fault: {percentage: 100, delay_ms: 1}}", "/"), ["direction", "user-agent"]);
}

#[test]
fn a_rule_whose_dice_cannot_fall_asks_for_no_more() {
    assert_eq!(asked("{fault: {percentage: 0, delay_ms: 1}}", "/"), ["direction"]);
}
