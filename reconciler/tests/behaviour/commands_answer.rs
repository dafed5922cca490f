//! The commands that read policies: what they print, and what they exit with.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{hfi, policy};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, content) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

const BAD: &str = "metadata: {name: b}\nspec:\n  rules:\n    - fault: {percntage: 5, delay_ms: 1}\n";

#[test]
fn validate_shows_the_line_and_what_would_be_right() {
    let folder = folder(&[("p/a.yaml", &policy("a", "checkout", 503)), ("p/team/b.yaml", BAD)]);
    let (code, text) = hfi(folder.path(), &["validate", "p"]);
    assert_eq!(code, 1);
    assert!(text.contains("did you mean `percentage`?\n --> p/team/b.yaml:4:15"), "{text}");
    assert!(text.contains("    - fault: {percntage: 5, delay_ms: 1}"), "{text}");
    assert!(text.ends_with("1 policy is valid; 2 errors, 0 warnings\n"), "{text}");
}

#[test]
fn validate_speaks_json_and_github() {
    let folder = folder(&[("a.yaml", &policy("a", "checkout", 503)), ("b.yaml", BAD)]);
    let (code, text) = hfi(folder.path(), &["validate", "-o", "json", "b.yaml", "a.yaml"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, report["errors"].as_array().unwrap().len()), (1, 2));
    let error = &report["errors"][1];
    assert_eq!((&error["file"], &error["line"], &error["column"]), (&"b.yaml".into(), &4.into(), &15.into()));
    assert_eq!(error["field"], "spec.rules[0].fault.percntage");
    assert_eq!(report["warnings"], Value::Array(Vec::new()));
    let (_, text) = hfi(folder.path(), &["validate", "-o", "github", "b.yaml"]);
    assert!(text.starts_with("::error file=b.yaml,line=4,col="), "{text}");
}

#[test]
fn validate_ends_with_0_when_all_is_right_and_with_2_when_there_is_nothing_to_read() {
    let folder = folder(&[("a.yaml", &policy("a", "checkout", 503))]);
    assert_eq!(hfi(folder.path(), &["validate", "."]).0, 0);
    assert_eq!(hfi(folder.path(), &["validate", "--require-expiry", "."]).0, 1);
    assert_eq!(hfi(folder.path(), &["validate", "nowhere"]).0, 2);
    assert_eq!(hfi(folder.path(), &["validate"]).0, 2);
}

#[test]
fn what_is_validated_together_is_one_repository_bound_by_the_guardrails_above() {
    let folder = folder(&[
        (".git/HEAD", ""),
        ("guardrail.yaml", "kind: Guardrail\nspec: {httpStatuses: [500]}\n"),
        ("p/a.yaml", &policy("a", "checkout", 503)),
        ("p/b.yaml", &policy("b", "checkout", 500)),
        ("q/b.yaml", &policy("b", "checkout", 500)),
    ]);
    let (code, text) = hfi(folder.path(), &["validate", "p/a.yaml"]);
    assert!(code == 1 && text.contains("guardrail.yaml demands it"), "{text}");
    let (code, text) = hfi(folder.path(), &["validate", "p/b.yaml", "q", "p/b.yaml"]);
    assert!(code == 1 && text.contains("`b` is also the name of"), "{text}");
    assert_eq!(hfi(folder.path(), &["validate", "p/b.yaml", "p/b.yaml"]).0, 0);
}

