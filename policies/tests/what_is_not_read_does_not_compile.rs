//! A field or a variant that nobody reads does not compile: where forgetting one would inject a fault
//! that nobody meant, or let one pass a guardrail, the compiler names the place.
//!
//! The crate is copied, gets such fields and variants, and is checked.
#![cfg(test)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A change of a file: after this line, that one is added.
struct Addition {
    file: &'static str,
    after: &'static str,
    line: &'static str,
}

const fn added(file: &'static str, after: &'static str, line: &'static str) -> Addition {
    Addition { file, after, line }
}

/// The compiler's errors about a copy of this crate with these changes, one on each line.
fn errors(name: &str, additions: &[Addition]) -> Vec<String> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let copied = workspace.join("policies");
    if workspace.exists() {
        fs::remove_dir_all(&workspace).unwrap();
    }
    for file in ["Cargo.toml", "REFERENCE.md", "schema.json"].map(PathBuf::from).into_iter().chain(sources())
    {
        let to = copied.join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(package.join(&file), to).unwrap();
    }
    let manifest = fs::read_to_string(package.join("../Cargo.toml")).unwrap();
    let members = manifest.lines().find(|line| line.starts_with("members")).unwrap();
    fs::write(workspace.join("Cargo.toml"), manifest.replace(members, "members = [\"policies\"]")).unwrap();
    fs::copy(package.join("../Cargo.lock"), workspace.join("Cargo.lock")).unwrap();
    for Addition { file, after, line } in additions {
        let file = copied.join("src").join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(after), "{} has no `{after}`", file.display());
        fs::write(&file, text.replacen(after, &format!("{after}\n    {line}"), 1)).unwrap();
    }
    let mut check = Command::new(env!("CARGO"));
    check.current_dir(&workspace).args(["check", "--offline", "--quiet", "--message-format=short"]);
    check.args(["--package", "policies", "--features", "authoring"]);
    // One for both tests: the dependencies are the same.
    check.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("target"));
    let output = check.output().unwrap();
    assert!(!output.status.success(), "what nobody reads compiles");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("policies/src/"), "it was not compiled at all: {text}");
    text.lines().map(str::to_owned).collect()
}

/// The files below `src`, as paths of this package.
fn sources() -> Vec<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut directories) = (Vec::new(), vec![package.join("src")]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                found.push(path.strip_prefix(package).unwrap().to_owned());
            }
        }
    }
    found
}

/// The files of `places` in which no error of this kind speaks of `name`.
fn silent<'p>(errors: &[String], code: &str, name: &str, places: &[&'p str]) -> Vec<&'p str> {
    let speaks = |place: &&str| {
        errors.iter().any(|error| error.contains(*place) && error.contains(code) && error.contains(name))
    };
    places.iter().copied().filter(|place| !speaks(place)).collect()
}

/// `scripts/test fast` leaves these out: the first of them compiles the dependencies again.
mod slow {
    use super::{added, errors, silent};

    #[test]
    fn a_new_field_is_asked_for_wherever_it_could_be_ignored() {
        let errors = errors(
            "fields",
            &[
                added("language/policy.rs", "pub struct Policy {", "pub of_policy: bool,"),
                added("language/matching.rs", "pub struct Match {", "pub of_match: bool,"),
                added("language/matching.rs", "pub struct Condition {", "pub of_condition: bool,"),
                added("language/fault.rs", "pub struct Fault {", "pub of_fault: bool,"),
                added("language/guardrail.rs", "pub struct Guardrail {", "pub of_guardrail: bool,"),
            ],
        );
        for (field, places) in [
            ("of_policy", &["evaluation/rule.rs", "wire/policy.rs", "repository/lint.rs"][..]),
            ("of_policy", &["rendering/first_generation.rs"]),
            ("of_match", &["evaluation/rule.rs", "evaluation/index.rs", "wire/v1.rs", "wire/v2.rs"]),
            ("of_match", &["language/matching.rs", "repository/lint.rs", "rendering/json.rs"]),
            ("of_match", &["rendering/first_generation.rs"]),
            ("of_condition", &["evaluation/rule.rs", "evaluation/index.rs", "wire/v1.rs", "wire/v2.rs"]),
            ("of_condition", &["language/matching.rs", "repository/lint.rs", "rendering/json.rs"]),
            ("of_condition", &["rendering/first_generation.rs"]),
            (
                "of_fault",
                &["evaluation/rule.rs", "wire/parts.rs", "language/guardrail.rs", "repository/lint.rs"],
            ),
            ("of_fault", &["rendering/first_generation.rs"]),
            ("of_guardrail", &["language/guardrail.rs"]),
        ] {
            let silent = silent(&errors, "E0027", field, places);
            assert!(silent.is_empty(), "{field} is ignored in {silent:?}:\n{}", errors.join("\n"));
        }
    }

    #[test]
    fn a_new_variant_is_asked_for_wherever_it_could_be_ignored() {
        let errors = errors(
            "variants",
            &[
                added("language/subject.rs", "pub enum Subject {", "NewSubject,"),
                added("language/matcher.rs", "pub enum Test {", "NewTest,"),
            ],
        );
        for (variant, places) in [
            ("NewSubject", &["language/subject.rs"][..]),
            ("NewTest", &["evaluation/compiled_matcher.rs", "wire/v1.rs", "wire/v2.rs", "rendering/json.rs"]),
        ] {
            let silent = silent(&errors, "E0004", variant, places);
            assert!(silent.is_empty(), "{variant} is ignored in {silent:?}:\n{}", errors.join("\n"));
        }
    }
}
