//! Halts: every policy at and below their directory is out of force, and stays valid.
#![cfg(test)]
#![cfg(feature = "authoring")]

use std::sync::Arc;

use policies::{
    Catalog, File, Scope, Timestamp,
    repository::{Sources, State, lint},
};

const HALT: &str = "kind: Halt\nspec: {reason: checkout is down}\n";
const NOW: Timestamp = Timestamp::from_millis(0);

fn policy(name: &str) -> String {
    format!("metadata: {{name: {name}}}\nspec: {{rules: [{{fault: {{percentage: 5, delay_ms: 1}}}}]}}\n")
}

fn catalog(files: &[(&str, &str)], above: &[(&str, &str)]) -> Catalog {
    catalog_of("", files, above)
}

fn catalog_of(directory: &str, files: &[(&str, &str)], above: &[(&str, &str)]) -> Catalog {
    let parsed = |files: &[(&str, &str)]| -> Vec<(Arc<str>, File)> {
        files.iter().map(|(path, yaml)| (Arc::from(*path), File::read(yaml.as_bytes()))).collect()
    };
    let (files, above) = (parsed(files), parsed(above));
    let pairs = |files: &'static [(Arc<str>, File)]| files.iter().map(|(path, file)| (path, file)).collect();
    // Leaked: a test is short, and the sources borrow.
    let sources = Sources {
        files: pairs(files.leak()),
        ancestors: pairs(above.leak()),
        directory,
        ..Sources::default()
    };
    Catalog::new(&sources, |_, _| None)
}

/// The policies in force, and those that are halted with the file of their halt.
fn states(catalog: &Catalog) -> (Vec<&str>, Vec<(&str, &str)>) {
    let (mut active, mut halted) = (Vec::new(), Vec::new());
    for located in catalog.policies() {
        let name = located.entry.policy.name.as_str();
        match located.state(NOW) {
            State::Active => active.push(name),
            State::Halted => halted.push((name, located.held_by.as_deref().unwrap())),
            state => panic!("{name}: {state:?}"),
        }
    }
    (active, halted)
}

fn tree() -> [(String, String); 4] {
    [("team/a.yaml", "a"), ("team/deep/b.yaml", "b"), ("teams/c.yaml", "c"), ("d.yaml", "d")]
        .map(|(path, name)| (path.to_owned(), policy(name)))
}

fn with(path: &str, text: &str) -> Catalog {
    let tree = tree();
    let mut files: Vec<_> = tree.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push((path, text));
    catalog(&files, &[])
}

#[test]
fn it_holds_its_directory_and_below_and_no_other() {
    for (path, active, held) in [
        ("team/x.yaml", &["c", "d"][..], &["a", "b"][..]),
        ("team/deep/x.yaml", &["a", "c", "d"], &["b"]),
        ("x.yaml", &[], &["a", "b", "c", "d"]),
        ("other/x.yaml", &["a", "b", "c", "d"], &[]),
    ] {
        let catalog = with(path, HALT);
        let held: Vec<_> = held.iter().map(|name| (*name, path)).collect();
        assert_eq!(states(&catalog), (active.to_vec(), held), "{path}");
        assert!(catalog.problems().is_empty(), "{:?}", catalog.problems());
        let snapshot = catalog.snapshot(&Scope::new(["demo"], ["checkout"]).unwrap(), NOW);
        assert_eq!(snapshot.policies.len(), active.len(), "{path}");
        let [halt] = catalog.halts() else { panic!("{:?}", catalog.halts()) };
        assert_eq!((&*halt.halt.reason, halt.holds_everything()), ("checkout is down", path == "x.yaml"));
    }
}

#[test]
fn one_above_the_policy_directory_holds_everything() {
    let policy = policy("a");
    let catalog = catalog(&[("team/a.yaml", &policy)], &[("../../halt.yaml", HALT)]);
    assert_eq!(states(&catalog), (vec![], vec![("a", "../../halt.yaml")]));
    assert!(catalog.halts()[0].holds_everything());
}

#[test]
fn one_of_the_policy_directory_of_a_repository_or_above_holds_everything() {
    let policy = policy("a");
    for (path, everything) in [
        ("halt.yaml", true),
        ("pol/halt.yaml", true),
        ("pol/icies/halt.yaml", true),
        ("pol/icies/team/halt.yaml", false),
    ] {
        let (mut files, mut above) = (vec![("pol/icies/team/a.yaml", &*policy)], vec![]);
        if path.starts_with("pol/icies/") { &mut files } else { &mut above }.push((path, HALT));
        let catalog = catalog_of("pol/icies/", &files, &above);
        assert_eq!(states(&catalog), (vec![], vec![("a", path)]));
        assert_eq!(catalog.halts()[0].holds_everything(), everything, "{path}");
    }
}

#[test]
fn of_several_halts_the_first_that_holds_a_policy_is_told() {
    let policy = policy("a");
    for (files, first) in [
        (["team/x.yaml", "x.yaml"], "team/x.yaml"),
        (["a.yaml", "team/x.yaml"], "a.yaml"),
        (["team/deep/x.yaml", "team/y.yaml"], "team/y.yaml"),
    ] {
        let mut all = vec![("team/a.yaml", &*policy)];
        all.extend(files.map(|path| (path, HALT)));
        assert_eq!(states(&catalog(&all, &[])).1, [("a", first)], "{files:?}");
    }
}

