//! A document of kind `Halt`: the server, `hfi validate` and `hfi explain` agree that what is below it is out of force.

use std::{fs, path::Path};

use harness::Repository;
use reconciler::source::{Settings, location, target::Target};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{NEVER, Server, hfi, policy, remote::access};

const HALT: &str = "kind: Halt\nspec: {reason: checkout is down}\n";
const CHECKOUT: &str = "namespace=demo&service=checkout";

/// `pol/team/a/p.yaml` and `pol/q.yaml`.
fn tree() -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir_all(tree.path().join("pol/team/a")).unwrap();
    fs::create_dir(tree.path().join(".git")).unwrap();
    fs::write(tree.path().join("pol/team/a/p.yaml"), policy("p", "checkout", 503)).unwrap();
    fs::write(tree.path().join("pol/q.yaml"), policy("q", "checkout", 503)).unwrap();
    tree
}

/// The rule that `hfi explain` says decides.
fn decides(tree: &Path, path: &str) -> String {
    let explain = ["explain", "--dir", path, "--namespace", "demo", "--service", "checkout"];
    let (_, text) = hfi(tree, &explain);
    text
}

#[tokio::test]
async fn what_is_below_it_is_listed_as_halted_and_returns_when_it_is_removed() {
    let tree = tree();
    let server = Server::of_folder(&tree.path().join("pol")).await;
    let before = server.snapshot(CHECKOUT, &[]).await.etag;
    let halt = tree.path().join("pol/team/halt.yaml");
    fs::write(&halt, HALT).unwrap();
    let held = server.next(CHECKOUT, &before).await.etag;
    assert_eq!(server.names().await, ["q"]);
    let status = server.json("/v1/policies/status").await;
    let states: Vec<_> =
        status["policies"].as_array().unwrap().iter().map(|policy| &policy["state"]).collect();
    assert_eq!((states, &status["halted"]), (vec![&json!("halted"), &json!("active")], &json!(false)));
    assert_eq!((&status["summary"]["halted"], &status["summary"]["policies"]), (&json!(1), &json!(2)));
    let held_by = |policy: usize| status["policies"][policy]["haltedBy"].clone();
    assert_eq!((held_by(0), held_by(1)), (json!(["team/halt.yaml:1"]), json!([])));
    assert_eq!(server.json("/v1/policies?all=true").await["policies"].as_array().unwrap().len(), 2);
    assert!(decides(tree.path(), "pol").contains("is halted by pol/team/halt.yaml"));
    let (code, text) = hfi(tree.path(), &["validate", "pol"]);
    assert!(code == 0 && text.contains("out of force: checkout is down"), "{text}");

    fs::remove_file(&halt).unwrap();
    assert_eq!(server.next(CHECKOUT, &held).await.etag, before);
}

/// The rejected files, each with its first mistake.
async fn rejected(server: &Server) -> Vec<(String, String)> {
    let status = server.json("/v1/policies/status").await;
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let files = status["rejected"].as_array().unwrap().iter();
    files.map(|file| (text(&file["file"]), text(&file["errors"][0]["message"]))).collect()
}

#[track_caller]
fn is_the_misnamed(rejected: &[(String, String)], file: &str) {
    let is_told =
        |(name, message): &(String, String)| name == file && message.contains("in lower case; rename it");
    assert!(rejected.iter().any(is_told), "{rejected:?}");
}

#[tokio::test]
async fn one_in_a_file_that_ends_in_upper_case_is_not_overlooked() {
    let tree = tree();
    let server = Server::of_folder(&tree.path().join("pol")).await;
    let before = server.snapshot(CHECKOUT, &[]).await.etag;
    // One that stops nothing is ignored as ever.
    fs::write(tree.path().join("pol/r.YAML"), policy("r", "checkout", 503)).unwrap();
    let halt = tree.path().join("pol/team/halt.YAML");
    fs::write(&halt, HALT).unwrap();
    let held = server.next(CHECKOUT, &before).await.etag;
    assert_eq!(server.names().await, ["q"]);
    is_the_misnamed(&rejected(&server).await, "team/halt.YAML");
    let (code, text) = hfi(tree.path(), &["validate", "pol"]);
    assert!(code == 1 && text.contains("pol/team/halt.YAML: ") && text.contains("rename it"), "{text}");
    assert!(text.contains("pol/r.YAML: is ignored"), "{text}");

    fs::remove_file(&halt).unwrap();
    assert_eq!(server.next(CHECKOUT, &held).await.etag, before);
    assert_eq!(rejected(&server).await, []);
}

#[tokio::test]
async fn one_in_a_commit_that_ends_in_upper_case_is_not_overlooked() {
    let repository = Repository::new().await.unwrap();
    repository.write("pol/team/p.yaml", &policy("p", "checkout", 503)).unwrap();
    repository.write("pol/q.yaml", &policy("q", "checkout", 503)).unwrap();
    repository.write("pol/r.YAML", &policy("r", "checkout", 503)).unwrap();
    repository.push("Add policies").await.unwrap();
    let server = following(&repository, "pol").await;
    let before = server.snapshot(CHECKOUT, &[]).await.etag;
    assert_eq!(rejected(&server).await, []);
    repository.write("pol/team/halt.Yml", HALT).unwrap();
    repository.push("Halt").await.unwrap();
    server.next(CHECKOUT, &before).await;
    assert_eq!(server.names().await, ["q"]);
    is_the_misnamed(&rejected(&server).await, "pol/team/halt.Yml");
}

/// A server of the branch `main`.
async fn following(repository: &Repository, path: &str) -> Server {
    let settings = Settings::Git {
        repository: location::Repository::Local(repository.bare()),
        target: Target::Branch("main".parse().unwrap()),
        path: path.into(),
        access: Box::new(access()),
    };
    let server = Server::start(settings, NEVER).await;
    server.until_ready().await;
    server
}

#[tokio::test]
async fn one_in_a_directory_above_halts_everything() {
    let tree = tree();
    let server = Server::of_folder(&tree.path().join("pol/team")).await;
    let before = server.snapshot(CHECKOUT, &[]).await.etag;
    fs::write(tree.path().join("pol/halt.yaml"), HALT).unwrap();
    server.next(CHECKOUT, &before).await;
    assert!(server.names().await.is_empty());
    assert_eq!(server.json("/v1/ready").await["halted"], true);
    assert_eq!(server.json("/v1/policies/status").await["halted"], true);
    let why = decides(tree.path(), "pol/team");
    assert!(why.contains("is halted by") && why.contains("pol/halt.yaml"), "{why}");
}

#[tokio::test]
async fn one_of_the_policy_directory_of_a_repository_or_above_halts_everything() {
    for halt in ["pol/halt.yaml", "pol/team/halt.yaml"] {
        let repository = Repository::new().await.unwrap();
        repository.write("pol/team/a/p.yaml", &policy("p", "checkout", 503)).unwrap();
        repository.push("Add p").await.unwrap();
        let server = following(&repository, "pol/team").await;
        assert_eq!(server.json("/v1/ready").await["halted"], false);
        let before = server.snapshot(CHECKOUT, &[]).await;
        repository.write(halt, HALT).unwrap();
        repository.push("Halt").await.unwrap();
        server.next(CHECKOUT, &before.etag).await;
        assert_eq!(server.json("/v1/ready").await["halted"], true, "{halt}");
        assert_eq!(server.json("/v1/policies/status").await["halted"], true, "{halt}");
    }
}
