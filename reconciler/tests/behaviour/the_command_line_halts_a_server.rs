//! `hfi halt` and `hfi resume` against `hfi serve`, with a repository over HTTP.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness::{GitHttp, Repository};
use policies::Snapshot;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::support::{
    PATIENCE,
    command::{Ended, hfi, hfi_begun},
    person::{is_told, prints, tells},
    policy,
    process::{Process, text},
    writer::{commit_of, hook, over_http},
    writing::{content, process},
};

const SCOPE: &str = "namespace=demo&service=checkout";
const ALICE: &str = "alice-0123456789abcdef";
const RESUMES: &str = "wild-0123456789abcdef";
const STOPS: &str = "stops-0123456789abcdef";
const ALL: &str = "everything is halted, and kept in Git; 0 filters have stopped\n";

/// A server, and the tokens of those who stop it.
struct World {
    repository: Repository,
    _git: GitHttp,
    files: TempDir,
    server: Process,
}

impl World {
    /// A server that takes changes.
    async fn new() -> Self {
        let ((repository, git), files) = (over_http().await, tempfile::tempdir().unwrap());
        let server = process(&git.url("policies.git"), files.path(), &[]).await;
        server.until_ready(|_| true).await;
        Self { repository, _git: git, files, server }
    }

    /// A server that takes halts only.
    async fn that_only_halts(more: &[(&str, PathBuf)]) -> Self {
        let ((repository, git), files) = (over_http().await, tempfile::tempdir().unwrap());
        let (url, tokens) = (git.url("policies.git"), files.path().join("tokens"));
        fs::write(&tokens, format!("stop {STOPS}\n")).unwrap();
        let own = [("HFI_REPO", &*url), ("HFI_BRANCH", "main"), ("HFI_HALT_TOKEN_FILE", text(&tokens))];
        let more = more.iter().map(|(name, path)| (*name, text(path)));
        let server = Process::start(&own.into_iter().chain(more).collect::<Vec<_>>()).await;
        server.until_ready(|_| true).await;
        Self { repository, _git: git, files, server }
    }

    async fn hfi(&self, token: &str, arguments: &[&str]) -> Ended {
        let file = self.token(token);
        hfi(arguments, &self.variables(&file)).await
    }

    fn token(&self, token: &str) -> PathBuf {
        let file = self.files.path().join(token);
        fs::write(&file, token).unwrap();
        file
    }

    fn variables<'a>(&'a self, token: &'a Path) -> [(&'a str, &'a str); 2] {
        [("HFI_SERVER", &self.server.url), ("HFI_TOKEN_FILE", text(token))]
    }

    /// The number of policies that a filter gets now.
    async fn served(&self) -> usize {
        Snapshot::decode(&self.server.snapshot(SCOPE).await.body).unwrap().policies.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn until_somebody_resumes() {
    let world = World::new().await;
    assert_eq!(world.served().await, 1);
    let halted = world.hfi(ALICE, &["halt", "-m", "Pager"]).await;
    prints(&halted, 0, ALL);
    tells(&halted, &["halted by alice since ", ": Pager\n"]);
    assert_eq!(world.served().await, 0);
    let file = content(&world.repository, "hfi-halt.yaml");
    assert!(file.contains("kind: Halt") && file.contains("Pager"), "{file}");
    prints(&world.hfi(ALICE, &["halt", "-m", "Pager"]).await, 0, ALL);

    let halted = commit_of(&world.repository, "main").await;
    let unasked = world.hfi(RESUMES, &["resume"]).await;
    assert_eq!(unasked.code, 2, "{unasked:?}");
    tells(&unasked, &["stdin is no terminal", "add --yes"]);
    let refused = world.hfi(ALICE, &["resume", "--yes"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    tells(&refused, &["right `resume`", "\n  next: "]);
    assert_eq!((world.served().await, commit_of(&world.repository, "main").await), (0, halted));

    let resumed = world.hfi(RESUMES, &["resume", "--yes"]).await;
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(resumed.stdout.ends_with("resumed; policies that come into force again: 1\n"), "{resumed:?}");
    assert_eq!(world.served().await, 1);
    let again = world.hfi(RESUMES, &["resume"]).await;
    assert!(again.code == 0 && again.stdout.starts_with("nothing is halted at replica "), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_cannot_commit_it_and_says_so() {
    let world = World::that_only_halts(&[]).await;
    let halted = world.hfi(STOPS, &["halt", "--wait=1s"]).await;
    is_told(&halted, 1, &["error: it is in memory only: a restart undoes it", "\n  next: "]);
    assert_eq!(world.served().await, 0, "it is halted all the same");
    assert_eq!(world.hfi(STOPS, &["resume", "--yes"]).await.code, 1, "who stops does not resume");
    assert_eq!(world.served().await, 0);

    let state = tempfile::tempdir().unwrap();
    let world = World::that_only_halts(&[("HFI_STATE_DIR", state.path().join("state"))]).await;
    let halted = world.hfi(STOPS, &["halt", "--wait=1s"]).await;
    is_told(&halted, 1, &["error: it is not in Git: a replica that is replaced does not know it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_forge_refuses_it_with_the_words_of_the_forge() {
    let world = World::new().await;
    let refusing = hook(&world.repository, "pre-receive", "echo main is protected >&2; exit 1");
    let halted = world.hfi(ALICE, &["halt", "--wait=3s"]).await;
    assert_eq!(halted.code, 1, "{halted:?}");
    tells(&halted, &["a restart undoes it", "main is protected"]);
    assert_eq!(world.served().await, 0, "it is halted all the same");
    fs::remove_file(refusing).unwrap();
    prints(&world.hfi(ALICE, &["halt"]).await, 0, ALL);
    assert_eq!(world.server.json("/v1/halt").await["durable"], json!("git"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_somebody_waits_for_filters_and_is_told() {
    let world = World::new().await;
    let (alice, file) = (world.token(ALICE), world.files.path().join("b.yaml"));
    fs::write(&file, policy("b", "cart", 503)).unwrap();
    let apply = ["policy", "apply", "-f", text(&file), "--wait=20s"];
    let applying = hfi_begun(&apply, &world.variables(&alice)).await;
    prints(&world.hfi(ALICE, &["halt", "-m", "Pager"]).await, 0, ALL);
    let ended = timeout(PATIENCE, applying.ended()).await.expect("it waits all the same");
    prints(&ended, 1, "policy/b created\n");
    let told =
        "error: policy/b: everything is halted, so no filter runs it\n  next: `hfi resume` ends the halt\n";
    assert!(ended.stderr.ends_with(told), "{ended:?}");
    assert!(content(&world.repository, "b.yaml").contains("503"), "the change stands");
}
