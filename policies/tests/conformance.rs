//! The conformance table holds, natively: from YAML, through the bytes that are served, to decisions.
#![cfg(test)]
#![cfg(feature = "testing")]

use std::path::Path;

use policies::{
    Catalog, File, Timestamp,
    repository::Sources,
    testing::{
        directory::{self, CASES, Case},
        native,
    },
};

#[test]
fn every_case_is_decided_as_it_says() {
    let cases = directory::all(Path::new(CASES));
    let cases = cases.unwrap_or_else(|amiss| panic!("{amiss}"));
    let differences: Vec<_> = cases.iter().flat_map(differences).collect();
    let requests: usize = cases.iter().map(|case| case.table.requests.len()).sum();
    println!("{} cases with {requests} requests, natively", cases.len());
    assert!(cases.len() >= 30, "only {} cases were found", cases.len());
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// The differences between a case and its decisions.
fn differences(case: &Case) -> Vec<String> {
    let Case { name, policy, table } = case;
    let file = File::read(policy.as_bytes());
    let path = "policy.yaml".into();
    let sources = Sources { files: vec![(&path, &file)], ..Sources::default() };
    let catalog = Catalog::new(&sources, |_, _| Timestamp::parse(native::NOON).ok().map(Into::into));
    let problems = catalog.problems().iter().map(ToString::to_string);
    let mistakes = problems.filter(|problem| !problem.contains("a guardrail of policy.yaml demands it"));
    let mut differences: Vec<_> = mistakes.map(|mistake| format!("{name}: {mistake}")).collect();
    for request in &table.requests {
        let outcome = native::decide(&catalog, table, request);
        if outcome != request.expect {
            differences.push(format!("{name}: {request:?}\n    got {outcome:?}"));
        }
    }
    differences
}

/// Mistakes in the table itself.
mod the_table_is_refused {
    use std::fs;

    use policies::testing::directory::all;

    /// The complaint about a directory with a case of these files.
    fn complaint(case: &str, files: &[(&str, &str)]) -> String {
        let folder = std::env::temp_dir().join(format!("hfi-conformance-{}-{case}", std::process::id()));
        fs::create_dir_all(folder.join(case)).unwrap();
        for (file, text) in files {
            fs::write(folder.join(case).join(file), text).unwrap();
        }
        let outcome = all(&folder);
        fs::remove_dir_all(&folder).unwrap();
        outcome.unwrap_err()
    }

    #[test]
    fn when_a_file_is_missing() {
        assert!(
            complaint("no-policy", &[("requests.yaml", "requests: [{expect: nothing}]")])
                .contains("policy.yaml")
        );
        assert!(complaint("no-requests", &[("policy.yaml", "")]).contains("requests.yaml"));
    }

    #[test]
    fn when_there_are_no_requests() {
        let empty = [("policy.yaml", ""), ("requests.yaml", "requests: []")];
        assert!(complaint("empty", &empty).contains("there are no requests"));
    }

    #[test]
    fn when_a_field_is_unknown_or_needs_what_a_proxy_has_not() {
        for (text, complained) in [
            ("requests: [{paht: /, expect: nothing}]", "paht"),
            ("requests: [{peer: a, expect: nothing}]", "native_only"),
            ("requests: [{expect: {abort: {policy: a}}}]", "either"),
        ] {
            let error = complaint("fields", &[("policy.yaml", ""), ("requests.yaml", text)]);
            assert!(error.contains(complained), "{text}: {error}");
        }
    }
}
