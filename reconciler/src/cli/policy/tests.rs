//! The listing of policies, as it is printed.

use policies::Timestamp;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::row::{Hold, table};
use crate::{
    api::status::Status,
    cli::{
        snapshots::{EIGHTY, PIPE, table_is_as_in},
        terminal::Terminal,
    },
};

const NOW: u64 = 1_000_000_000_000;

fn time(seconds: i64) -> String {
    let millis = i64::try_from(NOW).unwrap() + seconds * 1_000;
    Timestamp::from_millis(millis.try_into().unwrap()).to_rfc3339()
}

fn policy(name: &str, state: &str, changed: &Value) -> Value {
    let mut policy = json!({
        "endsAt": null, "file": "shop/a.yaml", "line": 3, "name": name, "noProxy": null, "startsAt": null,
        "state": state, "warnings": [], "fault_types": ["abort"], "rules_count": 1,
        "targets": {"selector": {"service": "checkout", "namespace": "shop"}, "direction": "inbound", "destination": null},
    });
    policy.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    policy
}

fn status(policies: &[Value], halted: bool) -> Status {
    let status = json!({
        "digest": "", "halted": halted, "kubernetes": null, "revision": "main@sha1:1", "withdrawn": null,
        "policies": policies,
    });
    serde_json::from_value(status).unwrap()
}

fn several() -> Vec<Value> {
    let outbound = json!({
        "selector": {"service": "frontend", "namespace": "shop"}, "direction": "outbound",
        "destination": {"host": "api.partner.example", "namespace": "*"},
    });
    vec![
        policy(&"n".repeat(63), "active", &json!({"noProxy": {"nearest": []}})),
        policy(
            "later",
            "scheduled",
            &json!({"startsAt": time(7_200), "endsAt": time(9_000), "targets": outbound}),
        ),
        policy(
            "over",
            "expired",
            &json!({"endsAt": time(-90), "fault_types": ["abort", "delay"], "rules_count": 2}),
        ),
    ]
}

fn rendered(policies: &[Value], halted: bool, wide: bool, terminal: Terminal) -> String {
    let status = status(policies, halted);
    table(&status.policies, Hold::of(&status), Timestamp::from_millis(NOW), wide).render(terminal)
}

#[test]
fn the_listing_is_as_it_was_at_every_size() {
    let status = status(&several(), false);
    let (hold, now) = (Hold::of(&status), Timestamp::from_millis(NOW));
    table_is_as_in("policy-list.txt", |wide| table(&status.policies, hold, now, wide));
}

#[test]
fn policies_with_usual_names_fit_into_80_columns() {
    let usual = [
        policy("checkout-errors", "active", &json!({"endsAt": time(1_500)})),
        policy("checkout-latency-for-testers", "suspended", &json!({"fault_types": ["delay"]})),
    ];
    assert_eq!(rendered(&usual, false, false, EIGHTY), rendered(&usual, false, false, PIPE));
}

#[test]
fn while_everything_is_halted_no_policy_is_active() {
    let text = rendered(&several(), true, false, PIPE);
    assert!(!text.contains("  active ") && text.contains("  halted "), "{text}");
    assert!(text.contains("  scheduled "), "{text}");
}

#[test]
fn a_thousand_policies_are_a_thousand_lines_in_the_same_columns() {
    let many: Vec<_> =
        (0..1_000).map(|at| policy(&format!("policy-{at}"), "active", &json!({"line": at}))).collect();
    let text = rendered(&many, false, false, EIGHTY);
    let starts: Vec<_> = text.lines().filter_map(|line| line.find("active").or(line.find("STATE"))).collect();
    assert_eq!((starts.len(), starts.iter().min()), (1_001, starts.iter().max()));
    assert!(text.lines().all(|line| line.width() <= 80));
}

#[test]
fn text_of_a_server_is_shown_and_not_obeyed() {
    let bad = [policy("a\u{1b}[2J", "active", &json!({"file": "x\n\u{202e}.yaml"}))];
    let text = rendered(&bad, false, true, PIPE);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("a\\u001b[2J") && text.contains("x\\u000a\\u202e.yaml"), "{text}");
}
