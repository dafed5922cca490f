//! A replica that is asked to end brings the halt that it has just taken into Git first.

use std::{fs, time::Instant};

use harness::{GitHttp, Repository};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Duration, timeout};

use crate::support::{
    PATIENCE, client,
    halting::{RESUMES, is_empty, post, request},
    held_pushes::until,
    process::{Process, text},
    replicas,
    writing::{CHECKOUT, content, git, path, process, repository, send},
};

/// The longest that an end may take: Kubernetes asks, and kills some time later.
const END: Duration = Duration::from_secs(12);

struct World {
    repository: Repository,
    _http: GitHttp,
    tokens: TempDir,
    url: String,
}

impl World {
    async fn new() -> Self {
        let repository = repository(&[("a.yaml", CHECKOUT)]).await;
        git(&repository, &["config", "http.receivepack", "true"]);
        let http = GitHttp::start(repository.folder()).await.unwrap();
        let url = http.url("policies.git");
        Self { repository, _http: http, tokens: tempfile::tempdir().unwrap(), url }
    }

    async fn replica(&self, more: &[(&str, &str)]) -> Process {
        let hfi = process(&self.url, self.tokens.path(), more).await;
        hfi.until_ready(|_| true).await;
        hfi
    }

    /// Halts while the repository is away, and asks for the end.
    async fn halt_and_end(&self, hfi: &Process) -> String {
        fs::rename(self.repository.bare(), self.repository.folder().join("away.git")).unwrap();
        let (status, halted) = post(hfi, RESUMES).await;
        assert!(status == 200 && halted["durable"] == "pending", "{halted}");
        hfi.signal("TERM");
        let asked = until(|| hfi.said("shutting down").is_some());
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("{}", hfi.log()));
        halted["id"].as_str().unwrap().to_owned()
    }

    fn bring_back(&self) {
        fs::rename(self.repository.folder().join("away.git"), self.repository.bare()).unwrap();
    }
}

#[tokio::test]
async fn it_is_committed_before_the_process_ends() {
    let world = World::new().await;
    let mut hfi = world.replica(&[]).await;
    let id = world.halt_and_end(&hfi).await;
    world.bring_back();
    assert!(hfi.ended(END).await.success());
    assert!(content(&world.repository, "hfi-halt.yaml").contains(&id), "{}", hfi.log());
}

#[tokio::test]
async fn one_that_cannot_be_committed_is_told_and_keeps_the_process_for_8_s_only() {
    let world = World::new().await;
    let mut hfi = world.replica(&[]).await;
    let begun = Instant::now();
    let id = world.halt_and_end(&hfi).await;
    assert!(hfi.ended(END).await.success());
    assert!(begun.elapsed() < END, "{:?}", begun.elapsed());
    let told = hfi.said("ends before the halt is in Git").unwrap_or_else(|| panic!("{}", hfi.log()));
    assert_eq!(told["id"], id);
}

#[tokio::test]
async fn it_goes_on_where_the_next_process_follows_another_path() {
    let repository = repository(&[("one/a.yaml", CHECKOUT), ("two/a.yaml", CHECKOUT)]).await;
    let tokens = tempfile::tempdir().unwrap();
    let (state, repo) = (tokens.path().join("state"), path(&repository));
    let start = async |path: &str| {
        let more = [("HFI_PATH", path), ("HFI_STATE_DIR", text(&state)), ("HFI_INTERVAL", "1s")];
        let hfi = process(&repo, tokens.path(), &more).await;
        hfi.until_ready(|_| true).await;
        hfi
    };
    let mut hfi = start("one").await;
    let (_, halted) = post(&hfi, RESUMES).await;
    in_git(&hfi).await;
    hfi.signal("TERM");
    assert!(hfi.ended(END).await.success());

    let hfi = start("two").await;
    let told = hfi.said("the halts that were stored go on here").unwrap_or_else(|| panic!("{}", hfi.log()));
    assert!(
        told["before"].as_str().unwrap().contains("path `one`")
            && told["now"].as_str().unwrap().contains("path `two`"),
        "{told}"
    );
    assert!(is_empty(&hfi).await, "nobody has ended it");
    let state = in_git(&hfi).await;
    assert_eq!(state["id"], halted["id"]);
    let id = halted["id"].as_str().unwrap();
    assert!(content(&repository, "two/hfi-halt.yaml").contains(id));
    let resumed = send(&client(), &hfi.url, request(Method::DELETE, RESUMES, "")).await.unwrap();
    assert_eq!(resumed.status, 200, "{resumed:?}");
    assert!(!is_empty(&hfi).await);
    assert!(content(&repository, "one/hfi-halt.yaml").contains(id), "who follows that is still halted");
}

/// The state of a halt, once it is in Git.
async fn in_git(hfi: &Process) -> Value {
    replicas::until(hfi, "/v1/halt", |state| state["durable"] == "git").await
}
