//! Legal but odd policies get a warning, and are in force all the same.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{
    Catalog, File, Timestamp,
    repository::{Sources, lint},
};

fn warnings(yaml: &str) -> Vec<String> {
    let file = File::read(yaml.as_bytes());
    assert!(file.findings.is_empty(), "{:#?}", file.findings);
    let catalog =
        Catalog::new(&Sources { files: vec![(&"a.yaml".into(), &file)], ..Sources::default() }, |_, _| None);
    assert_eq!(catalog.policies().len(), file.policies().len());
    let now = Timestamp::parse("2026-06-01T00:00:00Z").unwrap();
    lint::warnings(&catalog, now).iter().map(|warning| warning.finding.to_string()).collect()
}

fn policy(name: &str, spec: &str, rules: &str) -> String {
    format!("metadata: {{name: {name}}}\nspec: {{{spec}rules: [{rules}]}}\n---\n")
}

const ABORT: &str = "fault: {percentage: 5, abort: {httpStatus: 503}}";

#[test]
fn a_share_of_nothing_and_a_time_that_is_over_are_told() {
    assert_eq!(
        warnings(&policy("a", "", "{fault: {percentage: 0, delay_ms: 1}}")),
        [
            "spec.rules[0].fault.percentage: faults nothing, and rules behind it see nothing of what it matches; use `suspend: true` to switch the policy off"
        ]
    );
    assert_eq!(
        warnings(&policy("a", "expiresAt: 2026-05-01T00:00:00Z, ", &format!("{{{ABORT}}}"))),
        ["spec.expiresAt: is over since 2026-05-01T00:00:00Z; delete the policy"]
    );
    assert!(warnings(&policy("a", "expiresAt: 2026-07-01T00:00:00Z, ", &format!("{{{ABORT}}}"))).is_empty());
}

#[test]
fn a_name_of_hfi_itself_is_told() {
    for name in ["hfi-halt", "status", "create"] {
        assert_eq!(
            warnings(&policy(name, "", &format!("{{{ABORT}}}"))),
            [format!(
                "metadata.name: `{name}` is a name of hfi itself, so this policy can be changed in Git only, and not over HTTP; choose another"
            )]
        );
    }
    assert!(warnings(&policy("statuses", "", &format!("{{{ABORT}}}"))).is_empty());
}

#[test]
fn a_regex_that_a_plainer_matcher_would_do_for_is_told() {
    for (regex, plainer) in [
        ("^/api", Some("prefix: /api")),
        ("^/api$", Some("exact: /api")),
        ("/api", None),
        ("^/a.i", None),
        ("^/api[0-9]", None),
    ] {
        let rule = format!("{{match: {{path: {{regex: '{regex}'}}}}, {ABORT}}}");
        let wanted = plainer.map(|plainer| {
            format!(
                "spec.rules[0].match.path: regex `{regex}` says no more than `{plainer}`, which costs less"
            )
        });
        assert_eq!(warnings(&policy("a", "", &rule)), wanted.into_iter().collect::<Vec<_>>(), "{regex}");
    }
}

#[test]
fn a_rule_that_an_earlier_one_shadows_is_told() {
    let matching = |matches: &str| {
        if matches.is_empty() { format!("{{{ABORT}}}") } else { format!("{{match: {{{matches}}}, {ABORT}}}") }
    };
    for (earlier, later, shadowed) in [
        ("", "path: {exact: /a}", true),
        ("path: {prefix: /a}", "path: {exact: /a/b}, method: {exact: GET}", true),
        ("path: {prefix: /a}", "path: {regex: '^/a/[0-9]'}", true),
        ("headers: [{name: x, present: true}]", "headers: [{name: X, exact: a}]", true),
        ("path: {prefix: /a/b}", "path: {prefix: /a}", false),
        ("method: {exact: GET}", "path: {exact: /a}", false),
        ("path: {prefix: /a}", "path: {not: {exact: /a}}", false),
        ("headers: [{name: x, exact: a}]", "headers: [{name: y, exact: a}]", false),
    ] {
        let found = warnings(&policy("a", "", &format!("{}, {}", matching(earlier), matching(later))));
        let told = "spec.rules[1]: never decides: rule 0 of `a` matches all that it matches, and comes first";
        assert_eq!(found, if shadowed { vec![told] } else { vec![] }, "{earlier} / {later}");
    }
}

