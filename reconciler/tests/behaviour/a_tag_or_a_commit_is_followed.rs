//! `--tag` and `--commit`: instead of a branch, with all of the history that durations need.

use std::{fs, path::PathBuf, time::Duration};

use harness::{GitHttp, Repository};
use reconciler::source::{Settings, target::Target};

use crate::{
    support::process::{Process, text},
    support::remote::{SOON, access, look_at, repository},
    support::{NEVER, PATIENCE, Server, policy},
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
    assert!(error.ends_with("has no tag `stable`; its tags are `tree`"), "{error}");
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
async fn a_commit_that_is_pushed_later_is_served_then_and_nothing_is_fetched_twice() {
    let repository = repository().await;
    let (urls, _server) = both_ways(&repository).await;
    for url in &urls {
        let state = tempfile::tempdir().unwrap();
        repository.git(&["commit", "--quiet", "--allow-empty", "-m", "Later"]).await.unwrap();
        let later = head(&repository).await;
        repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]).await.unwrap();
        let environment = [
            ("HFI_REPO", url.as_str()),
            ("HFI_COMMIT", &later),
            ("HFI_STATE_DIR", text(state.path())),
            ("HFI_INTERVAL", "1s"),
        ];
        let hfi = Process::start(&environment).await;
        let folder = state.path().join("clone.git/objects/pack");
        let packs = async |count: usize| {
            let packs = || fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path());
            let packs = || packs().filter(|path| path.extension().is_some_and(|kind| kind == "idx"));
            let there = async {
                while packs().count() < count {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(PATIENCE, there).await.unwrap_or_else(|_| panic!("{}", hfi.log()));
            packs().collect::<Vec<_>>()
        };
        // Of a repository on this machine nothing is copied before it is known what is followed.
        let is_fetched = url.starts_with("http");
        let first = packs(usize::from(is_fetched)).await;
        // On another branch too.
        repository.git(&["push", "--quiet", "--force", "origin", "HEAD:refs/heads/side/one"]).await.unwrap();
        repository.write("b.yaml", &policy("b", "checkout", 503)).unwrap();
        repository.push("Add b").await.unwrap();
        if is_fetched {
            let second = packs(2).await;
            let new = second.iter().find(|pack| !first.contains(pack)).unwrap();
            let objects = repository.git(&["verify-pack", "-v", text(new)]).await.unwrap();
            let is_object =
                |line: &&str| [" commit ", " tree ", " blob "].iter().any(|kind| line.contains(kind));
            assert_eq!(objects.lines().filter(is_object).count(), 3, "{objects}");
        }
        repository.git(&["push", "--quiet", "origin", &format!("{later}:refs/heads/later")]).await.unwrap();
        hfi.until_ready(|ready| ready["revision"] == format!("commit@sha1:{later}")).await;
        repository.git(&["push", "--quiet", "origin", "--delete", "later", "side/one"]).await.unwrap();
        repository.remove("b.yaml").unwrap();
        repository.push("Remove b").await.unwrap();
    }
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
