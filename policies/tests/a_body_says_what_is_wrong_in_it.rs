//! What is sent is read whole: every mistake has its document and its place in the body.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{
    editing::{Format, RESTARTED_AT, new_file, read_body},
    language::PolicyName,
};

const X: &str =
    r#"{"metadata": {"name": "x"}, "spec": {"rules": [{"fault": {"percentage": 5, "delay_ms": 1}}]}}"#;

/// `document:line:column: field: message` of each mistake.
fn mistakes(body: &[u8], format: Format) -> Vec<String> {
    let mistakes = read_body(body, format).unwrap_err().into_iter();
    mistakes
        .map(|mistake| {
            let place = mistake.finding.place;
            format!("{}:{}:{}: {}", mistake.document, place.line, place.column, mistake.finding)
        })
        .collect()
}

#[test]
fn an_object_an_array_and_a_stream_are_documents() {
    for (body, format) in [
        (X.to_owned(), Format::Json),
        (format!("[\n{X}]"), Format::Json),
        (X.to_owned(), Format::Yaml),
        (format!("---\n# c\n--- {X}\n..."), Format::Yaml),
    ] {
        let documents = read_body(body.as_bytes(), format).unwrap();
        let [document] = documents.as_slice() else { panic!("{documents:?}") };
        assert_eq!(
            (document.index(), document.kind(), document.name().map(PolicyName::as_str)),
            (0, "FaultPolicy", Some("x"))
        );
        assert_eq!(document.policy().unwrap().rules.len(), 1);
    }
    let two = read_body(format!("[{X}, {X}]").as_bytes(), Format::Json).unwrap();
    assert_eq!(
        two.iter().map(|document| (document.index(), document.place().column)).collect::<Vec<_>>(),
        [(0, 2), (1, 4 + X.len() as u32)]
    );
}

#[test]
fn all_mistakes_of_all_documents_are_told() {
    let bad = X.replace(": 5", ": 500").replace("\"metadata\"", "\n  \"metadata\"");
    let body = format!("[{X},\n {bad},\n \"x\"]");
    let found = mistakes(body.as_bytes(), Format::Json);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("1:3:74: spec.rules[0].fault.percentage: must be a number"), "{found:?}");
    assert!(found[1].starts_with("2:4:2: must be a map"), "{found:?}");
    let found = mistakes(b"a: [\n---\nmetadata: {nam: x}\n", Format::Yaml);
    assert!(
        found.len() > 2 && found[0].starts_with("0:1:4: is not valid YAML") && found[1].starts_with("1:3:"),
        "{found:?}"
    );
}

#[test]
fn what_is_no_json_is_refused_as_json() {
    for (body, place) in
        [("{metadata: {}}", "0:1:2"), ("[1,\n]", "0:2:1"), ("", "0:1:0"), ("{}\n---\n{}", "0:2:1")]
    {
        let found = mistakes(body.as_bytes(), Format::Json);
        assert!(found[0].starts_with(&format!("{place}: is not valid JSON: ")), "{found:?}");
    }
    assert!(mistakes(b"{\"a\": \"\xff\"}", Format::Json)[0].contains("UTF-8"));
}

#[test]
fn a_body_without_a_document_is_refused() {
    for body in ["", "---\n# nothing\n", "null"] {
        assert_eq!(
            mistakes(body.as_bytes(), Format::Yaml),
            ["0:1:1: holds no document; send at least one policy"]
        );
    }
    for body in ["[]", "null"] {
        assert_eq!(
            mistakes(body.as_bytes(), Format::Json),
            ["0:1:1: holds no document; send at least one policy"]
        );
    }
}

#[test]
fn a_document_of_another_tool_is_refused() {
    let body = format!("{X}\n---\napiVersion: v1\nkind: ConfigMap\n");
    assert_eq!(mistakes(body.as_bytes(), Format::Yaml), ["1:3:1: is no document of hfi: leave it out"]);
}

#[test]
fn a_mistake_found_later_has_its_place_too() {
    let body = X.replace("\"spec\"", "\n \"spec\"");
    let x = read_body(body.as_bytes(), Format::Json).unwrap().remove(0);
    let mistake = x.mistake("spec.rules[0].fault.percentage", "must be at most 3");
    assert_eq!(
        serde_json::to_string(&mistake).unwrap(),
        r#"{"document":0,"line":2,"column":46,"field":"spec.rules[0].fault.percentage","message":"must be at most 3"}"#
    );
    assert_eq!(x.mistake("spec.selector", "").finding.place.line, 2);
}

#[test]
fn a_document_can_be_edited() {
    let x = read_body(X.as_bytes(), Format::Json).unwrap().remove(0);
    let suspended = x.with_suspend(true);
    assert!(suspended.policy().unwrap().suspend && !suspended.same_content(&x));
    assert!(suspended.with_suspend(false).same_content(&x));
    assert_eq!(x.with_suspend(false).to_json(), x.to_json());
    assert!(x.with_annotation("a", Some("b")).same_content(&x), "an annotation is no content");
    let restarted = x.with_annotation(RESTARTED_AT, Some("2026-12-01T09:00:00Z"));
    assert_eq!(restarted.annotation(RESTARTED_AT), Some("2026-12-01T09:00:00Z"));
    assert!(
        !restarted.same_content(&x) && restarted.with_annotation(RESTARTED_AT, None).to_json() == x.to_json()
    );
    assert!(!x.has_selector());
    let selected = x.with_selector_namespace("shop").unwrap();
    assert!(
        selected.has_selector()
            && selected.with_selector_namespace("other").unwrap().to_json() == selected.to_json()
    );
    assert!(x.with_selector_namespace("a b").is_err());
    assert_eq!(
        String::from_utf8(new_file(&selected.with_suspend(true)).unwrap()).unwrap(),
        "metadata:\n  name: x\nspec:\n  selector:\n    namespace: shop\n  suspend: true\n  rules:\n    - fault:\n        percentage: 5\n        delay_ms: 1\n",
    );
}

#[test]
fn what_is_printed_is_read_again() {
    let body = "kind: FaultPolicy\nmetadata: {version: '5', name: x, labels: {a: .inf, 'on': [no, \"\"]}}\nspec:\n  selector: {namespace: \"*\"}\n  rules: [{fault: {delay_ms: 1, percentage: 12.50}}]";
    let x = read_body(body.as_bytes(), Format::Yaml).unwrap().remove(0);
    let json = x.to_json();
    let again = read_body(json.as_bytes(), Format::Json).unwrap().remove(0);
    assert_eq!(again.to_json(), json);
    assert!(
        again.same_content(&x)
            && json.find("version") < json.find("name")
            && json.find("delay_ms") < json.find("percentage")
    );
    let yaml = new_file(&x).unwrap();
    assert_eq!(read_body(&yaml, Format::Yaml).unwrap().remove(0).to_json(), json);
}
