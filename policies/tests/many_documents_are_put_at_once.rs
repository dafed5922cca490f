//! Many documents are put into a file with the same result as one after the other.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::collections::BTreeSet;

use policies::{
    editing::{Document, Format, How, find, find_all, put, put_all, read_body},
    language::PolicyName,
};
use proptest::prelude::*;

fn policy(name: &str, percentage: u32) -> Document {
    let body = format!(
        r#"{{"metadata": {{"name": "{name}"}}, "spec": {{"rules": [{{"fault": {{"percentage": {percentage}, "delay_ms": 1}}}}]}}}}"#
    );
    read_body(body.as_bytes(), Format::Json).unwrap().remove(0)
}

fn block(name: &str, line_break: &str) -> String {
    let text = format!(
        "# of {name}\nmetadata: {{name: {name}}}\nspec:\n  rules:\n  - fault:   # here\n      percentage: 1\n      delay_ms: 1\n"
    );
    text.replace('\n', line_break)
}

fn named(documents: &[Document]) -> Vec<(&PolicyName, &Document)> {
    documents.iter().map(|document| (document.name().unwrap(), document)).collect()
}

fn one_by_one(file: &str, documents: &[Document]) -> Option<(String, Vec<bool>)> {
    let (mut bytes, mut changed) = (file.as_bytes().to_vec(), Vec::new());
    for (name, document) in named(documents) {
        let edited = put(&bytes, name, document, How::InPlace).ok()?;
        bytes = edited.bytes;
        changed.push(edited.changed);
    }
    Some((String::from_utf8(bytes).unwrap(), changed))
}

fn at_once(file: &str, documents: &[Document]) -> Option<(String, Vec<bool>)> {
    let all = put_all(file.as_bytes(), &named(documents), How::InPlace).ok()?;
    Some((String::from_utf8(all.bytes).unwrap(), all.changed))
}

#[test]
fn comments_and_every_other_document_stay() {
    let file = format!("{}---\n{}--- # the last\n{}", block("a", "\n"), block("b", "\r\n"), block("c", "\n"));
    let (edited, changed) = at_once(&file, &[policy("c", 3), policy("a", 1), policy("b", 2)]).unwrap();
    assert_eq!(changed, [true, false, true]);
    let second = block("b", "\r\n").replace("percentage: 1", "percentage: 2");
    let third = block("c", "\n").replace("percentage: 1", "percentage: 3");
    assert_eq!(edited, format!("{}---\n{second}--- # the last\n{third}", block("a", "\n")));
}

#[test]
fn the_one_that_cannot_be_put_is_told() {
    let anchored = block("b", "\n").replace("spec:", "spec: &x");
    let file =
        format!("{}---\n{anchored}---\n{}---\n{}", block("a", "\n"), block("d", "\n"), block("d", "\n"));
    for (documents, position, reason) in [
        ([policy("a", 2), policy("b", 2)], 1, "anchor"),
        ([policy("z", 2), policy("a", 2)], 0, "has no policy `z`"),
        ([policy("a", 2), policy("d", 2)], 1, "has `d` twice"),
    ] {
        let (told, cannot) = put_all(file.as_bytes(), &named(&documents), How::InPlace).unwrap_err();
        assert_eq!(told, position, "{cannot}");
        assert!(cannot.to_string().contains(reason), "{cannot}");
    }
}

#[test]
fn many_are_found_as_one_is() {
    let file = format!("{}---\n{}---\n{}---\n[", block("a", "\n"), block("b", "\n"), block("b", "\n"));
    let names: Vec<PolicyName> = ["a", "b", "c"].map(|name| name.to_owned().try_into().unwrap()).into();
    let found = find_all(file.as_bytes(), &names.iter().collect::<BTreeSet<_>>());
    for name in &names {
        let one = find(file.as_bytes(), name).map(|document| (document.to_json(), document.place()));
        assert_eq!(found.get(name).map(|document| (document.to_json(), document.place())), one, "{name}");
    }
    assert_eq!(found.len(), 1);
}

proptest! {
    #[test]
    fn the_result_is_that_of_one_after_the_other(
        marks in prop::collection::vec("---\n|---  # c\n|\\.\\.\\.\n---\n|\\.\\.\\.\n|%YAML 1.2\n---\n|\n", 4),
        sent in prop::sample::subsequence(vec!["a", "b", "c", "d"], 0..4).prop_shuffle(),
        percentage in 1_u32..3,
        line_break in "\n|\r\n",
        odd in "(# end)?|spec: \\*x\n|\\[",
    ) {
        let texts: String = marks.iter().zip(["a", "b", "c", "d"])
            .map(|(mark, name)| format!("{mark}{}", block(name, &line_break))).collect();
        let file = format!("{texts}---\n{odd}");
        let documents: Vec<_> = sent.iter().map(|name| policy(name, percentage)).collect();
        prop_assert_eq!(at_once(&file, &documents), one_by_one(&file, &documents), "{}", file);
    }
}
