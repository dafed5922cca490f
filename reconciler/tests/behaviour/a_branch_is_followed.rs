//! `--repo`: whatever is done to the branch, what is served is what it says, or the last good.

use std::{path::PathBuf, time::Duration};

use harness::Repository;
use reconciler::source::{Settings, Source, target::Target};
use serde_json::Value;

use crate::support::{NEVER, PATIENCE, Server, policy, remote::access};

const CHECKOUT: &str = "namespace=demo&service=checkout";

fn following(repository: &Repository, path: &str) -> Settings {
    following_branch(repository, path, "main")
}

fn following_branch(repository: &Repository, path: &str, branch: &str) -> Settings {
    let repository = reconciler::source::location::Repository::Local(repository.bare());
    let target = Target::Branch(branch.parse().unwrap());
    Settings::Git { repository, target, path: PathBuf::from(path), access: Box::new(access()) }
}

/// A repository with one policy, and a server that follows it.
async fn world() -> (Repository, Server) {
    let repository = Repository::new().await.unwrap();
    repository.write("a.yaml", &policy("a", "checkout", 503)).unwrap();
    repository.push("Add a").await.unwrap();
    let server = Server::start(following(&repository, ""), NEVER).await;
    server.until_ready().await;
    (repository, server)
}

/// Runs git in the bare repository itself.
async fn in_bare(repository: &Repository, arguments: &[&str]) {
    let bare = repository.bare();
    repository.git(&[&["-C", bare.to_str().unwrap()], arguments].concat()).await.unwrap();
}

#[tokio::test]
async fn a_push_is_noticed_and_named_by_its_commit() {
    let (repository, server) = world().await;
    let before = server.snapshot(CHECKOUT, &[]).await;
    repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    repository.push("Change a").await.unwrap();
    let after = server.next(CHECKOUT, &before.etag).await;
    let commit = repository.git(&["rev-parse", "HEAD"]).await.unwrap();
    assert_eq!(after.revision, format!("main@sha1:{}", commit.trim()));
}

#[tokio::test]
async fn a_policy_that_is_deleted_is_gone() {
    let (repository, server) = world().await;
    let before = server.snapshot(CHECKOUT, &[]).await;
    repository.remove("a.yaml").unwrap();
    repository.push("Remove a").await.unwrap();
    server.next(CHECKOUT, &before.etag).await;
    assert!(server.names().await.is_empty());
}

#[tokio::test]
async fn a_force_push_is_followed_back() {
    let (repository, server) = world().await;
    let first = server.snapshot(CHECKOUT, &[]).await;
    repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    repository.push("Change a").await.unwrap();
    let second = server.next(CHECKOUT, &first.etag).await;
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]).await.unwrap();
    repository.git(&["push", "--quiet", "--force", "origin", "main"]).await.unwrap();
    assert_eq!(server.next(CHECKOUT, &second.etag).await, first);
}

#[tokio::test]
async fn a_branch_that_is_gone_changes_nothing_until_it_is_back() {
    let (repository, server) = world().await;
    let before = server.snapshot(CHECKOUT, &[]).await;
    in_bare(&repository, &["update-ref", "-d", "refs/heads/main"]).await;
    let held = [("if-none-match", before.etag.as_str()), ("prefer", "wait=1")];
    assert_eq!(server.snapshot(CHECKOUT, &held).await.status, 304);
    assert_eq!(server.names().await, ["a"]);
    repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    repository.push("Come back").await.unwrap();
    server.next(CHECKOUT, &before.etag).await;
}

#[tokio::test]
async fn what_is_read_comes_again_until_it_is_kept() {
    let repository = Repository::new().await.unwrap();
    let mut source = Source::open(following(&repository, ""), None).unwrap();
    drop(source.read(|_| false).unwrap().expect("nothing is new"));
    source.read(|_| false).unwrap().expect("it was not kept").keep();
    assert!(source.read(|_| false).unwrap().is_none());
}

#[tokio::test]
async fn a_branch_that_is_gone_is_an_error_and_not_its_old_tip() {
    let repository = Repository::new().await.unwrap();
    let mut source = Source::open(following(&repository, ""), None).unwrap();
    source.read(|_| false).unwrap().expect("nothing is new").keep();
    in_bare(&repository, &["update-ref", "-d", "refs/heads/main"]).await;
    let error = source.read(|_| false).unwrap_err().to_string();
    assert!(error.ends_with("has no branch `main`, nor any branch: it is empty"), "{error}");
}

