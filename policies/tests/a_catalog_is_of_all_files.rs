//! Files are judged one by one, names across all of them, and order never matters.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::sync::Arc;

use policies::{Catalog, File, Scope, Timestamp, repository::Sources, wire::Format};

const NOW: Timestamp = Timestamp::from_millis(0);

fn policy(name: &str) -> String {
    format!("metadata: {{name: {name}}}\nspec: {{rules: [{{fault: {{percentage: 5, delay_ms: 1}}}}]}}\n---\n")
}

fn catalog(files: &[(&str, &str)]) -> Catalog {
    let files: Vec<_> =
        files.iter().map(|(path, yaml)| (Arc::from(*path), File::read(yaml.as_bytes()))).collect();
    let files = files.iter().map(|(path, file)| (path, file)).collect();
    Catalog::new(&Sources { files, ..Sources::default() }, |_, _| None)
}

fn names(catalog: &Catalog) -> Vec<&str> {
    catalog.policies().iter().map(|placed| placed.entry.policy.name.as_str()).collect()
}

#[test]
fn an_invalid_file_contributes_nothing_and_every_other_file_is_served() {
    let catalog =
        catalog(&[("bad.yaml", &(policy("a") + "spec: {rules: []}\n")), ("good.yaml", &policy("b"))]);
    assert_eq!(names(&catalog), ["b"]);
    let problems: Vec<_> = catalog.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["bad.yaml:4:1: metadata: is required", "bad.yaml:4:15: spec.rules: must hold at least one rule"]
    );
}

#[test]
fn a_name_used_twice_invalidates_every_document_with_that_name() {
    let catalog = catalog(&[("x.yaml", &(policy("a") + &policy("c"))), ("y.yaml", &policy("a"))]);
    assert_eq!(names(&catalog), ["c"]);
    let problems: Vec<_> = catalog.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "x.yaml:1:18: metadata.name: `a` is also the name of y.yaml:1; rename one",
            "y.yaml:1:18: metadata.name: `a` is also the name of x.yaml:1; rename one",
        ]
    );
}

#[test]
fn a_name_that_an_invalid_document_uses_is_used() {
    let invalid = "metadata: {name: a}\nspec: {rules: []}\n";
    assert!(names(&catalog(&[("x.yaml", invalid), ("y.yaml", &policy("a"))])).is_empty());
}

#[test]
fn the_order_of_files_does_not_change_the_bytes() {
    let (a, b) = (policy("a"), policy("b"));
    let bytes = |files: &[(&str, &str)]| catalog(files).snapshot(&Scope::unknown(), NOW).encode(Format::V1);
    let one = bytes(&[("x.yaml", &a), ("y.yaml", &b)]);
    assert_eq!(one, bytes(&[("y.yaml", &b), ("x.yaml", &a)]));
    assert_eq!(one, bytes(&[("z.yaml", &(b + &a))]));
}

#[test]
fn no_file_at_all_is_a_valid_empty_catalog() {
    let empty = catalog(&[]);
    assert!(empty.policies().is_empty() && empty.problems().is_empty());
    assert!(empty.snapshot(&Scope::unknown(), NOW).policies.is_empty());
}

#[test]
fn the_documents_of_somebody_else_are_counted() {
    let foreign = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n---\n";
    let catalog =
        catalog(&[("kustomization.yaml", foreign), ("x.yaml", &(foreign.to_owned() + &policy("a")))]);
    assert_eq!((catalog.ignored(), names(&catalog)), (2, vec!["a"]));
}

#[test]
fn regexes_that_no_proxy_could_bear_are_not_in_force_and_those_that_decide_first_stay() {
    // Each is within the limits of a regex and of a file; together they are not.
    let costly = |name: &str, priority: usize| {
        let rule = "{match: {path: {regex: '^a{19000}$'}}, fault: {percentage: 5, delay_ms: 1}}";
        let rules = [rule; 10].join(", ");
        format!("metadata: {{name: {name}}}\nspec: {{priority: {priority}, rules: [{rules}]}}\n")
    };
    let files: Vec<_> =
        (0..9).map(|number| (format!("{number}.yaml"), costly(&format!("p{number}"), number))).collect();
    let files: Vec<_> = files.iter().map(|(path, yaml)| (path.as_str(), yaml.as_str())).collect();
    let catalog = catalog(&files);
    let names = names(&catalog);
    assert!(!names.is_empty() && names.len() < files.len(), "{names:?}");
    assert_eq!(names.first(), Some(&"p8"));
    assert_eq!(catalog.problems().len(), files.len() - names.len());
    let problem = catalog.problems().first().unwrap().to_string();
    assert!(problem.starts_with("0.yaml:2:") && problem.contains("the regexes of all policies"), "{problem}");
}