#[test]
fn its_name_is_optional_and_clashes_with_none() {
    let named =
        "kind: Halt\nmetadata: {name: a, annotations: {hfi.dev/halt-id: x, n: 1}}\nspec: {reason: r}\n";
    let catalog = with("team/x.yaml", &format!("{named}---\n{named}---\n{HALT}"));
    assert!(catalog.problems().is_empty(), "{:?}", catalog.problems());
    assert_eq!(catalog.halts().len(), 3);
    let halt = &catalog.halts()[0].halt;
    assert_eq!((halt.annotation("hfi.dev/halt-id"), halt.annotation("n")), (Some("x"), None));
    assert_eq!(catalog.halts()[1].halt.place.line, 5);
}

#[test]
fn a_file_that_is_invalid_and_may_hold_one_takes_what_is_below_it_out_of_force() {
    for broken in [
        "kind: Halt\n",
        "kind: Halt\nspec: {}\n",
        "kind: Halt\nspec: {reason: ''}\n",
        "kind: Halt\nspec: {reason: [a]}\n",
        "kind: Halt\nspec: {reason: a, until: b}\n",
        "kind: Halt\nspec: {reason: a",
        "kind: Hold\nspec: {reason: a}\n",
        "spec: {reason: a}\n",
        "apiVersion: hfi.dev/v2\nkind: Halt\nspec: {reason: a}\n",
        "apiVersion: example.com/v1\nkind: Halt\nspec: {reason: a}\n",
        "apiVersion: v1\nkind: halt\nspec: {reason: a}\n",
        "apiVersion: v1\nKind: Halt\nspec: {reason: a}\n",
        "apiVersion: v1\nkind: List\nitems: [{kind: FaultPolicy}, {kind: Halt, spec: {reason: a}}]\n",
        "apiVersion: v1\nkind: list\nitems: [{apiVersion: hfi.dev/v2, kind: Pause}]\n",
        "- kind: Halt\n  spec: {reason: a}\n",
        r#"[{"kind": "FaultPolicy"}, {"kind": "Halt", "spec": {"reason": "a"}}]"#,
        "- spec: {reason: a}\n",
        "kind Halt\n",
        &format!("{HALT}---\nmetadata: {{}}\n"),
        &format!("kind: Halt\nspec: {{reason: '{}'}}\n", "a".repeat(1_025)),
    ] {
        let catalog = with("team/x.yaml", broken);
        let names: Vec<_> =
            catalog.policies().iter().map(|located| located.entry.policy.name.as_str()).collect();
        assert_eq!(names, ["c", "d"], "{broken:?}");
        let told = catalog.problems().iter().map(ToString::to_string).collect::<String>();
        assert!(told.contains("team/x.yaml is invalid and may hold a guardrail or a halt for it"), "{told}");
    }
}

#[test]
fn a_halt_in_utf_16_takes_what_is_below_it_out_of_force() {
    let text = format!("\u{feff}{HALT}");
    let (little, big) =
        (text.encode_utf16().flat_map(u16::to_le_bytes), text.encode_utf16().flat_map(u16::to_be_bytes));
    for bytes in [little.collect::<Vec<_>>(), big.collect()] {
        let file = File::read(&bytes);
        assert!(!file.findings.is_empty() && file.guardrails().is_none(), "{file:?}");
    }
    let policy: Vec<_> = policy("a").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(File::read(&policy).guardrails().is_some());
}

#[test]
fn a_file_that_is_invalid_and_holds_none_binds_nothing() {
    for broken in [
        "[{kind: FaultPolicy}]\n",
        "apiVersion: v1\nkind: List\nitems: [{kind: FaultPolicy}, {kind: Service}]\n",
        "apiVersion: v1\nkind: faultpolicy\n",
        "- {op: remove, path: /a}\n",
        "no document\n",
    ] {
        let file = File::read(broken.as_bytes());
        assert!(!file.findings.is_empty() && file.guardrails().is_some(), "{broken:?} {file:?}");
    }
    let foreign = File::read(b"apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Service}]\n");
    assert!(foreign.findings.is_empty() && foreign.ignored == 1, "{foreign:?}");
}

#[test]
fn a_policy_that_would_not_be_in_force_keeps_its_state() {
    let suspended = policy("s").replace("{rules", "{suspend: true, rules");
    let catalog = catalog(&[("s.yaml", &suspended), ("x.yaml", HALT)], &[]);
    assert_eq!(catalog.policies()[0].state(NOW), State::Suspended);
}

#[test]
fn each_is_warned_of() {
    let warnings = lint::warnings(&with("team/x.yaml", HALT), NOW);
    let told: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    let expected =
        "team/x.yaml:1:1: kind: keeps every policy at and below its directory out of force: checkout is down";
    assert!(told.contains(&expected.to_owned()), "{told:#?}");
}
