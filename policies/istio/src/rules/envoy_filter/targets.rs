//! What a patch changes, and which match fits that.

use super::patches;
use crate::{
    field::Field,
    rules::subject::{Out, Rule, Subject},
    text::regex_flaw,
};

pub(super) const RULES: &[Rule] = &[
    Rule::new("EF01", ef01),
    Rule::new("EF03", ef03),
    Rule::new("EF04", ef04),
    Rule::new("EF05", ef05),
    Rule::new("EF06", ef06),
    Rule::new("EF09", ef09),
];

const HCM: &str = "envoy.filters.network.http_connection_manager";

fn ef01(subject: &Subject, out: &mut Out) {
    let missing = |at: &Field, right: &str, out: &mut Out| out.error(at, "is missing", right);
    for patch in patches(subject) {
        if matches!(patch.word("applyTo"), "" | "INVALID") {
            missing(&patch.get("applyTo"), "name the object to change, such as `HTTP_FILTER`", out);
        }
        if !patch.has("patch") {
            missing(&patch.get("patch"), "write `operation` and `value`", out);
        } else if matches!(patch.get("patch").word("operation"), "" | "INVALID") {
            missing(&patch.get("patch").get("operation"), "write what to do, such as `MERGE`", out);
        }
    }
}

fn ef03(subject: &Subject, out: &mut Out) {
    for patch in patches(subject) {
        let at = patch.get("match").get("proxy").get("proxyVersion");
        let Some(regex) = at.text().filter(|regex| !regex.is_empty()) else { continue };
        if regex.chars().count() > 1024 {
            out.warning(&at, "has more than 1024 characters, and is ignored", "write a shorter one");
        } else if let Some(flaw) = regex_flaw(regex) {
            out.error(&at, flaw, "write a regex, such as `^1\\.3.*`");
        }
    }
}

/// The kind of match of what is changed.
fn kind_of_match(apply_to: &str) -> Option<&'static str> {
    match apply_to {
        "LISTENER" | "FILTER_CHAIN" | "NETWORK_FILTER" | "HTTP_FILTER" | "LISTENER_FILTER" => {
            Some("listener")
        }
        "ROUTE_CONFIGURATION" | "VIRTUAL_HOST" | "HTTP_ROUTE" => Some("routeConfiguration"),
        "CLUSTER" => Some("cluster"),
        _ => None,
    }
}

fn ef04(subject: &Subject, out: &mut Out) {
    for patch in patches(subject) {
        let Some(right) = kind_of_match(patch.word("applyTo")) else { continue };
        let wanted = patch.get("match");
        let given = wanted.present(&["listener", "routeConfiguration", "cluster"]);
        if let Some(other) = given.iter().find(|name| **name != right) {
            let reason = format!("fits nothing that {} changes", patch.word("applyTo"));
            out.error(&wanted.get(other), reason, format!("write `{right}`"));
        }
    }
}

/// The filter in the match of a patch.
fn filter<'a>(patch: &Field<'a>) -> Option<Field<'a>> {
    patch.get("match").get("listener").get("filterChain").get("filter").set()
}

fn ef05(subject: &Subject, out: &mut Out) {
    for patch in patches(subject) {
        let Some(filter) = filter(&patch) else { continue };
        if filter.get("name").is_empty() {
            out.error(&filter.get("name"), "is missing", format!("name the filter, such as `{HCM}`"));
        }
        let sub = filter.get("subFilter");
        if !sub.is_set() {
            continue;
        }
        if patch.word("applyTo") != "HTTP_FILTER" {
            out.error(
                &sub,
                format!("stands beside {}", patch.word("applyTo")),
                "only HTTP_FILTER looks for one",
            );
        } else if filter.word("name") != HCM {
            out.error(
                &sub,
                format!("is not inside of `{}`", filter.word("name")),
                format!("filters of HTTP are in `{HCM}`"),
            );
        }
        if sub.get("name").is_empty() {
            out.error(
                &sub.get("name"),
                "is missing",
                "name the filter of HTTP, such as `envoy.filters.http.router`",
            );
        }
    }
}

fn ef06(subject: &Subject, out: &mut Out) {
    for patch in patches(subject).filter(|patch| matches!(patch.word("applyTo"), "LISTENER" | "FILTER_CHAIN"))
    {
        if let Some(filter) = filter(&patch) {
            out.warning(
                &filter,
                format!("is ignored for {}", patch.word("applyTo")),
                "leave it out, or change NETWORK_FILTER",
            );
        }
    }
}

fn ef09(subject: &Subject, out: &mut Out) {
    for patch in patches(subject) {
        let wanted = patch.get("match");
        let waypoint = wanted.get("waypoint");
        match (wanted.word("context"), waypoint.is_set()) {
            ("WAYPOINT", false) => {
                out.error(&waypoint, "is missing beside the context WAYPOINT", "write `waypoint: {}`")
            }
            (context, true) if context != "WAYPOINT" => {
                out.error(&waypoint, "stands beside another context", "write `context: WAYPOINT`");
            }
            _ => {}
        }
        for holder in
            [waypoint, wanted.get("listener"), wanted.get("routeConfiguration"), wanted.get("cluster")]
        {
            let at = holder.get("portNumber");
            if let Some(port) = at.integer().filter(|port| !(1..=65535).contains(port)) {
                out.error(&at, format!("is {port}"), "a port is from 1 to 65535");
            }
        }
    }
}