#[test]
fn explain_says_which_rule_decides_and_why_each_other_does_not() {
    let rules = "metadata: {name: two}\nspec: {rules: [{match: {path: {prefix: /api}}, fault: {percentage: 10, abort: {httpStatus: 503}}}, {fault: {percentage: 1, delay_ms: 5}}]}";
    let folder = folder(&[
        ("two.yaml", rules),
        ("cart.yaml", &policy("cart", "cart", 503)),
        ("off.yaml", &policy("off", "checkout", 503).replace("spec: {", "spec: {suspend: true, ")),
    ]);
    let ask = |more: &[&str]| {
        let base = ["explain", "--dir", ".", "--namespace", "demo", "--service", "checkout", "-o", "json"];
        let (code, text) = hfi(folder.path(), &[&base, more].concat());
        assert_eq!(code, 0);
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let reason = |answer: &Value, policy: &str| {
        let rules = answer["rules"].as_array().unwrap().iter();
        rules
            .filter(|rule| rule["policy"] == policy)
            .map(|rule| rule["reason"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let api = ask(&["--path", "/api/a?x=1"]);
    assert_eq!(api["decides"], serde_json::json!({"policy": "two", "rule": 0}));
    assert_eq!(reason(&api, "two"), ["10 %, abort with 503", "matches too, but comes later"]);
    assert_eq!(reason(&api, "cart"), ["selects cart in demo"]);
    assert_eq!(reason(&api, "off"), ["is suspended"]);
    let other = ask(&["--path", "/"]);
    assert_eq!(other["decides"]["rule"], 1);
    assert_eq!(reason(&other, "two"), ["the path does not match", "1 %, delay 5 ms"]);
    let outbound = ask(&["--direction", "outbound"]);
    assert_eq!(
        (&outbound["decides"], reason(&outbound, "two")),
        (&Value::Null, vec!["is for inbound requests".to_owned()])
    );
}

#[test]
fn explain_knows_the_route_the_gateway_and_the_host_of_a_service_entry() {
    let rules = "rules: [{fault: {percentage: 100, abort: {httpStatus: 503}}}]";
    let one = |name: &str, spec: &str| format!("metadata: {{name: {name}}}\nspec: {{{spec}, {rules}}}\n");
    let folder = folder(&[
        ("in.yaml", &one("z-in", "selector: {service: edge}, direction: inbound")),
        (
            "out.yaml",
            &one("a-out", "selector: {service: edge}, direction: outbound, destination: {service: orders}"),
        ),
        ("partner.yaml", &one("partner", "selector: {host: '*.partner.example', namespace: demo}")),
    ]);
    let decides = |more: &[&str]| {
        let base = ["explain", "--dir", ".", "--namespace", "demo", "-o", "json"];
        let (code, text) = hfi(folder.path(), &[&base, more].concat());
        assert_eq!(code, 0, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["decides"]["policy"].clone()
    };
    let edge = ["--service", "edge", "--authority", "shop.example.com"];
    let route = ["--cluster", "outbound|80||orders.shop.svc.cluster.local"];
    assert_eq!(decides(&edge), "z-in");
    assert_eq!(decides(&[&edge[..], &["--direction", "outbound"]].concat()), Value::Null);
    assert_eq!(decides(&[&edge[..], &route, &["--direction", "outbound"]].concat()), "a-out");
    assert_eq!(decides(&[&edge[..], &route, &["--direction", "both"]].concat()), "a-out");
    assert_eq!(decides(&[&edge[..], &["--direction", "both"]].concat()), "z-in");
    let foreign = ["--direction", "both", "--cluster-domain", "mesh.example"];
    assert_eq!(decides(&[&edge[..], &route, &foreign].concat()), "z-in");
    assert_eq!(decides(&["--host", "API.partner.example"]), "partner");
    assert_eq!(decides(&["--host", "partner.example"]), Value::Null);
    let both = ["explain", "--dir", ".", "--namespace", "demo", "--service", "edge", "--host", "a.example"];
    assert_eq!(hfi(folder.path(), &both).0, 2, "a request is for one of them");
}

#[test]
fn what_is_listed_comes_as_a_table_as_json_and_as_yaml() {
    let folder = folder(&[("cart.yaml", &policy("cart", "cart", 503))]);
    let ask = |output: &str| {
        let base = ["explain", "--dir", ".", "--namespace", "demo", "--service", "cart", "-o", output];
        hfi(folder.path(), &base)
    };
    let yaml = ask("yaml");
    assert!(yaml.0 == 0 && yaml.1.starts_with("decides:\n  policy: cart\n  rule: 0\n"), "{yaml:?}");
    assert!(ask("table").1.contains("policy") && ask("json").1.starts_with('{'));
    assert_eq!(ask("github").0, 2, "annotations are for files");
    let check = |output: &str| hfi(folder.path(), &["validate", ".", "-o", output]).1;
    assert_eq!(check("yaml"), "errors: []\nwarnings: []\n");
    assert_eq!(check("text"), check("table"));
}

#[test]
fn the_schema_and_the_reference_are_printed() {
    let folder = folder(&[]);
    let (code, schema) = hfi(folder.path(), &["schema"]);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert!(code == 0 && schema["$schema"] == "http://json-schema.org/draft-07/schema#");
    let application = &schema["definitions"]["appConfiguration"]["properties"]["spec"]["properties"];
    assert!(application["virtualService"].is_object(), "{application}");
    let (code, reference) = hfi(folder.path(), &["reference"]);
    assert!(code == 0 && reference.starts_with("# The policy language"));
    for (subject, beginning) in
        [("policies", "# The policy language"), ("serve", "# `hfi serve`"), ("filter", "# The filter")]
    {
        let (code, reference) = hfi(folder.path(), &["reference", subject]);
        assert!(code == 0 && reference.starts_with(beginning), "{subject}: {reference}");
    }
}
