//! The first generation's language in full, its shorthands among it.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{File, Policy, language::Selector, rendering::json};
use serde_json::{Value, json};

fn policy(yaml: &str) -> Policy {
    let file = File::read(yaml.as_bytes());
    assert!(file.findings.is_empty(), "{:#?}", file.findings);
    Policy::clone(&file.policies()[0].policy)
}

#[test]
fn every_field_of_the_first_generation_is_read() {
    let policy = policy(
        r#"
apiVersion: hfi.dev/v1
kind: FaultPolicy
metadata: {name: all, version: "3", labels: {a: b}, annotations: {c: d}}
spec:
  selector: {service: checkout, namespace: demo}
  rules:
    - match:
        method: {exact: GET}
        path: {regex: "^/api/"}
        headers: [{name: X-User-Id, prefix: test-}]
      fault:
        percentage: 12.5
        start_delay_ms: 10
        duration_seconds: 300
        delay: {fixed_delay_ms: 500}
        abort: {httpStatus: 503, body: sorry}
"#,
    );
    assert_eq!(
        json::policy(&policy),
        json!({
            "metadata": {"name": "all"},
            "spec": {
                "selector": {"service": "checkout", "namespace": "demo"},
                "rules": [{
                    "match": {
                        "method": {"exact": "GET"},
                        "path": {"regex": "^/api/"},
                        "headers": [{"name": "x-user-id", "prefix": "test-"}],
                    },
                    "fault": {
                        "percentage": 12.5,
                        "start_delay_ms": 10,
                        "duration_seconds": 300,
                        "delay": {"fixed_delay_ms": 500},
                        "abort": {"httpStatus": 503, "body": "sorry"},
                    },
                }],
            },
        })
    );
}

#[test]
fn shorthands_and_camel_case_mean_the_long_forms() {
    let long = "metadata: {name: a}\nspec: {rules: [{match: {path: {prefix: /a}}, fault: {percentage: 5, start_delay_ms: 1, duration_seconds: 2, delay: {fixed_delay_ms: 3}}}]}";
    let short = "metadata: {name: a}\nspec: {rules: [{match: {path_prefix: /a}, fault: {percentage: 5.0, start_delay_ms: 1, duration_seconds: 2, delay_ms: 3}}]}";
    let camel = "metadata: {name: a}\nspec: {rules: [{match: {pathPrefix: /a}, fault: {percentage: 5, startDelayMs: 1, durationSeconds: 2, delay: {fixedDelayMs: 3}}}]}";
    assert_eq!(policy(short), policy(long));
    assert_eq!(policy(camel), policy(long));
}

#[test]
fn an_absent_or_empty_selector_selects_everything() {
    let rules = "rules: [{fault: {percentage: 5, delay_ms: 3}}]";
    let everything = policy(&format!("metadata: {{name: a}}\nspec: {{{rules}}}"));
    assert_eq!(everything.selector, Selector::any());
    for selector in ["{}", "null", "{service: ''}", "{service: '*', namespace: '*'}"] {
        assert_eq!(
            policy(&format!("metadata: {{name: a}}\nspec: {{selector: {selector}, {rules}}}")),
            everything,
            "{selector}"
        );
    }
}

#[test]
fn a_host_stands_in_the_place_of_a_service() {
    let with = |spec: &str| {
        let yaml = format!(
            "metadata: {{name: a}}\nspec: {{{spec}, rules: [{{fault: {{percentage: 5, delay_ms: 3}}}}]}}"
        );
        json::policy(&policy(&yaml))["spec"].clone()
    };
    let waypoint = with("selector: {host: API.Partner.example., namespace: demo}");
    assert_eq!(waypoint["selector"], json!({"host": "api.partner.example", "namespace": "demo"}));
    let callee = with("direction: outbound, destination: {host: '*.partner.example', service: null}");
    assert_eq!(callee["destination"], json!({"host": "*.partner.example"}));
    assert_eq!(with("direction: outbound, destination: {service: '*'}")["destination"], Value::Null);
}

#[test]
fn a_word_that_other_parsers_take_for_a_boolean_stays_a_word() {
    let policy = policy(
        "metadata: {name: a}\nspec: {rules: [{match: {headers: [{name: x, exact: no}]}, fault: {percentage: 5, delay_ms: 3}}]}",
    );
    assert_eq!(json::policy(&policy)["spec"]["rules"][0]["match"]["headers"][0]["exact"], "no");
}

#[test]
fn a_file_may_hold_several_documents_and_directives() {
    let one = |name: &str| {
        format!("metadata: {{name: {name}}}\nspec: {{rules: [{{fault: {{percentage: 5, delay_ms: 3}}}}]}}\n")
    };
    let file = File::read(
        format!("%YAML 1.2\n---\n{}--- # two\n{}---\n# nothing\n---\n{}", one("a"), one("b"), one("c"))
            .as_bytes(),
    );
    assert!(file.findings.is_empty(), "{:#?}", file.findings);
    let names: Vec<_> =
        file.policies().iter().map(|declared| (declared.policy.name.as_str(), declared.place.line)).collect();
    assert_eq!(names, [("a", 3), ("b", 6), ("c", 11)]);
}

#[test]
fn a_document_ends_where_yaml_says() {
    let one = |name: &str| {
        format!("metadata: {{name: {name}}}\nspec: {{rules: [{{fault: {{percentage: 5, delay_ms: 3}}}}]}}\n")
    };
    let quoted = "metadata: {name: q}\nspec: {rules: [{fault: {percentage: 5, abort: {httpStatus: 503, body: \"a\n% b\"}}}]}\n";
    for (yaml, names) in [
        (format!("{}...\n%YAML 1.2\n---\n{}", one("a"), one("b")), vec!["a", "b"]),
        (format!("{}...\n{}", one("a"), one("b")), vec!["a", "b"]),
        (format!("{quoted}---\n{}", one("b")), vec!["q", "b"]),
        (format!("\u{feff}{}---\r\n{}", one("a").replace('\n', "\r\n"), one("b")), vec!["a", "b"]),
    ] {
        let file = File::read(yaml.as_bytes());
        assert!(file.findings.is_empty(), "{yaml}\n{:#?}", file.findings);
        assert_eq!(
            file.policies().iter().map(|declared| declared.policy.name.as_str()).collect::<Vec<_>>(),
            names
        );
    }
}
