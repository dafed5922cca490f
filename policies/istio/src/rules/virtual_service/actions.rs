//! The action of a route, and its destinations.

use crate::{
    field::Field,
    rules::{
        routes,
        subject::{Out, Rule, Subject},
    },
    text::istio_label,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("VS08", vs08),
    Rule::new("VS09", vs09),
    Rule::new("VS10", vs10),
    Rule::new("VS11", vs11),
    Rule::new("VS12", vs12),
    Rule::new("VS13", vs13),
    Rule::new("VS14", vs14),
    Rule::new("VS15", vs15),
];

fn vs08(subject: &Subject, out: &mut Out) {
    for route in routes::http(subject) {
        let actions: Vec<_> = ["route", "redirect", "directResponse"]
            .into_iter()
            .filter(|name| is_given(&route, name))
            .collect();
        match &*actions {
            [_] => {}
            [] if route.has("delegate") => {}
            [] => out.error(&route, "leads nowhere", "write `route`, `redirect` or `directResponse`"),
            several => out.error(&route, format!("has `{}`", several.join("` and `")), "keep one of them"),
        }
    }
}

/// An empty list of routes is none; an empty redirect is one.
fn is_given(route: &Field, name: &str) -> bool {
    if name == "route" { !route.get(name).is_empty() } else { route.has(name) }
}

/// An error for a field beside a redirect or a direct response.
fn beside_an_answer(subject: &Subject, name: &str, out: &mut Out) {
    for route in routes::http(subject).filter(|route| route.has(name)) {
        if let Some(answer) = route.present(&["redirect", "directResponse"]).first() {
            out.error(
                &route.get(name),
                format!("stands beside `{answer}`, and never happens"),
                "keep one of them",
            );
        }
    }
}

fn vs09(subject: &Subject, out: &mut Out) {
    beside_an_answer(subject, "fault", out);
}

fn vs10(subject: &Subject, out: &mut Out) {
    beside_an_answer(subject, "rewrite", out);
}

fn vs11(subject: &Subject, out: &mut Out) {
    for route in routes::http(subject) {
        if route.has("mirror") && !route.get("mirrors").is_empty() {
            out.error(&route.get("mirror"), "stands beside `mirrors`", "write all of them under `mirrors`");
        }
    }
}

fn vs12(subject: &Subject, out: &mut Out) {
    for route in routes::http(subject).filter(|route| route.has("delegate")) {
        for name in ["route", "redirect", "directResponse"] {
            if is_given(&route, name) {
                out.error(
                    &route.get(name),
                    "stands beside `delegate`",
                    "the delegate says where requests go",
                );
            }
        }
    }
}

fn vs13(subject: &Subject, out: &mut Out) {
    let missing =
        |at: &Field, out: &mut Out| out.error(at, "is missing", "write `host`, and `port` if it has several");
    for route in routes::all(subject) {
        for target in route.get("route").items().filter(|target| !target.has("destination")) {
            missing(&target.get("destination"), out);
        }
    }
    for destination in routes::destinations(subject).iter().filter(|destination| destination.is_set()) {
        let host = destination.get("host");
        match host.text() {
            None | Some("") => out.error(&host, "is missing", "name the service"),
            Some(name) if name.contains('*') => {
                out.error(&host, format!("is `{name}`"), "a destination is one host")
            }
            Some(_) => {}
        }
        let subset = destination.word("subset");
        if !(subset.is_empty() || istio_label(subset)) {
            out.error(
                &destination.get("subset"),
                format!("`{subset}` is not a label of DNS"),
                "write the name of a subset, such as `v1`",
            );
        }
        if destination.has("port") && destination.get("port").integer_of("number").is_none() {
            out.error(&destination.get("port").get("number"), "is missing", "write the number of the port");
        }
    }
}

fn vs14(subject: &Subject, out: &mut Out) {
    for target in routes::all(subject).flat_map(|route| route.get("route").items()) {
        if let Some(weight) = target.integer_of("weight").filter(|&weight| weight < 0) {
            out.error(&target.get("weight"), format!("is {weight}"), "a weight is 0 or more");
        }
    }
}

fn vs15(subject: &Subject, out: &mut Out) {
    for route in routes::all(subject) {
        let targets = route.get("route");
        let mut weights = targets.items().map(|target| target.integer_of("weight").unwrap_or_default());
        // Negative ones have an error of their own.
        if targets.len() > 1 && weights.all(|weight| weight == 0) {
            out.error(
                &targets,
                "has several destinations with no weight, so requests go to none",
                "give them weights",
            );
        }
    }
}
