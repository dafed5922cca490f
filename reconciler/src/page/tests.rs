//! The page as a whole: its order, its size, and texts of others in every place.

use serde_json::{Value, json};

use super::{SCRIPT, STYLE, Stop, page, stop};
use crate::api::overview::Overview;

/// All that hfi sends for a page, in bytes.
const BUDGET: usize = 24 * 1024;

/// The overview that the tests of the API have, with something in every list.
fn overview() -> Value {
    let mut overview: Value = serde_json::from_str(include_str!("../api/tests/overview.json")).unwrap();
    let filter = overview["trouble"]["gone"]["items"][0].clone();
    let policy = overview["trouble"]["inactive"]["items"][0].clone();
    overview["trouble"]["lagging"] = json!({"items": [filter], "total": 14});
    overview["trouble"]["noFilter"] = json!({"items": [policy], "total": 1});
    overview["inForce"]["items"][0]["spark"] = (0..60).map(|second| f64::from(second) / 3.0).collect();
    overview
}

fn render(overview: &Value) -> String {
    let overview: Overview = serde_json::from_value(overview.clone()).unwrap();
    page(&overview, Stop::default())
}

/// Every text of an overview that comes from others.
fn replace_texts(value: &mut Value, text: &str) {
    match value {
        // Times and words that a reader of the JSON knows stay.
        Value::String(old) if old.contains(['-', ' ', '/', '.', '@']) && !old.starts_with("2026-") => {
            *old = text.to_owned()
        }
        Value::String(old) if ["alice", "shop", "checkout", "spec"].contains(&old.as_str()) => {
            *old = text.to_owned()
        }
        Value::Array(values) => values.iter_mut().for_each(|value| replace_texts(value, text)),
        Value::Object(fields) => fields.values_mut().for_each(|value| replace_texts(value, text)),
        _ => {}
    }
}

#[test]
fn everything_is_there_in_its_order_without_a_script() {
    let html = render(&overview());
    let mut rest = html.as_str();
    for text in [
        "Stop everything",
        "NOT SURE: 1 of 2 replicas does not answer",
        "connection refused",
        "HALTED by alice 12:03 UTC: payments are down",
        "MAY STILL INJECT: 14 filters have not confirmed",
        "INJECTING into 2 services: 14 faults/s",
        "hfi-control-plane-2",
        "In force",
        "checkout-errors",
        "checkout.shop",
        "12.5%-30%",
        "31%",
        "100",
        "14",
        "30.5%",
        "<polyline",
        "never",
        "alice",
        "4f1d4f1d",
        "Coming in 24 h",
        "checkout-slow",
        "in 50m",
        "and 1 more",
        "Trouble",
        "shop/broken.yaml",
        "is missing",
        "no namespace `old` is in the cluster",
        "sidecar~10.0.0.1~checkout-1.shop~shop.svc.cluster.local",
        "Recent",
        "19m ago",
        "into force:",
        "Apply checkout-errors",
    ] {
        let at =
            rest.find(text).unwrap_or_else(|| panic!("{text} is not there, or not in its place:\n{rest}"));
        rest = &rest[at + text.len()..];
    }
}

#[test]
fn with_nothing_to_tell_it_says_so_in_words() {
    let empty = json!({"at": "2026-11-28T12:10:00Z", "replicas": null, "revision": null, "sourceRead": null});
    let html = render(&empty);
    for words in
        ["No policy is in force.", "No policy comes into force.", "Nothing is wrong", "Nothing came or went"]
    {
        assert!(html.contains(words), "{words}");
    }
}

#[test]
fn it_fits_into_its_budget_with_something_in_every_list() {
    let (html, form) = (render(&overview()).len(), stop(Stop::default()).len());
    let all = html + STYLE.len() + SCRIPT.len();
    assert!(
        all <= BUDGET,
        "{all} bytes: {html} of HTML, {} of CSS, {} of JavaScript",
        STYLE.len(),
        SCRIPT.len()
    );
    assert!(form < html);
}

#[test]
fn texts_of_others_are_visible_and_never_markup() {
    let plain = render(&overview());
    let count = |html: &str, c| html.matches(c).count();
    for hostile in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</main></title><!--",
        "' onfocus='alert(1)",
        "\u{202e}evil\u{202c}",
        "]]>&lt;script&gt;",
        &"n".repeat(253),
    ] {
        let mut overview = overview();
        replace_texts(&mut overview, hostile);
        let html = render(&overview);
        assert_eq!(
            (count(&html, '<'), count(&html, '>'), count(&html, '"')),
            (count(&plain, '<'), count(&plain, '>'), count(&plain, '"')),
            "{hostile}"
        );
        assert!(!html.contains(['\u{202e}', '\u{202c}']));
        let shown = hostile
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;");
        let shown = shown.replace('\u{202e}', "\\u202e").replace('\u{202c}', "\\u202c");
        assert!(html.matches(shown.as_str()).count() > 20, "{hostile}: {html}");
    }
}

#[test]
fn the_form_keeps_the_reason_and_no_token() {
    let refused = Stop { refused: Some("the token is not valid"), reason: "a \"b\" <c>" };
    let html = stop(refused);
    assert!(html.contains("Nothing was stopped: <bdi>the token is not valid</bdi>."), "{html}");
    assert!(html.contains("value=\"a &quot;b&quot; &lt;c&gt;\""), "{html}");
    assert_eq!(html.matches("value=").count(), 1);
}

#[test]
fn nothing_comes_from_elsewhere() {
    for text in [&render(&overview()), STYLE, SCRIPT] {
        assert!(!text.contains("//") || !text.contains("http"), "{text}");
        assert!(
            !text.contains(" style=") && !text.contains("<script>") && !text.contains("javascript:"),
            "{text}"
        );
    }
}