#[tokio::test]
async fn packed_refs_are_no_deletion() {
    let (repository, server) = world().await;
    let before = server.snapshot(CHECKOUT, &[]).await;
    in_bare(&repository, &["pack-refs", "--all"]).await;
    let held = [("if-none-match", before.etag.as_str()), ("prefer", "wait=1")];
    assert_eq!(server.snapshot(CHECKOUT, &held).await.status, 304);
    repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    repository.push("Change a").await.unwrap();
    server.next(CHECKOUT, &before.etag).await;
}

#[tokio::test]
async fn only_the_policy_directory_is_read() {
    let repository = Repository::new().await.unwrap();
    repository.write("a.yaml", &policy("a", "checkout", 503)).unwrap();
    repository.write("teams/shop/b.yaml", &policy("b", "checkout", 503)).unwrap();
    repository.write("teams/shop/.hidden/c.yaml", &policy("c", "checkout", 503)).unwrap();
    repository.push("Add policies").await.unwrap();
    let server = Server::start(following(&repository, "teams/shop"), NEVER).await;
    server.until_ready().await;
    assert_eq!(server.names().await, ["b"]);
}

#[tokio::test]
async fn a_policy_directory_that_the_commit_does_not_have_is_empty() {
    let repository = Repository::new().await.unwrap();
    let server = Server::start(following(&repository, "none/such"), NEVER).await;
    server.until_ready().await;
    assert!(server.names().await.is_empty());
}

#[tokio::test]
async fn a_missing_branch_is_named_and_waited_for() {
    let repository = Repository::new().await.unwrap();
    let server = Server::start(following_branch(&repository, "", "policies"), NEVER).await;
    let told = async {
        loop {
            let ready = server.get("/v1/ready", &[]).await;
            let problem: Value = serde_json::from_slice(&ready.bytes().await.unwrap()).unwrap();
            if problem["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains("has no branch `policies`; its branches are `main`"))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
    repository.git(&["push", "--quiet", "origin", "main:policies"]).await.unwrap();
    server.until_ready().await;
}

#[tokio::test]
async fn an_invalid_file_stops_its_own_faults_only() {
    let (repository, server) = world().await;
    let alone = server.snapshot(CHECKOUT, &[]).await;
    repository.write("b.yaml", &policy("b", "checkout", 503)).unwrap();
    repository.push("Add b").await.unwrap();
    let both = server.next(CHECKOUT, &alone.etag).await;
    repository.write("a.yaml", "metadata: {name: a}\nspec: {rulez: []}\n").unwrap();
    repository.push("Break a").await.unwrap();
    server.next(CHECKOUT, &both.etag).await;
    assert_eq!(server.names().await, ["b"]);
}

#[tokio::test]
async fn a_guardrail_above_the_policy_directory_counts() {
    let repository = Repository::new().await.unwrap();
    repository.write("guardrail.yaml", "kind: Guardrail\nspec: {httpStatuses: [500]}\n").unwrap();
    repository.write("teams/other/guardrail.yaml", "kind: Guardrail\nspec: {maxPercentage: 0}\n").unwrap();
    repository.write("teams/elsewhere.yaml", &policy("elsewhere", "checkout", 500)).unwrap();
    repository.write("teams/shop/a.yaml", &policy("a", "checkout", 503)).unwrap();
    repository.write("teams/shop/deep/b.yaml", &policy("b", "checkout", 500)).unwrap();
    repository.push("Add policies").await.unwrap();
    let server = Server::start(following(&repository, "teams/shop"), NEVER).await;
    server.until_ready().await;
    assert_eq!(server.names().await, ["b"]);
    let etag = server.snapshot(CHECKOUT, &[]).await.etag;
    repository.write("teams/guardrail.yaml", "kind: Guardrail\nspec: {maxPercent: 1}\n").unwrap();
    repository.push("Mistype a guardrail").await.unwrap();
    server.next(CHECKOUT, &etag).await;
    assert!(server.names().await.is_empty());
}

#[tokio::test]
async fn a_symbolic_link_may_have_hidden_a_guardrail() {
    let (repository, server) = world().await;
    let before = server.snapshot(CHECKOUT, &[]).await;
    repository.write("team/b.yaml", &policy("b", "checkout", 503)).unwrap();
    std::os::unix::fs::symlink("../a.yaml", repository.work().join("team/guardrail.yaml")).unwrap();
    repository.write("team/LOUD.YAML", "kind: Guardrail").unwrap();
    repository.write("c.yaml", &policy("c", "checkout", 503)).unwrap();
    repository.push("Link a guardrail").await.unwrap();
    server.next(CHECKOUT, &before.etag).await;
    assert_eq!(server.names().await, ["a", "c"]);
}
