//! Laws of edits, for files in any style and edits of any kind.
#![cfg(test)]
#![cfg(feature = "authoring")]

mod documents;
mod wild;

use std::collections::BTreeSet;

use documents::{Edit, apply, edit, policy};
use policies::{
    editing::{Document, Edited, Format, How, find, put, read_body, remove},
    language::PolicyName,
    reading::{Node, read_yaml},
};
use proptest::prelude::*;
use serde_json::Value;
use wild::Wild;

fn name(name: &str) -> PolicyName {
    name.to_owned().try_into().unwrap()
}

/// The document of a body, if it is valid.
fn document(body: &Value) -> Option<Document> {
    read_body(body.to_string().as_bytes(), Format::Json).ok().map(|mut documents| documents.remove(0))
}

/// A file of three policies, each in a style of its own, and where the second one stands.
#[derive(Clone, Debug)]
struct File {
    parts: [String; 3],
    /// The first one without what follows it.
    first: String,
    policy: Value,
}

impl File {
    fn text(&self) -> String {
        self.parts.concat()
    }
}

fn file() -> impl Strategy<Value = File> {
    let tape = || prop::collection::vec(any::<u8>(), 0..200);
    let line_break = prop::sample::select(vec!["\n", "\n", "\r\n"]);
    let policies = (policy("a"), policy("x"), policy("z"));
    let begin =
        prop::sample::select(vec!["---\n", "--- # one\n", "---\n\n# two\n", "...\n---\n", "...\n# a\n"]);
    let file = (policies, [tape(), tape(), tape()], line_break, begin, any::<[bool; 3]>());
    file.prop_map(move |((a, x, z), tapes, line_break, begin, [is_first, is_last, ends])| {
        let write = |tape: &[u8], policy: &Value| Wild::write(tape, line_break, policy);
        let begin = begin.replace('\n', line_break);
        let mut second = write(&tapes[1], &x);
        if !is_last {
            second += if ends { "..." } else { "---" };
            second += line_break;
        } else if !ends {
            second.truncate(second.len() - line_break.len());
        }
        let alone = if is_first { String::new() } else { write(&tapes[0], &a) };
        let first = if is_first { String::new() } else { alone.clone() + &begin };
        let third = if is_last { String::new() } else { write(&tapes[2], &z) };
        File { parts: [first, second, third], first: alone, policy: x }
    })
}

fn put_in_place(text: &str, document: &Document) -> Result<Edited, TestCaseError> {
    put(text.as_bytes(), &name("x"), document, How::InPlace).map_err(|error| {
        let error = error.to_string();
        // That is refused rather than done, and loses nothing. Few cases may be like that.
        let is_careful = error.contains("comments beside what differs would be lost");
        let reason = format!("{error}\n{text}");
        if is_careful { TestCaseError::reject(reason) } else { TestCaseError::fail(reason) }
    })
}

/// True if a text is another with some bytes taken out.
fn is_within(part: &str, whole: &str) -> bool {
    let mut rest = whole.bytes();
    part.bytes().all(|byte| rest.any(|other| other == byte))
}

/// The document as an edit makes it, if that is a valid one.
fn changed(file: &File, edits: &[Edit]) -> Option<(Value, Document)> {
    let mut policy = file.policy.clone();
    let changed = edits.iter().filter(|edit| apply(&mut policy, edit)).count();
    let document = document(&policy).filter(|_| changed > 0)?;
    Some((policy, document))
}

/// All documents of a text.
fn documents(text: &str) -> Vec<Node> {
    read_yaml(text.as_bytes()).into_iter().map(Result::unwrap).collect()
}

/// The document without what another does not have.
fn common(was: &Value, want: &Value) -> Value {
    match (was, want) {
        (Value::Object(was), Value::Object(want)) => {
            let both = was.iter().filter_map(|(key, was)| Some((key.clone(), common(was, want.get(key)?))));
            Value::Object(both.collect())
        }
        (Value::Array(was), Value::Array(want)) => {
            was.iter().zip(want).map(|(was, want)| common(was, want)).collect()
        }
        (was, _) => was.clone(),
    }
}

/// True if it is plain which item of a list became which, and no more is replaced than texts of one line.
fn is_plain(was: &Value, want: &Value) -> bool {
    match (was, want) {
        (Value::Object(was), Value::Object(want)) => {
            let mut both = was.iter().filter_map(|(key, was)| Some((was, want.get(key)?))).peekable();
            (was.is_empty() || both.peek().is_some()) && both.all(|(was, want)| is_plain(was, want))
        }
        (Value::Array(was), Value::Array(want)) => {
            let pairs = || was.iter().zip(want);
            was.len() == want.len()
                && pairs().filter(|(was, want)| was != want).count() < 2
                && pairs().all(|(was, want)| is_plain(was, want))
        }
        (Value::Object(_) | Value::Array(_), _) => false,
        (was, want) => was == want || !was.as_str().is_some_and(|was| was.contains('\n')),
    }
}