#[test]
fn only_what_is_in_force_for_as_long_and_for_as_many_shadows() {
    let rule = format!("{{{ABORT}}}");
    let pair = |earlier: &str, later: &str| {
        warnings(&(policy("a", earlier, &rule) + &policy("b", later, &rule))).len()
    };
    assert_eq!(pair("", ""), 1);
    assert_eq!(pair("", "selector: {service: checkout}, "), 1);
    assert_eq!(pair("selector: {service: checkout}, ", ""), 0);
    assert_eq!(pair("suspend: true, ", ""), 0);
    assert_eq!(pair("expiresAt: 2026-07-01T00:00:00Z, ", ""), 0);
    assert_eq!(pair("startsAt: 2026-07-01T00:00:00Z, ", ""), 0);
    assert_eq!(pair("direction: outbound, ", ""), 0);
    assert_eq!(pair("", "priority: 1, "), 1, "then it is `a` that never decides");
}

/// The warnings about the condition of a rule, without the field.
fn about(condition: &str) -> Vec<String> {
    let found = warnings(&policy("a", "", &format!("{{match: {{{condition}}}, {ABORT}}}")));
    found.iter().map(|warning| warning.split_once(": ").unwrap().1.to_owned()).collect()
}

#[test]
fn a_path_that_no_request_has_is_told() {
    for (path, why) in [
        ("{prefix: pay}", "each begins with `/`"),
        ("{prefix: “/pay”}", "each begins with `/`"),
        ("{exact: '/pay?x=1'}", "match `query`"),
        ("{prefix: '/pay?x='}", "match `query`"),
        ("{prefix: 'https://shop.example/pay'}", "match the header `host`"),
        ("{exact: '/with space'}", "percent-encoded"),
        ("{exact: /straße}", "percent-encoded"),
        ("{exact: '/a#b'}", "a client sends nothing from `#` on"),
        ("{not: {exact: pay}}", "each begins with `/`"),
    ] {
        let found = about(&format!("path: {path}"));
        assert!(found.len() == 1 && found[0].contains(why), "{path}: {found:?}");
    }
    let found = about("path: {regex: '^pay[0-9]'}");
    assert!(found.len() == 1 && found[0].ends_with("each begins with `/`"), "{found:?}");
    for path in [
        "{prefix: /}",
        "{prefix: ''}",
        "{exact: '*'}",
        "{regex: pay}",
        "{exact: /a%20b}",
        "{exact: /~a;b=c}",
        "{prefix: '/fetch/https://'}",
    ] {
        assert_eq!(about(&format!("path: {path}")), [""; 0], "{path}");
    }
}

#[test]
fn a_method_that_no_request_has_is_told() {
    for (method, why) in [
        ("{exact: get}", "such as `GET`"),
        ("{prefix: p}", "such as `GET`"),
        ("{exact: GET|POST}", "`regex: ^(GET|POST)$`"),
        ("{exact: 'GET '}", "fits no method"),
    ] {
        let found = about(&format!("method: {method}"));
        assert!(found.len() == 1 && found[0].ends_with(why), "{method}: {found:?}");
    }
    for method in ["{exact: GET}", "{exact: M-SEARCH}", "{regex: '^(GET|POST)$'}"] {
        assert_eq!(about(&format!("method: {method}")), [""; 0], "{method}");
    }
}

#[test]
fn a_header_value_that_no_request_has_is_told() {
    for value in ["exact: 'a '", "exact: ' a'", "prefix: ' a'", "exact: \"a\\n\""] {
        let found = about(&format!("headers: [{{name: x, {value}}}]"));
        assert!(found.len() == 1 && found[0].contains("fits no value"), "{value}: {found:?}");
    }
    for value in ["exact: a b", "prefix: 'a '", "exact: ''", "exact: ä"] {
        assert_eq!(about(&format!("headers: [{{name: x, {value}}}]")), [""; 0], "{value}");
    }
}

#[test]
fn a_name_that_no_workload_has_is_told() {
    let about = |spec: &str| warnings(&policy("a", &format!("{spec}, "), &format!("{{{ABORT}}}")));
    for (spec, why) in [
        (
            "selector: {service: checkout, namespace: shop.svc}",
            "spec.selector.namespace: `shop.svc` fits no namespace: their names hold no dots; write `shop`",
        ),
        (
            "direction: outbound, destination: {namespace: 'shop.*'}",
            "spec.destination.namespace: `shop.*` fits no namespace: their names hold no dots; write `shop`",
        ),
    ] {
        assert_eq!(about(spec), [why], "{spec}");
    }
    assert_eq!(about("selector: {service: 'checkout.v1', namespace: 'team-*'}"), [""; 0]);
    let source = format!("{{match: {{source: {{namespace: shop.svc}}}}, {ABORT}}}");
    assert_eq!(
        warnings(&policy("a", "", &source)),
        [
            "spec.rules[0].match.source.namespace: `shop.svc` fits no namespace: their names hold no dots; write `shop`"
        ]
    );
}

