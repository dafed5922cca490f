//! The first document of a body may name the directories of new policies.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::editing::{Body, Format, read_placed_body};

const X: &str =
    r#"{"metadata": {"name": "x"}, "spec": {"rules": [{"fault": {"percentage": 5, "delay_ms": 1}}]}}"#;

fn y() -> String {
    X.replace("\"x\"", "\"y\"")
}

/// `NAME in DIRECTORY` of each policy that has one.
fn folders(body: &str, format: Format) -> Vec<String> {
    let Body { folders, .. } =
        read_placed_body(body.as_bytes(), format).unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{body}"));
    folders.iter().map(|folder| format!("{} in {}", folder.name, folder.directory)).collect()
}

/// `document:line: field: message` of each mistake.
fn mistakes(body: &str) -> Vec<String> {
    let mistakes = read_placed_body(body.as_bytes(), Format::Yaml).unwrap_err().into_iter();
    mistakes
        .map(|mistake| format!("{}:{}: {}", mistake.document, mistake.finding.place.line, mistake.finding))
        .collect()
}

#[test]
fn each_policy_may_have_its_own() {
    let yaml = format!(
        "apiVersion: hfi.dev/v1\nkind: Folders\nfolders:\n  a/b: [x]\n  \"\": [\"y\"]\n--- {X}\n--- {}",
        y()
    );
    assert_eq!(folders(&yaml, Format::Yaml), ["x in a/b", "y in "]);
    let json = format!(r#"[{{"kind": "Folders", "folders": {{"a": ["x"]}}}}, {X}, {}]"#, y());
    assert_eq!(folders(&json, Format::Json), ["x in a"]);
    assert!(folders(X, Format::Json).is_empty());
}

#[test]
fn documents_are_counted_with_it() {
    let body = format!("kind: Folders\nfolders: {{}}\n--- {X}");
    let body = read_placed_body(body.as_bytes(), Format::Yaml).unwrap();
    let [document] = body.documents.as_slice() else { panic!("{body:?}") };
    assert_eq!((document.index(), document.place().line), (1, 3));
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    let body = |first: &str| format!("kind: Folders\n{first}\n--- {X}\n--- {}", y());
    for (first, told) in [
        ("folders: {a: [x, z]}", "0:2: folders.a[1]: `z` is the name of no policy in this body"),
        ("folders: {a: [x], b: [x]}", "0:2: folders.b[0]: `x` has a directory already"),
        ("folders: {a: x}", "0:2: folders.a: must be a list"),
        ("folders: {a: [1]}", "0:2: folders.a[0]: must be a string"),
        ("folders: {a: [X]}", "0:2: folders.a[0]: "),
        ("folders: [a]", "0:2: folders: must be a map"),
        ("folder: {}", "0:1: folders: is required"),
        ("folders: {}\nfolder: {}", "0:3: folder: is not a known field; did you mean `folders`?"),
        ("folders: {}\napiVersion: hfi.dev/v2", "0:3: apiVersion: must be `hfi.dev/v1`"),
    ] {
        let found = mistakes(&body(first));
        assert!(found.iter().any(|mistake| mistake.starts_with(told)), "{told}: {found:?}");
    }
    let several = mistakes(&format!("{}\n--- {{}}", body("folders: {a: x}")));
    assert!(several.len() > 1, "{several:?}");
}

#[test]
fn it_is_the_first_and_not_alone() {
    let later = mistakes(&format!("{X}\n---\nkind: Folders\nfolders: {{a: [x]}}\n"));
    assert!(later.iter().any(|mistake| mistake.starts_with("1:3: kind: must be")), "{later:?}");
    let alone = mistakes("kind: Folders\nfolders: {}\n");
    assert!(alone.iter().any(|mistake| mistake.contains("holds no document")), "{alone:?}");
}
