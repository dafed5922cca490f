//! `x-hfi-revision` of a commit that a replica does not know: it fetches before it answers.

use std::{fs, time::Duration};

use harness::{GitHttp, Repository};
use tokio::time::{Instant, timeout};

use crate::{
    support::remote::{access, following},
    support::{NEVER, PATIENCE, Server, Snapshot, policy},
};

const CHECKOUT: &str = "namespace=demo&service=checkout";

/// A replica that notices no push by itself, since its repository is behind HTTP, and one commit more
/// than it has seen.
struct World {
    repository: Repository,
    _http: GitHttp,
    late: Server,
    /// The snapshot that the replica serves.
    old: Snapshot,
    /// The revision that a client runs which has been answered by another replica.
    ahead: String,
}

/// The tag of the snapshot that the client runs.
const ETAG: &str = "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"";

impl World {
    async fn new() -> Self {
        let repository = Repository::new().await.unwrap();
        let http = GitHttp::start(repository.folder()).await.unwrap();
        repository.write("a.yaml", &policy("a", "checkout", 503)).unwrap();
        repository.push("Add a").await.unwrap();
        let late = Server::start(following(&http.url("policies.git"), &access()), NEVER).await;
        late.until_ready().await;
        let old = late.snapshot(CHECKOUT, &[]).await;
        let mut world = Self { repository, _http: http, late, old, ahead: String::new() };
        world.change(500).await;
        world.ahead = world.tip().await;
        world
    }

    async fn change(&self, status: u16) {
        self.repository.write("a.yaml", &policy("a", "checkout", status)).unwrap();
        self.repository.push("Change a").await.unwrap();
    }

    async fn tip(&self) -> String {
        format!("main@sha1:{}", self.repository.git(&["rev-parse", "HEAD"]).await.unwrap().trim())
    }

    /// Asks as a client that runs `revision`.
    async fn ask(&self, revision: &str, headers: &[(&str, &str)]) -> Snapshot {
        let headers = [&[("x-hfi-revision", revision)], headers].concat();
        timeout(PATIENCE, self.late.snapshot(CHECKOUT, &headers)).await.expect("no answer")
    }

    async fn until_a_fetch_has_failed(&self) {
        let failed = async {
            while !self.late.get("/v1/ready", &[]).await.text().await.unwrap().contains("cannot fetch") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, failed).await.expect("it does not fetch");
    }

    fn take_git_away(&self) {
        fs::rename(self.repository.bare(), self.repository.folder().join("away.git")).unwrap();
    }

    fn bring_git_back(&self) {
        fs::rename(self.repository.folder().join("away.git"), self.repository.bare()).unwrap();
    }
}

#[tokio::test]
async fn who_runs_a_newer_commit_is_answered_with_it() {
    let world = World::new().await;
    assert_eq!(world.late.snapshot(CHECKOUT, &[]).await, world.old, "it is behind");
    let answer = world.ask(&world.ahead, &[("if-none-match", ETAG), ("prefer", "wait=60")]).await;
    assert_eq!((answer.status, &answer.revision), (200, &world.ahead));
    assert_ne!(answer.etag, world.old.etag);
}

#[tokio::test]
async fn without_a_fetch_the_client_is_held_and_then_left_as_it_is() {
    let world = World::new().await;
    world.take_git_away();
    let begun = Instant::now();
    let answer = world.ask(&world.ahead, &[("if-none-match", ETAG), ("prefer", "wait=1")]).await;
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let left = Snapshot { status: 304, etag: ETAG.into(), revision: world.ahead.clone(), body: Vec::new() };
    assert_eq!(answer, left, "not the tag nor the revision of what is older");
    let bare = world.ask(&world.ahead, &[("prefer", "wait=1")]).await;
    assert_eq!((bare.status, bare.revision.as_str()), (503, ""), "{bare:?}");
    // Its own bytes are no exception: they are answered with its own, older revision.
    let same = [("if-none-match", world.old.etag.as_str()), ("prefer", "wait=1")];
    assert_eq!(world.ask(&world.ahead, &same).await.revision, world.ahead);
}

#[tokio::test]
async fn the_held_are_answered_when_git_is_back() {
    let world = World::new().await;
    world.take_git_away();
    let headers = [("if-none-match", ETAG), ("prefer", "wait=60")];
    let back = async {
        world.until_a_fetch_has_failed().await;
        world.bring_git_back();
    };
    let (answer, ()) = tokio::join!(world.ask(&world.ahead, &headers), back);
    assert_eq!((answer.status, &answer.revision), (200, &world.ahead));
}

#[tokio::test]
async fn a_commit_that_was_forced_off_the_branch_is_answered_after_one_fetch() {
    let world = World::new().await;
    world.repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]).await.unwrap();
    world.repository.write("a.yaml", &policy("a", "checkout", 418)).unwrap();
    world.repository.git(&["commit", "--quiet", "--all", "--message", "Instead"]).await.unwrap();
    world.repository.git(&["push", "--quiet", "--force", "origin", "main"]).await.unwrap();
    let answer = world.ask(&world.ahead, &[("if-none-match", ETAG), ("prefer", "wait=60")]).await;
    assert_eq!((answer.status, answer.revision), (200, world.tip().await));
    // A commit that never was goes the same way.
    let bogus = format!("main@sha1:{}", "0".repeat(40));
    let answer = world.ask(&bogus, &[("if-none-match", ETAG), ("prefer", "wait=60")]).await;
    assert_eq!((answer.status, answer.revision), (200, world.tip().await));
    // And one that was served here, forced off, and forced back on.
    world.repository.git(&["push", "--quiet", "--force", "origin", "HEAD~1:main"]).await.unwrap();
    let forced = world.tip().await;
    world.ask(&bogus, &[]).await;
    world.repository.git(&["push", "--quiet", "--force", "origin", "main"]).await.unwrap();
    assert_eq!(world.ask(&forced, &[]).await.revision, forced);
}

#[tokio::test]
async fn who_is_known_or_says_nothing_of_use_is_answered_at_once() {
    let world = World::new().await;
    world.take_git_away();
    let served = world.old.revision.clone();
    let before = world.repository.git(&["rev-parse", "HEAD~2"]).await.unwrap();
    let digest = "ab".repeat(32);
    for revision in [
        &served,
        &format!("main@sha1:{}", before.trim()),
        "",
        "main",
        "main@sha1:abc",
        &format!("dir@sha256:{digest}"),
        &format!("halt@sha256:{digest}"),
        "\u{e4}\u{f6}",
    ] {
        let begun = Instant::now();
        assert_eq!(world.ask(revision, &[]).await, world.old, "{revision}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{revision}");
    }
}

#[tokio::test]
async fn shutdown_lets_the_held_go() {
    let world = World::new().await;
    world.take_git_away();
    let held = world.ask(&world.ahead, &[("if-none-match", ETAG), ("prefer", "wait=60")]);
    let stop = async {
        world.until_a_fetch_has_failed().await;
        world.late.trigger.request();
    };
    let (answer, ()) = tokio::join!(held, stop);
    assert_eq!((answer.status, &answer.revision), (304, &world.ahead));
}

#[tokio::test]
async fn revisions_of_directories_have_no_order() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
    let server = Server::of_folder(folder.path()).await;
    let ahead = format!("main@sha1:{}", "0".repeat(40));
    let begun = Instant::now();
    assert_eq!(server.snapshot(CHECKOUT, &[("x-hfi-revision", &ahead)]).await.status, 200);
    assert!(begun.elapsed() < Duration::from_secs(4));
}