#[test]
fn a_regex_that_fits_no_such_value_is_told() {
    for (condition, why) in [
        ("path: {regex: '^(pay|cart)/'}", "each begins with `/`"),
        ("path: {regex: '(?i)^pay'}", "each begins with `/`"),
        ("path: {regex: 'pay\\?id='}", "holds no `?`"),
        ("path: {regex: '^$'}", "each begins with `/`"),
        ("path: {not: {regex: 'a b'}}", "no blank"),
        ("method: {regex: '^(get|post)$'}", "in upper case"),
        ("method: {regex: 'GET POST'}", "in upper case"),
        ("headers: [{name: x, regex: 'a^b'}]", "fits nothing at all"),
        ("query: [{name: x, regex: '$a'}]", "fits nothing at all"),
    ] {
        let found = about(condition);
        assert!(
            found.len() == 1 && found[0].starts_with("regex `") && found[0].contains(why),
            "{condition}: {found:?}"
        );
    }
    for condition in [
        "path: {regex: '(pay|cart)'}",
        "path: {regex: '^(/pay|cart)'}",
        "path: {regex: '^([*])$'}",
        "path: {regex: '%20|ä'}",
        "method: {regex: '(?i)^get$'}",
        "headers: [{name: x, regex: '^$'}]",
    ] {
        assert_eq!(about(condition), [""; 0], "{condition}");
    }
}

#[test]
fn conditions_that_no_request_meets_together_are_told() {
    let cannot =
        |one: &str, other: &str| format!("is never met: header x cannot fit both `{one}` and `{other}`");
    for (one, other) in [
        ("exact: a", "exact: b"),
        ("exact: a", "prefix: ab"),
        ("prefix: a", "prefix: b"),
        ("prefix: ab", "exact: a"),
        ("regex: '^ab[0-9]'", "prefix: b"),
        ("exact: a", "regex: '^[0-9]+$'"),
        ("exact: a", "present: false"),
        ("present: false", "present: true"),
        ("prefix: a", "not: {prefix: a}"),
        ("not: {present: false}", "present: false"),
    ] {
        let found = about(&format!("headers: [{{name: x, {one}}}, {{name: X, {other}}}]"));
        assert_eq!(found, [cannot(one, other).replace('\'', "")], "{one} and {other}");
    }
    for (one, other) in [
        ("prefix: a", "prefix: ab"),
        ("prefix: a", "exact: ab"),
        ("regex: a", "exact: ba"),
        ("exact: a", "not: {exact: b}"),
        ("not: {exact: a}", "not: {exact: b}"),
        ("not: {exact: a}", "present: false"),
    ] {
        let found = about(&format!("headers: [{{name: x, {one}}}, {{name: x, {other}}}]"));
        assert_eq!(found, [""; 0], "{one} and {other}");
    }
    let two = |one: &str, other: &str| about(&format!("query: [{{name: x, {one}}}, {{name: x, {other}}}]"));
    assert_eq!(two("exact: a", "exact: b"), [""; 0], "a parameter may be repeated");
    assert_eq!(two("exact: a", "not: {exact: a}").len(), 1);
    assert_eq!(about("headers: [{name: x, exact: a}, {name: y, exact: b}]"), [""; 0]);
}

#[test]
fn a_grpc_fault_for_what_is_no_grpc_call_is_told() {
    let about = |condition: &str, fault: &str| {
        warnings(&policy("a", "", &format!("{{match: {{{condition}}}, fault: {{percentage: 5, {fault}}}}}")))
            .len()
    };
    let (grpc, http) = ("abort: {grpcStatus: UNAVAILABLE}", "abort: {httpStatus: 503}");
    for condition in [
        "method: {exact: GET}",
        "method: {not: {exact: POST}}",
        "headers: [{name: Content-Type, exact: application/json}]",
        "headers: [{name: content-type, prefix: text/}]",
        "headers: [{name: content-type, present: false}]",
    ] {
        assert_eq!((about(condition, grpc), about(condition, http)), (1, 0), "{condition}");
    }
    for condition in [
        "method: {exact: POST}",
        "headers: [{name: content-type, prefix: application/}]",
        "headers: [{name: content-type, exact: application/grpc+proto}]",
        "headers: [{name: accept, exact: application/json}]",
    ] {
        assert_eq!(about(condition, grpc), 0, "{condition}");
    }
}

#[test]
fn a_caller_of_what_a_workload_calls_itself_is_told() {
    let rule = format!("{{match: {{source: {{serviceAccount: web}}}}, {ABORT}}}");
    assert_eq!(
        warnings(&policy("a", "direction: outbound, ", &rule)),
        [
            "spec.rules[0].match.source: is met only at a gateway: in a sidecar its own application makes the request; name that in `selector`"
        ]
    );
    assert!(warnings(&policy("a", "", &rule)).is_empty());
}
