//! Where an edit would reach further than it is to, nothing is edited: the line and the reason are told.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{
    editing::{Document, Format, How, find, new_file, put, read_body},
    language::PolicyName,
};

const RULES: &str = "rules: [{fault: {percentage: 5, delay_ms: 1}}]";

fn name() -> PolicyName {
    "x".to_owned().try_into().unwrap()
}

fn document(body: &str) -> Document {
    read_body(body.as_bytes(), Format::Yaml).unwrap().remove(0)
}

/// The line and the reason why the file is not edited, and that it can be written anew.
fn refused(file: &str, body: &str) -> (u32, String) {
    let sent = document(body);
    let error = put(file.as_bytes(), &name(), &sent, How::InPlace).unwrap_err();
    let anew = put(file.as_bytes(), &name(), &sent, How::Rewrite).unwrap();
    assert_eq!(find(&anew.bytes, &name()).unwrap().to_json(), sent.to_json());
    assert!(error.to_string().contains("edit by hand"), "{error}");
    (error.line, error.reason)
}

#[test]
fn a_value_with_an_anchor_is_not_edited() {
    let file = "metadata: {name: x}\nspec:\n  rules:\n    - fault: &f\n        percentage: 5\n        delay_ms: 1\n    - match: {path: {prefix: /a}}\n      fault: *f\n";
    let both = "metadata: {name: x}\nspec: {rules: [{fault: {percentage: 6, delay_ms: 1}}, {match: {path: {prefix: /a}}, fault: {percentage: 6, delay_ms: 1}}]}";
    assert_eq!(
        refused(file, both),
        (5, "what differs has an anchor, an alias, a merge key or a tag".to_owned())
    );
    let alias = "metadata: {name: x}\nspec: {rules: [{fault: {percentage: 5, delay_ms: 1}}, {match: {path: {prefix: /a}}, fault: {percentage: 6, delay_ms: 1}}]}";
    assert_eq!(refused(file, alias).0, 8);
}

#[test]
fn a_value_from_a_merge_key_is_not_edited() {
    let file = format!(
        "# A drill.\nmetadata:\n  name: x\n  labels: &l {{a: b}}\n  annotations:\n    <<: *l\n    c: d\nspec: {{{RULES}}}\n"
    );
    let body = |annotations: &str| {
        format!("metadata: {{name: x, labels: {{a: b}}, annotations: {annotations}}}\nspec: {{{RULES}}}")
    };
    assert_eq!(
        refused(&file, &body("{a: z, c: d}")),
        (6, "what differs comes from a merge key (`<<`)".to_owned())
    );
    assert_eq!(refused(&file, &body("{c: d}")).0, 6);
    // What stands beside it is.
    let edited = put(file.as_bytes(), &name(), &document(&body("{a: b, c: e, f: g}")), How::InPlace).unwrap();
    assert_eq!(String::from_utf8(edited.bytes).unwrap(), file.replace("c: d\n", "c: e\n    f: g\n"));
}

#[test]
fn a_value_with_a_tag_is_not_edited() {
    let file = format!("metadata:\n  name: !!str x\n  version: !!str 1\nspec: {{{RULES}}}\n");
    let sent = format!("metadata: {{name: x, version: '2'}}\nspec: {{{RULES}}}");
    assert_eq!(refused(&file, &sent).0, 3);
}

#[test]
fn a_document_with_a_directive_is_not_edited() {
    let file = format!("# A drill.\n%YAML 1.2\n---\nmetadata: {{name: x}}\nspec: {{{RULES}}}\n");
    let sent = format!("metadata: {{name: x}}\nspec: {{priority: 1, {RULES}}}");
    assert_eq!(refused(&file, &sent), (2, "it has a directive (`%`)".to_owned()));
    let second = format!("a: b\napiVersion: v1\n...\n{file}");
    assert_eq!(refused(&second, &sent).0, 5);
}

#[test]
fn keys_that_are_no_plain_text_are_not_edited() {
    let file = format!("metadata: {{name: x}}\nspec:\n  ? priority\n  : 1\n  {RULES}\n");
    let sent = format!("metadata: {{name: x}}\nspec: {{priority: 2, {RULES}}}");
    assert_eq!(refused(&file, &sent).0, 3);
}

#[test]
fn a_name_that_stands_twice_is_not_edited() {
    let x = format!("metadata: {{name: x}}\nspec: {{{RULES}}}\n");
    let file = format!("{x}---\n{x}");
    let error = put(file.as_bytes(), &name(), &document(&x), How::Rewrite).unwrap_err();
    assert_eq!((error.line, error.reason.as_str()), (4, "the file has `x` twice"));
}

#[test]
fn a_name_that_is_not_there_is_not_edited() {
    let other = format!(
        "kind: Guardrail\nmetadata: {{name: x}}\nspec: {{maxPercentage: 5}}\n---\nmetadata: {{name: y}}\nspec: {{{RULES}}}\n"
    );
    let x = format!("metadata: {{name: x}}\nspec: {{{RULES}}}\n");
    for file in [other.as_bytes(), b"", b"\xff", &[b' '; 2_000_000]] {
        assert!(put(file, &name(), &document(&x), How::InPlace).is_err());
    }
}

#[test]
fn a_document_written_anew_keeps_what_stands_around_it() {
    let file = "# Ours.\n%YAML 1.2\n--- # here\n\n# A drill.\nmetadata: {name: x} # gone\nspec: {rules: [{fault: {percentage: 5, delay_ms: 1}}]}\n\n# The end.\n...\n";
    let sent = document(&format!("metadata: {{name: x}}\nspec: {{priority: 1, {RULES}}}"));
    let anew = put(file.as_bytes(), &name(), &sent, How::Rewrite).unwrap();
    let expected = format!(
        "# Ours.\n--- # here\n\n# A drill.\n{}\n# The end.\n...\n",
        String::from_utf8(new_file(&sent).unwrap()).unwrap()
    );
    assert_eq!((String::from_utf8(anew.bytes).unwrap(), anew.line), (expected, 5));
}
