//! `hfi validate`: what it calls valid in a Git work tree is what `hfi serve --repo` serves of its commit.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::Path,
    process::Command,
};

use harness::Repository;
use serde_json::Value;

use crate::support::{
    NEVER, Server, hfi, policy,
    remote::{access, following, repository},
};

/// Something odd in a work tree, and whether it makes the repository invalid.
type Odd = (&'static str, fn(&Path), bool);

const ODDITIES: [Odd; 7] = [
    ("nothing", |_| {}, true),
    (
        "a linked file",
        |work| {
            fs::create_dir(work.join(".shared")).unwrap();
            fs::write(work.join(".shared/one.yaml"), policy("one", "cart", 503)).unwrap();
            symlink(".shared/one.yaml", work.join("one.yaml")).unwrap();
        },
        false,
    ),
    ("a dangling link", |work| symlink("nowhere.yaml", work.join("one.yaml")).unwrap(), false),
    (
        "a linked directory",
        |work| {
            fs::create_dir_all(work.join("common")).unwrap();
            fs::write(work.join("common/c.yaml"), policy("common", "cart", 503)).unwrap();
            symlink("common", work.join("prod")).unwrap();
        },
        true,
    ),
    (
        "a name that is not UTF-8",
        |work| {
            fs::write(work.join(OsStr::from_bytes(b"caf\xe9.yaml")), policy("one", "cart", 503)).unwrap();
        },
        false,
    ),
    (
        "a directory whose name is not UTF-8",
        |work| {
            fs::create_dir(work.join(OsStr::from_bytes(b"caf\xe9"))).unwrap();
            fs::write(work.join(OsStr::from_bytes(b"caf\xe9/a.yaml")), policy("one", "cart", 503)).unwrap();
        },
        true,
    ),
    (
        "an ending in upper case",
        |work| {
            fs::write(work.join("b.YAML"), policy("one", "cart", 503)).unwrap();
        },
        true,
    ),
];

async fn served(repository: &Repository) -> (Vec<String>, Vec<String>) {
    let server = Server::start(following(&repository.bare().display().to_string(), &access()), NEVER).await;
    server.until_ready().await;
    let status = server.json("/v1/policies/status").await;
    let of = |list: &str, field: &str| {
        let items = status[list].as_array().unwrap().iter();
        let mut found: Vec<_> = items.map(|item| item[field].as_str().unwrap().to_owned()).collect();
        found.sort();
        found
    };
    (of("policies", "name"), of("rejected", "file"))
}

#[tokio::test]
async fn a_work_tree_is_judged_as_its_commit_is() {
    for (what, make, is_valid) in ODDITIES {
        let repository = repository().await;
        repository.write("notes.txt", what).unwrap();
        make(&repository.work());
        let (code, text) = hfi(&repository.work(), &["validate", "-o", "json", "."]);
        let report: Value = serde_json::from_str(&text).unwrap();
        repository.push("Add odd things").await.unwrap();
        let (policies, rejected) = served(&repository).await;

        assert_eq!((code == 0, rejected.is_empty()), (is_valid, is_valid), "{what}: {text} {rejected:?}");
        let errors = report["errors"].as_array().unwrap().iter();
        let mut files: Vec<_> = errors.map(|error| error["file"].as_str().unwrap().to_owned()).collect();
        files.dedup();
        assert_eq!(files, rejected.iter().map(|file| format!("./{file}")).collect::<Vec<_>>(), "{what}");
        let (_, text) = hfi(&repository.work(), &["validate", "."]);
        // Named as the user sees it, not by where the work tree is.
        assert!(!text.contains(repository.work().to_str().unwrap()), "{what}: {text}");
        let count = policies.len();
        assert!(
            text.contains(&format!("\n{count} polic")) || text.starts_with(&format!("{count} polic")),
            "{what}: {text}"
        );
        let is_warned = !report["warnings"].as_array().unwrap().is_empty();
        assert_eq!(is_warned, is_valid && what != "nothing", "{what}: {report}");
    }
}

#[tokio::test]
async fn what_git_ignores_is_in_no_commit() {
    let repository = repository().await;
    let work = repository.work();
    let ignored = "build/\n*.local.yaml\n!kept.local.yaml\n";
    for (file, text) in [
        (".gitignore", ignored),
        ("build/a.yaml", "spec: wrong"),
        ("team/a.local.yaml", "spec: wrong"),
        ("kept.local.yaml", &policy("kept", "cart", 503)),
        // It was added in spite of that.
        ("forced.local.yaml", "spec: wrong"),
    ] {
        let path = work.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let added =
        Command::new("git").arg("-C").arg(&work).args(["add", "--force", "forced.local.yaml"]).status();
    assert!(added.unwrap().success());
    let (code, text) = hfi(&work, &["validate", "-o", "json", "."]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let errors = report["errors"].as_array().unwrap();
    let mut files: Vec<_> = errors.iter().map(|error| error["file"].as_str().unwrap()).collect();
    files.dedup();
    assert_eq!((code, files), (1, vec!["./forced.local.yaml"]), "{text}");
    repository.push("Add files that are ignored").await.unwrap();
    let (policies, rejected) = served(&repository).await;
    assert!(policies.contains(&"kept".to_owned()), "{policies:?}");
    assert_eq!(rejected, ["forced.local.yaml"]);
    // Who names such a file wants to hear of it.
    let (code, text) = hfi(&work, &["validate", "team/a.local.yaml"]);
    assert!(code == 1 && text.contains("is in no commit, since Git ignores it"), "{text}");
}

#[tokio::test]
async fn a_work_tree_has_the_limits_of_a_commit() {
    let repository = repository().await;
    let line = format!("# {}\n", "x".repeat(1_021));
    for number in 0..65 {
        fs::write(repository.work().join(format!("{number}.yaml")), line.repeat(1_024)).unwrap();
    }
    let (code, text) = hfi(&repository.work(), &["validate", "."]);
    let reason = "is refused by `hfi serve` as a commit: its policy files have more than 67108864 bytes";
    assert!(code == 1 && text.contains(reason), "{text}");
    assert!(text.contains("0 policies are valid; 1 error"), "{text}");
}

#[tokio::test]
async fn a_submodule_is_passed_over_with_a_warning_in_every_format() {
    let repository = repository().await;
    let team = repository.work().join("team");
    fs::create_dir(&team).unwrap();
    fs::write(team.join("p.yaml"), policy("team", "cart", 503)).unwrap();
    fs::write(team.join(".git"), "gitdir: ../.git/modules/team\n").unwrap();
    let told = "is a submodule and ignored: policies stand in this repository itself";
    let (code, text) = hfi(&repository.work(), &["validate", "."]);
    assert!(code == 0 && text.contains(&format!("warning: ./team: {told}")), "{text}");
    assert!(text.ends_with("1 policy is valid; 0 errors, 1 warning\n"), "{text}");
    let (_, text) = hfi(&repository.work(), &["validate", "-o", "json", "."]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let wanted = serde_json::json!({"column": 0, "field": "", "file": "./team", "line": 0, "message": told});
    assert_eq!(report["warnings"], Value::Array(vec![wanted]));
    let (_, text) = hfi(&repository.work(), &["validate", "-o", "github", "."]);
    assert_eq!(text, format!("::warning file=./team::{told}\n"));
    // Outside of a work tree it is a directory like any other, as for `serve --dir`.
    fs::remove_dir_all(repository.work().join(".git")).unwrap();
    assert!(
        hfi(&repository.work(), &["validate", "."])
            .1
            .starts_with("2 policies are valid; 0 errors, 0 warnings")
    );
}

#[tokio::test]
async fn a_plain_directory_is_judged_as_it_is_served() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("..data")).unwrap();
    fs::write(root.join("..data/a.yaml"), policy("a", "checkout", 503)).unwrap();
    symlink("..data/a.yaml", root.join("a.yaml")).unwrap();
    fs::write(root.join("b.yaml"), policy("b", "cart", 503)).unwrap();
    let server = Server::of_folder(root).await;
    assert_eq!(server.names().await.len(), 2);
    assert!(hfi(root, &["validate", "."]).1.starts_with("2 policies are valid"));
    fs::write(root.join(OsStr::from_bytes(b"\xff.yaml")), policy("c", "checkout", 503)).unwrap();
    let (code, text) = hfi(root, &["validate", "."]);
    assert!(
        code == 1 && text.contains("has a name that is not UTF-8") && text.contains("0 policies are valid"),
        "{text}"
    );
    assert!(Server::of_folder(root).await.names().await.is_empty());
}

#[test]
fn a_single_file_that_no_server_reads_is_told() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.txt"), policy("a", "checkout", 503)).unwrap();
    let (code, text) = hfi(directory.path(), &["validate", "a.txt"]);
    assert!(code == 0 && text.contains("warning: a.txt: is ignored where its directory is served"), "{text}");
}

#[test]
fn names_reach_a_terminal_only_in_what_can_be_printed() {
    let directory = tempfile::tempdir().unwrap();
    let name = "evil\u{1b}[2J\u{202e}\nerror: no.yaml";
    fs::write(directory.path().join(name), "spec: {\u{85}: [").unwrap();
    fs::create_dir(directory.path().join("sub\u{1b}[31m")).unwrap();
    fs::write(directory.path().join("sub\u{1b}[31m/x.YAML"), "").unwrap();
    let explain = ["explain", "--dir", ".", "--namespace", "a", "--service", "b"];
    for arguments in [
        &["validate", "."][..],
        &["validate", ".", "-o", "github"],
        &["validate", ".", "-o", "json"],
        &explain,
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_hfi"))
            .current_dir(directory.path())
            .args(arguments)
            .output()
            .unwrap();
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!printed.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), "{printed:?}");
        assert!(!printed.contains("\nerror: no.yaml"), "{printed}");
        assert!(printed.contains("evil\\u001b[2J\\u202e"), "{printed}");
    }
}
