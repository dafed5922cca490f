//! Every example is valid, and faults what its comment says and nothing else. What requests are to
//! get of `policies/examples/<name>.yaml` is in `policies/tests/examples/<name>.yaml`, in the words of
//! the conformance table.
#![cfg(test)]
#![cfg(feature = "testing")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use policies::{
    Catalog, File, Timestamp,
    repository::{Sources, lint},
    testing::{
        cases::{self, Expectation, Table},
        native,
    },
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The text of every file below a directory, by its path there.
fn files(folder: &Path) -> BTreeMap<Arc<str>, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                found.insert(name.into(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// All examples together, as they are served.
fn catalog(texts: &BTreeMap<Arc<str>, String>) -> Catalog {
    let read: Vec<_> = texts.iter().map(|(path, text)| (path, File::read(text.as_bytes()))).collect();
    let files = read.iter().map(|(path, file)| (*path, file)).collect();
    Catalog::new(&Sources { files, ..Sources::default() }, |_, _| {
        Timestamp::parse(native::NOON).ok().map(Into::into)
    })
}

fn table(file: &str) -> Table {
    let text = fs::read_to_string(root().join("tests/examples").join(file)).unwrap();
    cases::table(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn each_is_valid_and_says_when_to_use_it() {
    let texts = files(&root().join("examples"));
    let catalog = catalog(&texts);
    assert!(catalog.problems().is_empty(), "{:#?}", catalog.problems());
    let warnings = lint::warnings(&catalog, Timestamp::parse(native::NOON).unwrap());
    assert!(warnings.is_empty(), "{warnings:#?}");
    for (file, text) in &texts {
        assert!(text.starts_with("# Use it "), "{file} does not begin with when to use it");
    }
    for placed in catalog.policies() {
        let namespace = &placed.entry.policy.selector.namespace;
        assert_eq!(namespace.as_str(), "shop", "{}", placed.file);
    }
}

#[test]
fn each_faults_what_it_says_and_leaves_the_rest_alone() {
    let texts = files(&root().join("examples"));
    let catalog = catalog(&texts);
    let mut exercised = 0;
    for (file, text) in &texts {
        if text.contains("kind: Guardrail") {
            continue;
        }
        let table = table(file);
        let mut outcomes = Vec::new();
        for request in &table.requests {
            let outcome = native::decide(&catalog, &table, request);
            assert_eq!(outcome, request.expect, "{file}: {request:?}");
            outcomes.push(outcome == Expectation::Nothing);
        }
        let suspended = text.contains("suspend: true");
        assert!(outcomes.contains(&true) && (suspended || outcomes.contains(&false)), "{file} is half shown");
        exercised += 1;
    }
    assert_eq!(exercised, catalog.policies().len(), "one policy a file");
    assert_eq!(exercised, files(&root().join("tests/examples")).len(), "one table an example");
}

#[test]
fn the_kill_switch_faults_once_it_is_thrown() {
    let mut texts = files(&root().join("examples"));
    let text = texts.get_mut("kill-switch.yaml").unwrap();
    *text = text.replace("suspend: true", "suspend: false");
    let table = table("kill-switch.yaml");
    let outcome = native::decide(&catalog(&texts), &table, &table.requests[0]);
    assert!(matches!(outcome, Expectation::Abort(abort) if abort.policy == "ads-off"));
}

#[test]
fn the_team_directory_refuses_what_its_guardrail_forbids() {
    let mut texts = files(&root().join("examples"));
    let everything = "metadata: {name: oops}\nspec: {rules: [{fault: {percentage: 100, delay_ms: 30000}}]}\n";
    texts.insert("payments/oops.yaml".into(), everything.to_owned());
    let refused = catalog(&texts);
    let problems: Vec<_> = refused.problems().iter().map(ToString::to_string).collect();
    assert!(refused.policies().iter().all(|placed| placed.entry.policy.name.as_str() != "oops"));
    // Both names, each twice; percentage, delay, end and duration.
    assert_eq!(problems.len(), 8, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.contains("payments/guardrails.yaml")), "{problems:#?}");
    // The same text elsewhere is not checked here.
    texts.remove("payments/oops.yaml");
    texts.insert("oops.yaml".into(), everything.to_owned());
    assert!(catalog(&texts).problems().is_empty());
}
