//! A halt waits for no other: neither for one that is being ended, nor for one that cannot be removed from Git.

use std::{fs, path::PathBuf, time::Instant};

use harness::{GitHttp, Repository};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Duration, timeout};

use crate::support::{
    PATIENCE,
    halting::{RESUMES, halt, in_git, request, resume, served, until},
    held_pushes,
    remote::SOON,
    writer::hook,
    writing::{Answer, CHECKOUT, Change, Replica, content, git, repository},
};

struct World {
    repository: Repository,
    _http: GitHttp,
    replica: Replica,
}

/// A replica whose repository takes what this hook takes.
async fn world(pre_receive: &str) -> World {
    let repository = repository(&[("a.yaml", CHECKOUT)]).await;
    hook(&repository, "pre-receive", pre_receive);
    git(&repository, &["config", "http.receivepack", "true"]);
    let http = GitHttp::start(repository.folder()).await.unwrap();
    let replica = Replica::with(&http.url("policies.git"), SOON, |_| {}).await;
    World { repository, _http: http, replica }
}

fn id(state: &Value) -> &str {
    state["id"].as_str().unwrap_or_else(|| panic!("{state}"))
}

fn tells(state: &Value, trouble: &str) -> bool {
    state["trouble"].as_str().is_some_and(|told| told.contains(trouble))
}

#[tokio::test]
async fn one_is_committed_while_what_another_left_cannot_be_removed() {
    let World { repository, replica, _http } = world("echo 'main is protected' >&2; exit 1").await;
    let first = halt(&replica).await;
    let first = id(&first.body);
    until(&replica, |state| tells(state, "main is protected")).await;
    assert_eq!(resume(&replica, RESUMES).await.status, 200, "nothing of it is in Git");

    // From now on the repository takes what keeps the file, and the commit of the first one arrives after its end.
    let keeps = "while read old new name; do git cat-file -e $new:hfi-halt.yaml || exit 1; done";
    hook(&repository, "pre-receive", keeps);
    let document = format!("kind: Halt\nmetadata: {{annotations: {{hfi.dev/halt-id: {first}}}}}\n");
    repository.write("hfi-halt.yaml", &format!("{document}spec: {{reason: late}}\n")).unwrap();
    repository.push("Halt everything: late").await.unwrap();
    until(&replica, |state| tells(state, "a halt that has ended cannot be removed from Git")).await;

    let second = halt(&replica).await;
    assert_eq!((second.status, &second.body["halted"]), (200, &json!(true)));
    let second = id(&second.body);
    let has = |id| content(&repository, "hfi-halt.yaml").contains(id);
    let committed = timeout(PATIENCE, held_pushes::until(|| has(second))).await;
    committed.expect("the second halt waits for the first");
    // The file stays for the second one, so the first can go.
    let removed = timeout(Duration::from_secs(40), held_pushes::until(|| !has(first))).await;
    removed.expect("what the first one left is never removed");
    assert!(has(second));
}

/// What makes pushes wait: while the first file is there. The second one is there once a push waits.
struct Held {
    hold: PathBuf,
    begun: PathBuf,
}

impl Held {
    /// Holds each push to a repository, and does this with it then.
    fn new(repository: &Repository, then: &str) -> Self {
        let [hold, begun] = ["hold", "begun"].map(|name| repository.folder().join(name));
        fs::write(&hold, "").unwrap();
        let (held, told) = (hold.display(), begun.display());
        hook(
            repository,
            "pre-receive",
            &format!("touch {told}\nwhile [ -e {held} ]; do sleep 0.02; done\n{then}"),
        );
        Self { hold, begun }
    }

    async fn until_begun(&self) {
        let begun = timeout(PATIENCE, held_pushes::until(|| self.begun.exists())).await;
        begun.expect("nothing is pushed");
    }

    fn release(&self) {
        fs::remove_file(&self.hold).unwrap();
    }
}

#[tokio::test]
async fn one_holds_and_is_committed_that_begins_while_another_is_ended() {
    let World { repository, replica, _http } = world("exit 0").await;
    let first = id(&halt(&replica).await.body).to_owned();
    in_git(&replica).await;
    let held = Held::new(&repository, "exit 0");
    let second = async {
        held.until_begun().await;
        let begun = Instant::now();
        let answer = halt(&replica).await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        held.release();
        answer
    };
    let (resumed, second): (Answer, Answer) = tokio::join!(resume(&replica, RESUMES), second);
    assert_eq!((second.status, &second.body["halted"]), (200, &json!(true)), "{second:?}");
    resumed.is_refused(409, "has halted again meanwhile");
    let state = in_git(&replica).await;
    assert_ne!(id(&state), first);
    assert_eq!(served(&replica).await, 0);
    let file = content(&repository, "hfi-halt.yaml");
    assert!(file.contains(id(&state)) && !file.contains(&first), "{file}");
}

#[tokio::test]
async fn an_end_that_fails_after_its_client_has_left_is_told() {
    let World { repository, replica, _http } = world("exit 0").await;
    halt(&replica).await;
    in_git(&replica).await;
    let held = Held::new(&repository, "echo 'main is protected' >&2; exit 1");
    let headers = vec![("prefer", "wait=1".to_owned())];
    let resuming = Change { headers, ..request(Method::DELETE, RESUMES, "") };
    replica.send(resuming).await.is_refused(503, "that goes on");
    held.release();
    let state = until(&replica, |state| tells(state, "not resumed")).await;
    assert!(tells(&state, "main is protected") && state["durable"] == "git", "{state}");
    assert_eq!(served(&replica).await, 0);
    hook(&repository, "pre-receive", "exit 0");
    assert_eq!(resume(&replica, RESUMES).await.status, 200);
    assert_eq!(replica.server.json("/v1/halt").await["trouble"], json!(null));
}
