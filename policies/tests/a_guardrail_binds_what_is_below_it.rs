//! Guardrails: policies at and below their directory keep within them, whatever else they say.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::sync::Arc;

use policies::{Catalog, File, Timestamp, language::Guardrail, repository::Sources};

fn parsed(files: &[(&str, &str)]) -> Vec<(Arc<str>, File)> {
    files.iter().map(|(path, yaml)| (Arc::from(*path), File::read(yaml.as_bytes()))).collect()
}

fn catalog_above(files: &[(&str, &str)], above: &[(&str, &str)], server: Guardrail) -> Catalog {
    let (files, above) = (parsed(files), parsed(above));
    let pairs = |files: &'static [(Arc<str>, File)]| files.iter().map(|(path, file)| (path, file)).collect();
    // Leaked: a test is short, and the sources borrow.
    let sources =
        Sources { files: pairs(files.leak()), ancestors: pairs(above.leak()), server, ..Sources::default() };
    Catalog::new(&sources, |_, _| Some(Timestamp::from_millis(0).into()))
}

fn catalog(files: &[(&str, &str)]) -> Catalog {
    catalog_above(files, &[], Guardrail::default())
}

fn names(catalog: &Catalog) -> Vec<&str> {
    catalog.policies().iter().map(|placed| placed.entry.policy.name.as_str()).collect()
}

fn problems(catalog: &Catalog) -> Vec<String> {
    catalog.problems().iter().map(ToString::to_string).collect()
}

fn guardrail(spec: &str) -> String {
    format!("kind: Guardrail\nspec: {spec}\n")
}

fn policy(name: &str, spec: &str, fault: &str) -> String {
    format!("metadata: {{name: {name}}}\nspec: {{{spec}rules: [{{fault: {{{fault}}}}}]}}\n")
}

/// The breaches of the guardrail by the policy.
fn breaches(limits: &str, spec: &str, fault: &str) -> Vec<String> {
    let catalog = catalog(&[("guard.yaml", &guardrail(limits)), ("a.yaml", &policy("a", spec, fault))]);
    assert_eq!(names(&catalog).is_empty(), !catalog.problems().is_empty());
    catalog.problems().iter().map(|problem| problem.finding.to_string()).collect()
}

const HARMLESS: &str = "percentage: 5, abort: {httpStatus: 503}";

#[test]
fn each_limit_is_a_limit() {
    let demo = "selector: {service: checkout, namespace: demo}, ";
    let end = "a guardrail of guard.yaml demands it";
    for (limits, spec, fault, breach) in [
        (
            "{namespaces: [shop, 'team-*']}",
            demo,
            HARMLESS,
            "spec.selector.namespace: `demo` is not within `shop`, `team-*`",
        ),
        ("{namespaces: ['d*']}", "", HARMLESS, "spec.selector.namespace: `*` is not within `d*`"),
        ("{services: ['cart*']}", demo, HARMLESS, "spec.selector.service: `checkout` is not within `cart*`"),
        (
            "{services: ['api*'], namespaces: [demo]}",
            "selector: {host: api.partner.example, namespace: demo}, ",
            HARMLESS,
            "spec.selector.host: `api.partner.example` is not within `api*`",
        ),
        (
            "{namespaces: [demo]}",
            "selector: {host: api.partner.example}, ",
            HARMLESS,
            "spec.selector.namespace: `*` is not within `demo`",
        ),
        (
            "{allowWildcards: false, services: ['*']}",
            "selector: {host: '*.example', namespace: demo}, ",
            HARMLESS,
            "spec.selector.host: `*.example` has a `*`; name the one that is meant",
        ),
        (
            "{allowWildcards: false}",
            "selector: {service: 'c*', namespace: demo}, ",
            HARMLESS,
            "spec.selector.service: `c*` has a `*`; name the one that is meant",
        ),
        ("{maxPercentage: 4.9999}", demo, HARMLESS, "spec.rules[0].fault.percentage: 5 is above 4.9999"),
        (
            "{maxDelayMs: 99}",
            demo,
            "percentage: 5, start_delay_ms: 50, delay_ms: 50",
            "spec.rules[0].fault: holds a request for 100 ms, more than 99",
        ),
        (
            "{httpStatuses: [500, 502]}",
            demo,
            HARMLESS,
            "spec.rules[0].fault.abort.httpStatus: 503 is not one of `500`, `502`",
        ),
        (
            "{requireExpiry: true}",
            demo,
            HARMLESS,
            "spec.rules[0].fault: has no end; give it `duration_seconds`, or the policy `expiresAt`",
        ),
        (
            "{maxDurationSeconds: 60}",
            demo,
            "percentage: 5, duration_seconds: 61, delay_ms: 1",
            "spec.rules[0].fault: is in force for 61 seconds, more than 60",
        ),
        (
            "{maxDurationSeconds: 60}",
            "expiresAt: 2026-01-01T00:01:00Z, ",
            HARMLESS,
            "spec.rules[0].fault: is in force without a known end; give it `duration_seconds` of at most 60, or the policy `startsAt` and `expiresAt`",
        ),
    ] {
        assert_eq!(breaches(limits, spec, fault), [format!("{breach}: {end}")], "{limits}");
    }
}