/// How often each comment stands in a text.
fn comments(text: &str) -> Vec<usize> {
    let count = |comment| text.lines().filter(|line| line.ends_with(comment)).count();
    wild::COMMENTS.into_iter().filter(|comment| comment.len() > 1).map(count).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_global_rejects: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_is_read_back_as_what_was_put(file in file(), edits in prop::collection::vec(edit(), 1..4)) {
        let text = file.text();
        let Some((policy, document)) = changed(&file, &edits) else { return Ok(()) };
        let edited = put_in_place(&text, &document)?;
        let written = String::from_utf8(edited.bytes.clone()).unwrap();
        // What was put is there.
        let found = find(&edited.bytes, &name("x")).unwrap();
        let read: Value = serde_json::from_str(&found.to_json()).unwrap();
        prop_assert_eq!(&read, &policy, "{}\nis now\n{}", text, written);
        prop_assert_eq!(found.place().line, edited.line);
        // All others have their bytes.
        prop_assert!(written.starts_with(&file.parts[0]) && written.ends_with(&file.parts[2]), "{}\nis now\n{}", text, written);
        prop_assert_eq!(documents(&written).len(), documents(&text).len());
        // To put it again changes nothing.
        let again = put_in_place(&written, &document)?;
        prop_assert!(!again.changed && again.bytes == edited.bytes);
        // It has the line breaks of the file.
        if text.contains("\r\n") {
            prop_assert!(!written.replace("\r\n", "").contains(['\r', '\n']));
        }
        prop_assert_eq!(written.ends_with('\n'), text.ends_with('\n'));
    }

    #[test]
    fn what_was_changed_and_changed_back_is_as_it_was(file in file(), edits in prop::collection::vec(edit(), 1..4)) {
        let text = file.text();
        let edits: Vec<_> = edits.into_iter().filter(|edit| matches!(edit, Edit::Scalar(..))).collect();
        let Some((_, document)) = changed(&file, &edits) else { return Ok(()) };
        let original = find(text.as_bytes(), &name("x")).unwrap();
        let there = String::from_utf8(put_in_place(&text, &document)?.bytes).unwrap();
        let back = String::from_utf8(put_in_place(&there, &original)?.bytes).unwrap();
        // A text without quotes that needs some later has them.
        let bare = |text: &str| text.replace(['"', '\''], "");
        prop_assert_eq!(bare(&back), bare(&text), "by way of\n{}", there);
    }

    #[test]
    fn what_only_adds_takes_no_byte_away(file in file(), edit in edit()) {
        let text = file.text();
        let Some((_, document)) = changed(&file, std::slice::from_ref(&edit)) else { return Ok(()) };
        let written = String::from_utf8(put_in_place(&text, &document)?.bytes).unwrap();
        match edit {
            Edit::Add(..) => prop_assert!(is_within(&text, &written), "{}\nis now\n{}", text, written),
            Edit::Remove(..) => prop_assert!(is_within(&written, &text), "{}\nis now\n{}", text, written),
            _ => {}
        }
    }

    #[test]
    fn comments_go_only_with_what_is_removed(file in file(), edits in prop::collection::vec(edit(), 1..6)) {
        let text = file.text();
        let Some((policy, sent)) = changed(&file, &edits).filter(|(policy, _)| is_plain(&file.policy, policy))
        else { return Ok(()) };
        let left = common(&file.policy, &policy);
        let Some(removed) = document(&left) else { return Ok(()) };
        let removed = String::from_utf8(put_in_place(&text, &removed)?.bytes).unwrap();
        let written = String::from_utf8(put_in_place(&text, &sent)?.bytes).unwrap();
        let mut pairs = comments(&removed).into_iter().zip(comments(&written));
        prop_assert!(pairs.all(|(least, kept)| least <= kept), "{}\nis now\n{}", text, written);
        if left == file.policy {
            prop_assert_eq!(&text, &removed);
        }
    }

    #[test]
    fn what_is_removed_takes_nothing_with_it(file in file()) {
        let text = file.text();
        let others: BTreeSet<_> = ["a", "z"].into_iter().filter(|other| find(text.as_bytes(), &name(other)).is_some()).collect();
        match remove(text.as_bytes(), &name("x")).map_err(|error| TestCaseError::fail(error.to_string()))? {
            None => prop_assert!(others.is_empty()),
            Some(bytes) => {
                let left = String::from_utf8(bytes.clone()).unwrap();
                prop_assert!(find(&bytes, &name("x")).is_none(), "{}\nis now\n{}", text, left);
                prop_assert_eq!(documents(&left).len(), others.len());
                for other in others {
                    let same = |text: &[u8]| find(text, &name(other)).map(|document| document.to_json());
                    prop_assert_eq!(same(&bytes), same(text.as_bytes()));
                }
                // The comments of the others are there too.
                prop_assert!(left.starts_with(&file.first), "{}\nis now\n{}", text, left);
                prop_assert!(left.ends_with(&file.parts[2]), "{}\nis now\n{}", text, left);
            }
        }
    }

    #[test]
    fn a_document_can_be_written_anew(file in file(), edits in prop::collection::vec(edit(), 1..4)) {
        let text = file.text();
        let Some((policy, document)) = changed(&file, &edits) else { return Ok(()) };
        let edited = put(text.as_bytes(), &name("x"), &document, How::Rewrite);
        let edited = edited.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let written = String::from_utf8(edited.bytes.clone()).unwrap();
        let read: Value = serde_json::from_str(&find(&edited.bytes, &name("x")).unwrap().to_json()).unwrap();
        prop_assert_eq!(read, policy);
        prop_assert!(written.starts_with(&file.parts[0]) && written.ends_with(&file.parts[2]));
    }
}
