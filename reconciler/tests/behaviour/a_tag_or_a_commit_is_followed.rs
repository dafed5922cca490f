//! `--tag` and `--commit`: instead of a branch, with all of the history that durations need.

use std::path::PathBuf;

use mesh::{GitHttp, Repository};
use reconciler::source::{Settings, target::Target};

use crate::{
    remote::{SOON, access, look_at, repository},
    support::{NEVER, Server, policy},
};

const CHECKOUT: &str = "namespace=demo&service=checkout";

fn following(url: &str, target: Target) -> Settings {
    Settings::Git {
        repository: url.parse().unwrap(),
        target,
        path: PathBuf::new(),
        access: Box::new(access()),
    }
}

fn tag(name: &str) -> Target {
    Target::Tag(name.parse().unwrap())
}

async fn head(repository: &Repository) -> String {
    repository.git(&["rev-parse", "HEAD"]).await.unwrap().trim().to_owned()
}

async fn push_tag(repository: &Repository, arguments: &[&str]) {
    repository.git(&[&["tag"], arguments].concat()).await.unwrap();
    repository.git(&["push", "--quiet", "--force", "--tags", "origin"]).await.unwrap();
}

/// The repository by a path and by HTTP, where the server that answers must stay alive.
async fn both_ways(repository: &Repository) -> ([String; 2], GitHttp) {
    let server = GitHttp::start(repository.folder()).await.unwrap();
    ([repository.bare().display().to_string(), server.url("policies.git")], server)
}

#[tokio::test]
async fn a_tag_leads_to_its_commit_and_is_followed_when_it_moves() {
    let repository = repository().await;
    push_tag(&repository, &["stable"]).await;
    let first = head(&repository).await;
    let (urls, _server) = both_ways(&repository).await;
    for url in urls {
        push_tag(&repository, &["--force", "stable", &first]).await;
        let server = Server::start(following(&url, tag("stable")), SOON).await;
        server.until_ready().await;
        let before = server.snapshot(CHECKOUT, &[]).await;
        assert_eq!(before.revision, format!("stable@sha1:{first}"));
        repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
        repository.git(&["commit", "--quiet", "--all", "--allow-empty", "-m", "Change a"]).await.unwrap();
        push_tag(&repository, &["--force", "--annotate", "--message", "Moved", "stable"]).await;
        let after = server.next(CHECKOUT, &before.etag).await;
        assert_eq!(after.revision, format!("stable@sha1:{}", head(&repository).await));
    }
}

#[tokio::test]
async fn a_tag_that_is_not_there_or_is_no_commit_is_an_error() {
    let repository = repository().await;
    push_tag(&repository, &["tree", "HEAD^{tree}"]).await;
    let url = repository.bare().display().to_string();
    let error = look_at(following(&url, tag("stable"))).await.unwrap_err();
    assert!(error.ends_with("has no tag `stable`; its branches are `main`"), "{error}");
    let error = look_at(following(&url, tag("tree"))).await.unwrap_err();
    assert!(error.contains("tag `tree` of"), "{error}");
    assert!(error.contains("does not lead to a commit"), "{error}");
}

#[tokio::test]
async fn a_commit_stays_whatever_happens_to_its_branch() {
    let repository = repository().await;
    let commit = head(&repository).await;
    repository.write("a.yaml", &policy("a", "checkout", 500)).unwrap();
    repository.push("Change a").await.unwrap();
    let target = || Target::Commit(commit.parse().unwrap());
    let (urls, _server) = both_ways(&repository).await;
    for url in &urls {
        let checkout = look_at(following(url, target())).await.unwrap();
        assert_eq!(checkout.revision.as_str(), format!("commit@sha1:{commit}"));
        let server = Server::start(following(url, target()), NEVER).await;
        server.until_ready().await;
        let body = String::from_utf8(server.get("/v1/policies", &[]).await.bytes().await.unwrap().to_vec());
        assert!(body.unwrap().contains("503"));
    }
}

#[tokio::test]
async fn a_commit_that_nothing_leads_to_is_an_error() {
    let repository = repository().await;
    let nowhere = "0123456789012345678901234567890123456789";
    let settings =
        following(&repository.bare().display().to_string(), Target::Commit(nowhere.parse().unwrap()));
    let error = look_at(settings).await.unwrap_err();
    let expected = format!("has no branch or tag that leads to commit {nowhere}; its branches are `main`");
    assert!(error.ends_with(&expected), "{error}");
}

#[tokio::test]
async fn the_whole_history_is_fetched_so_that_durations_count_from_their_commit() {
    let repository = repository().await;
    let timed =
        policy("a", "checkout", 503).replace("percentage: 100", "percentage: 100, duration_seconds: 60");
    repository.write("a.yaml", &timed).unwrap();
    repository.git_at(1_700_000_000, &["commit", "--quiet", "--all", "-m", "Long ago"]).await.unwrap();
    repository.write("README.md", "New").unwrap();
    repository.push("Now").await.unwrap();
    push_tag(&repository, &["stable"]).await;
    let commit = head(&repository).await;
    let (urls, _server) = both_ways(&repository).await;
    for url in &urls {
        for target in [tag("stable"), Target::Commit(commit.parse().unwrap())] {
            let server = Server::start(following(url, target), NEVER).await;
            server.until_ready().await;
            assert!(server.names().await.is_empty(), "it ended long ago");
        }
    }
}