#[test]
fn what_keeps_within_the_limits_is_in_force() {
    let all = "{namespaces: ['de*'], services: [checkout], allowWildcards: false, maxPercentage: 5, maxDelayMs: 100, httpStatuses: [503], requireExpiry: true, maxDurationSeconds: 60}";
    let demo = "selector: {service: checkout, namespace: demo}, ";
    assert!(
        breaches(all, demo, "percentage: 5, duration_seconds: 60, delay_ms: 100, abort: {httpStatus: 503}")
            .is_empty()
    );
    let window = "startsAt: 2026-01-01T00:00:00Z, expiresAt: 2026-01-01T00:01:00Z, ";
    assert!(breaches(all, &format!("{demo}{window}"), "percentage: 5, delay_ms: 100").is_empty());
    assert!(breaches("{requireExpiry: true}", "expiresAt: 2026-01-01T00:01:00Z, ", HARMLESS).is_empty());
}

#[test]
fn it_binds_its_directory_and_below_and_no_other() {
    let guard = guardrail("{maxPercentage: 1}");
    let policy = |name| policy(name, "", HARMLESS);
    let catalog = catalog(&[
        ("team/guard.yaml", &guard),
        ("team/a.yaml", &policy("a")),
        ("team/deep/b.yaml", &policy("b")),
        ("teams/c.yaml", &policy("c")),
        ("d.yaml", &policy("d")),
    ]);
    assert_eq!(names(&catalog), ["c", "d"]);
    assert_eq!(
        problems(&catalog)[0],
        "team/a.yaml:2:37: spec.rules[0].fault.percentage: 5 is above 1: a guardrail of team/guard.yaml demands it"
    );
}

#[test]
fn one_below_cannot_loosen_one_above() {
    let policy = policy("a", "", HARMLESS);
    let files = [("team/guard.yaml", &*guardrail("{maxPercentage: 50}")), ("team/a.yaml", &policy)];
    let above = [("guard.yaml", &*guardrail("{maxPercentage: 1}"))];
    assert_eq!(names(&catalog_above(&files, &[], Guardrail::default())), ["a"]);
    let bound = catalog_above(&files, &above, Guardrail::default());
    assert!(names(&bound).is_empty());
    assert!(
        problems(&bound)[0].ends_with("5 is above 1: a guardrail of guard.yaml demands it"),
        "{:?}",
        problems(&bound)
    );
}

#[test]
fn what_may_hold_a_guardrail_and_cannot_be_read_takes_what_is_below_it_out_of_force() {
    let files = |broken| {
        let policy = |name| policy(name, "", HARMLESS);
        catalog(&[("team/x.yaml", broken), ("team/deep/a.yaml", &policy("a")), ("b.yaml", &policy("b"))])
    };
    for broken in [
        "kind: Guardrail\nspec: {maxPercent: 1}\n",
        "kind: Guardrail\nspec: [",
        "spec: {maxPercentage: 5}\n",
        "Kind: Guardrail\nspec: {}\n",
        "apiVersion: hfi.dev/v2\nkind: Guardrails\nspec: {}\n",
        "kind: Guardrale\nspec: {}\n",
        "kind: Guardrail\n\0",
        "kind: Guardrail\nspec: {}\n---\nmetadata: {}\n",
    ] {
        let catalog = files(broken);
        assert_eq!(names(&catalog), ["b"], "{broken:?}");
        let told = "team/deep/a.yaml:1:1: is not in force: team/x.yaml is invalid and may hold a guardrail or a halt for it";
        assert!(problems(&catalog).contains(&told.to_owned()), "{:#?}", problems(&catalog));
    }
    assert_eq!(
        names(&files("metadata: {name: X}\nspec: {rules: []}\n")),
        ["a", "b"],
        "an invalid policy guards nothing"
    );
    assert_eq!(names(&files("a: [")), ["a", "b"], "nor does what does not speak of guardrails");
    let above = catalog_above(
        &[("a.yaml", &policy("a", "", HARMLESS))],
        &[("x.yaml", "kind: Guardrail\nspec: [")],
        Guardrail::default(),
    );
    assert!(names(&above).is_empty());
}

#[test]
fn the_server_can_demand_an_end_of_everything() {
    let server = Guardrail { require_expiry: true, ..Guardrail::default() };
    let endless = policy("a", "", HARMLESS);
    let catalog = catalog_above(
        &[
            ("a.yaml", &endless),
            ("b.yaml", &policy("b", "", "percentage: 1, duration_seconds: 5, delay_ms: 1")),
        ],
        &[],
        server,
    );
    assert_eq!(names(&catalog), ["b"]);
    assert!(problems(&catalog)[0].ends_with("the server demands it"));
}
