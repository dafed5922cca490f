//! A policy goes; what may be about another, or is another, stays.
#![cfg(test)]
#![cfg(feature = "authoring")]

use policies::{editing::remove, language::PolicyName};

fn policy(name: &str) -> String {
    format!("metadata: {{name: {name}}}\nspec: {{rules: [{{fault: {{percentage: 5, delay_ms: 1}}}}]}}\n")
}

/// The file without `x`.
fn left(file: &str) -> Option<String> {
    let name: PolicyName = "x".to_owned().try_into().unwrap();
    let left = remove(file.as_bytes(), &name).unwrap_or_else(|error| panic!("{error}\n{file}"));
    left.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn the_last_policy_takes_the_file_with_it() {
    let x = policy("x");
    for file in [
        x.clone(),
        format!("# A drill.\n---\n{x}# end"),
        format!("---\n---\n{x}...\n"),
        format!("%YAML 1.2\n---\n{x}"),
    ] {
        assert_eq!(left(&file), None, "{file}");
    }
}

#[test]
fn what_is_no_policy_keeps_the_file() {
    for other in [
        "kind: Kustomization\nresources: [a]\n",
        "not yaml: [\n",
        "kind: Guardrail\nspec: {maxPercentage: 5}\n",
    ] {
        assert_eq!(left(&format!("{}---\n{other}", policy("x"))).unwrap(), format!("---\n{other}"));
        assert_eq!(left(&format!("{other}---\n{}", policy("x"))).unwrap(), other);
    }
}

#[test]
fn a_policy_goes_with_its_marker_and_its_comments() {
    let (a, x, z) = (policy("a"), policy("x"), policy("z"));
    assert_eq!(left(&format!("{a}---\n{x}---\n{z}")).unwrap(), format!("{a}---\n{z}"));
    assert_eq!(
        left(&format!("{a}--- # x\n# of x\n{x}  # of x\n\n---\n{z}")).unwrap(),
        format!("{a}---\n{z}")
    );
    assert_eq!(left(&format!("# of x\n{x}---\n{z}")).unwrap(), format!("---\n{z}"));
    assert_eq!(left(&format!("{a}...\n---\n{x}...\n---\n{z}")).unwrap(), format!("{a}...\n---\n{z}"));
}

#[test]
fn comments_that_may_be_about_others_stay() {
    let (a, x, z) = (policy("a"), policy("x"), policy("z"));
    assert_eq!(
        left(&format!("# All drills.\n\n# of x\n{x}---\n{z}")).unwrap(),
        format!("# All drills.\n\n---\n{z}")
    );
    assert_eq!(
        left(&format!("# All drills.\n---\n{x}---\n{z}")).unwrap(),
        format!("# All drills.\n---\n{z}")
    );
    assert_eq!(left(&format!("{a}---\n{x}# of z\n---\n{z}")).unwrap(), format!("{a}# of z\n---\n{z}"));
}

#[test]
fn a_document_without_a_marker_does_not_join_the_one_before() {
    let (a, x, z) = (policy("a"), policy("x"), policy("z"));
    assert_eq!(left(&format!("{a}---\n{x}...\n{z}")).unwrap(), format!("{a}...\n{z}"));
    assert_eq!(
        left(&format!("{a}---\n{x}...\n%YAML 1.2\n---\n{z}")).unwrap(),
        format!("{a}...\n%YAML 1.2\n---\n{z}")
    );
}

#[test]
fn line_ends_stay() {
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let (a, x, z) = (policy("a"), policy("x"), policy("z"));
    assert_eq!(
        left(&crlf(&format!("\u{feff}{a}---\n{x}---\n{z}"))).unwrap(),
        crlf(&format!("\u{feff}{a}---\n{z}"))
    );
    assert_eq!(left(format!("{x}---\n{z}").trim_end()).unwrap(), format!("---\n{}", z.trim_end()));
    assert_eq!(left(format!("{a}---\n{x}").trim_end()).unwrap(), a);
}
