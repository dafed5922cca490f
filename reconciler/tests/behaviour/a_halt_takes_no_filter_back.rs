//! A halt empties every snapshot at once, and hides from no replica what a filter ran before.

use std::{fs, path::PathBuf};

use harness::{GitHttp, Repository};
use policies::Snapshot;
use tempfile::TempDir;

use crate::support::{
    policy,
    process::{Answer, Process, text},
};

const CHECKOUT: &str = "/v1/snapshot?namespace=demo&service=checkout";

/// A repository with two policies, of which one is deleted later, and a replica that will not hear of it.
struct World {
    repository: Repository,
    http: GitHttp,
    folder: TempDir,
    late: Process,
    /// The newest snapshot, which another replica serves.
    newest: Answer,
}

impl World {
    /// The replica that is late keeps a state directory if it `keeps_state`.
    async fn new(keeps_state: bool) -> Self {
        let repository = Repository::new().await.unwrap();
        let http = GitHttp::start(repository.folder()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        repository.write("a.yaml", &policy("a", "checkout", 503)).unwrap();
        repository.write("b.yaml", &policy("b", "checkout", 500)).unwrap();
        repository.push("Add a and b").await.unwrap();
        let late = Self::replica(&http, &folder, keeps_state).await;
        late.until_ready(|_| true).await;
        repository.remove("a.yaml").unwrap();
        repository.push("Delete a").await.unwrap();
        let other = tempfile::tempdir().unwrap();
        let first = Self::replica(&http, &other, false).await;
        first.until_ready(|_| true).await;
        let newest = first.get(CHECKOUT, &[]).await;
        assert_eq!(policies(&newest), 1);
        let world = Self { repository, http, folder, late, newest };
        fs::rename(world.repository.bare(), world.away()).unwrap();
        world
    }

    async fn replica(http: &GitHttp, folder: &TempDir, keeps_state: bool) -> Process {
        let (url, state) = (http.url("policies.git"), folder.path().join("state"));
        let halt = folder.path().join("halt");
        let environment =
            [("HFI_REPO", url.as_str()), ("HFI_INTERVAL", "1h"), ("HFI_HALT_FILE", text(&halt))];
        let state = keeps_state.then_some(("HFI_STATE_DIR", text(&state)));
        Process::start(&environment.into_iter().chain(state).collect::<Vec<_>>()).await
    }

    fn away(&self) -> PathBuf {
        self.repository.folder().join("away.git")
    }

    fn halt(&self) {
        fs::write(self.folder.path().join("halt"), "").unwrap();
    }

    fn resume(&self) {
        fs::remove_file(self.folder.path().join("halt")).unwrap();
    }

    /// The answer of the late replica to a filter that was told the newest revision, and runs `etag`.
    async fn ask(&self, etag: &str, wait: &str) -> Answer {
        let revision = self.newest.revision.as_str();
        let headers = [("if-none-match", etag), ("x-hfi-revision", revision), ("prefer", wait)];
        self.late.get(CHECKOUT, &headers).await
    }

    /// The filter keeps what it has.
    fn is_kept(&self, answer: &Answer, etag: &str) {
        let shown = (answer.status, answer.etag.as_str(), &answer.revision);
        assert_eq!(shown, (304, etag, &self.newest.revision), "{}", self.late.log());
    }

    /// The filter is halted, and told nothing older than before.
    fn is_emptied(&self, answer: &Answer) {
        assert_eq!((answer.status, &answer.revision), (200, &self.newest.revision), "{}", self.late.log());
        assert_eq!(policies(answer), 0);
    }
}

fn policies(answer: &Answer) -> usize {
    Snapshot::decode(&answer.body).unwrap().policies.len()
}

#[tokio::test]
async fn a_replica_that_has_lost_git_serves_nothing_older_after_it() {
    let world = World::new(false).await;
    world.is_kept(&world.ask(&world.newest.etag, "wait=1").await, &world.newest.etag);
    let (halted, ()) = tokio::join!(world.ask(&world.newest.etag, "wait=9"), async { world.halt() });
    world.is_emptied(&halted);
    // It is held as before, and goes on with the same revision when nothing happens.
    world.is_kept(&world.ask(&halted.etag, "wait=1").await, &halted.etag);
    let (resumed, ()) = tokio::join!(world.ask(&halted.etag, "wait=9"), async { world.resume() });
    world.is_kept(&resumed, &halted.etag);
    world.is_kept(&world.ask(&halted.etag, "wait=1").await, &halted.etag);
    fs::rename(world.away(), world.repository.bare()).unwrap();
    assert_eq!(world.ask(&halted.etag, "wait=9").await, world.newest);
}

#[tokio::test]
async fn nor_does_one_that_starts_during_it_from_its_state_directory() {
    let mut world = World::new(true).await;
    world.late.child.kill().unwrap();
    world.late.child.wait().unwrap();
    world.halt();
    world.late = World::replica(&world.http, &world.folder, true).await;
    world.is_emptied(&world.ask(&world.newest.etag, "wait=9").await);
    world.late.until_ready(|ready| ready["restored"] == true).await;
    let halted = world.ask(&world.newest.etag, "wait=9").await;
    world.is_emptied(&halted);
    let (resumed, ()) = tokio::join!(world.ask(&halted.etag, "wait=9"), async { world.resume() });
    world.is_kept(&resumed, &halted.etag);
    fs::rename(world.away(), world.repository.bare()).unwrap();
    assert_eq!(world.ask(&halted.etag, "wait=9").await, world.newest);
}

#[tokio::test]
async fn one_that_has_never_read_git_names_what_a_filter_ran() {
    let mut world = World::new(false).await;
    world.halt();
    world.late = World::replica(&world.http, &world.folder, false).await;
    world.is_emptied(&world.ask(&world.newest.etag, "wait=9").await);
    let new = world.late.get(CHECKOUT, &[]).await;
    assert!(new.revision.starts_with("halt@sha256:"), "{}", new.revision);
}
