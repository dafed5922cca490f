//! `POST /v1/halt` stops everything at once, becomes a commit, and ends with `DELETE /v1/halt` or that file.

use std::fs;

use harness::{GitHttp, Repository};
use policies::Snapshot;
use reqwest::Method;
use serde_json::json;
use tokio::time::{Duration, sleep, timeout};

use crate::support::{
    NEVER, PATIENCE,
    halting::{Files, RESUMES, SCOPE, STOPS, halt, in_git, is_empty, post, request, resume, served, until},
    process::{Process, text},
    writer::hook,
    writing::{ALICE, CHECKOUT, Change, Replica, content, git, path, repository},
};

async fn world() -> (Repository, Replica) {
    let repository = repository(&[("a.yaml", CHECKOUT)]).await;
    let replica = Replica::of(&path(&repository)).await;
    (repository, replica)
}

#[tokio::test]
async fn nothing_is_served_after_the_answer_and_the_commit_follows() {
    let (repository, replica) = world().await;
    assert_eq!(served(&replica).await, 1);
    let before = replica.server.json("/v1/halt").await;
    assert_eq!(
        (&before["halted"], &before["id"], &before["complete"]),
        (&json!(false), &json!(null), &json!(null))
    );
    let etag = replica.server.snapshot(SCOPE, &[]).await.etag;
    let (answer, held) = tokio::join!(halt(&replica), replica.server.next(SCOPE, &etag));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(Snapshot::decode(&held.body).unwrap().policies.is_empty(), "a poll that waits is told");
    assert_eq!(served(&replica).await, 0);
    let said = &answer.body;
    assert_eq!(
        (&said["halted"], &said["by"], &said["reason"]),
        (&json!(true), &json!("alice"), &json!("checkout is down"))
    );
    assert!(said["durable"] == "pending" || said["durable"] == "git", "{said}");
    assert_eq!(said["replicas"].as_array().unwrap().len(), 1);
    let state = in_git(&replica).await;
    assert_eq!((&state["id"], &state["since"]), (&said["id"], &said["since"]));
    let show = git(&repository, &["show", "--no-patch", "--format=%an%n%s", "main"]);
    assert_eq!(show.trim(), "alice\nHalt everything: checkout is down");
    let file = content(&repository, "hfi-halt.yaml");
    assert!(file.contains("kind: Halt") && file.contains(said["id"].as_str().unwrap()), "{file}");
    let status = replica.server.json("/v1/policies/status").await;
    assert_eq!((&status["halted"], &status["policies"][0]["name"]), (&json!(true), &json!("a")), "{status}");

    let again = halt(&replica).await;
    assert_eq!((again.status, &again.body["id"]), (200, &said["id"]), "it is the same halt");
}

#[tokio::test]
async fn to_resume_removes_the_commit_and_needs_a_right() {
    let (repository, replica) = world().await;
    halt(&replica).await;
    in_git(&replica).await;
    resume(&replica, ALICE).await.is_refused(403, "right `resume`");
    assert_eq!(resume(&replica, "nobody-0123456789abcdef").await.status, 401);
    assert_eq!(served(&replica).await, 0);
    let resumed = resume(&replica, RESUMES).await;
    assert_eq!((resumed.status, &resumed.body["halted"]), (200, &json!(false)), "{resumed:?}");
    assert_eq!(served(&replica).await, 1);
    assert!(!git(&repository, &["ls-tree", "--name-only", "main"]).contains("hfi-halt.yaml"));
    let commits = git(&repository, &["rev-list", "--count", "main"]);
    assert_eq!(resume(&replica, RESUMES).await.status, 200, "nothing is halted");
    assert_eq!(git(&repository, &["rev-list", "--count", "main"]), commits);
    // A halt that follows is another one.
    halt(&replica).await;
    in_git(&replica).await;
    assert_eq!(served(&replica).await, 0);
}

#[tokio::test]
async fn whoever_removes_the_file_ends_the_halt() {
    let (repository, replica) = world().await;
    halt(&replica).await;
    in_git(&replica).await;
    repository.git(&["pull", "-q", "--rebase", "origin", "main"]).await.unwrap();
    repository.remove("hfi-halt.yaml").unwrap();
    repository.push("Go on").await.unwrap();
    until(&replica, |state| state["halted"] == false).await;
    assert_eq!(served(&replica).await, 1);
}

#[tokio::test]
async fn a_replica_that_only_reads_git_is_halted_too_and_resumes_with_it() {
    let (repository, one) = world().await;
    let other = Replica::of(&path(&repository)).await;
    let id = halt(&one).await.body["id"].clone();
    let state = in_git(&other).await;
    assert_eq!((&state["id"], &state["by"]), (&id, &json!("alice")));
    assert_eq!(served(&other).await, 0);
    assert_eq!(resume(&other, RESUMES).await.status, 200);
    until(&one, |state| state["halted"] == false).await;
    assert_eq!((served(&one).await, served(&other).await), (1, 1));
}

#[tokio::test]
async fn two_halts_at_once_are_both_kept_and_end_together() {
    let (repository, one) = world().await;
    let other = Replica::of(&path(&repository)).await;
    let (first, second) = tokio::join!(halt(&one), halt(&other));
    let ids = [first.body["id"].as_str().unwrap(), second.body["id"].as_str().unwrap()];
    in_git(&one).await;
    in_git(&other).await;
    let both = async {
        while !ids.iter().all(|id| content(&repository, "hfi-halt.yaml").contains(id)) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, both).await.expect("both are in the file");
    until(&one, |state| state["durable"] == "git").await;
    let resumed = async {
        // One that was not fetched yet stays.
        while resume(&one, RESUMES).await.status != 200 {}
    };
    timeout(PATIENCE, resumed).await.expect("resumed");
    until(&other, |state| state["halted"] == false).await;
}

#[tokio::test]
async fn a_repository_that_refuses_the_commit_is_told_and_the_halt_holds() {
    let (repository, _) = world().await;
    let hook = hook(&repository, "pre-receive", "echo 'GL-HOOK-ERR: main is protected' >&2; exit 1");
    git(&repository, &["config", "http.receivepack", "true"]);
    let http = GitHttp::start(repository.folder()).await.unwrap();
    let replica = Replica::of(&http.url("policies.git")).await;
    halt(&replica).await;
    let state = until(&replica, |state| state["durable"] == "memory").await;
    assert!(state["trouble"].as_str().unwrap().contains("main is protected"), "{state}");
    assert_eq!(served(&replica).await, 0);
    let resumed = resume(&replica, RESUMES).await;
    assert_eq!(resumed.status, 200, "nothing has to be removed: {resumed:?}");
    halt(&replica).await;
    fs::remove_file(hook).unwrap();
    in_git(&replica).await;
}

#[tokio::test]
async fn on_a_branch_that_is_not_served_it_is_not_in_git() {
    let repository = repository(&[("a.yaml", CHECKOUT)]).await;
    let replica = Replica::with(&path(&repository), NEVER, |options| {
        options.settings.write_branch = Some("hfi/{user}/{name}-{id}".parse().unwrap());
    })
    .await;
    halt(&replica).await;
    let state = until(&replica, |state| state["durable"] == "memory").await;
    assert!(state["trouble"].as_str().unwrap().contains("hfi/alice/hfi-halt-"), "{state}");
    let branch = git(&repository, &["branch", "--list", "hfi/*", "--format=%(refname:short)"]);
    assert_eq!(branch.lines().count(), 1, "it is proposed once");
    // Somebody merges it, and only another merge ends it.
    git(&repository, &["update-ref", "refs/heads/main", branch.trim()]);
    in_git(&replica).await;
    resume(&replica, RESUMES).await.is_refused(409, "is merged");
    assert_eq!(served(&replica).await, 0);
}

#[tokio::test]
async fn nothing_resumes_while_git_cannot_be_written_to() {
    let (repository, replica) = world().await;
    halt(&replica).await;
    in_git(&replica).await;
    let away = repository.folder().join("away.git");
    fs::rename(repository.bare(), &away).unwrap();
    resume(&replica, RESUMES).await.is_refused(503, "everything stays halted");
    assert_eq!(served(&replica).await, 0);
    fs::rename(away, repository.bare()).unwrap();
    assert_eq!(resume(&replica, RESUMES).await.status, 200);
    assert_eq!(served(&replica).await, 1);
}

#[tokio::test]
async fn a_halt_that_somebody_wrote_elsewhere_is_named() {
    let (repository, replica) = world().await;
    repository.write("stop.yaml", "kind: Halt\nspec: {reason: by hand}\n").unwrap();
    repository.push("Stop").await.unwrap();
    let state = until(&replica, |state| state["halted"] == true).await;
    assert_eq!(
        (&state["reason"], &state["standing"]),
        (&json!("by hand"), &json!(["stop.yaml:1"])),
        "{state}"
    );
    resume(&replica, RESUMES).await.is_refused(409, "stop.yaml:1");
}

#[tokio::test]
async fn one_that_somebody_writes_into_the_file_by_hand_ends_only_once_it_was_read() {
    let repository = repository(&[("a.yaml", CHECKOUT)]).await;
    git(&repository, &["config", "http.receivepack", "true"]);
    let http = GitHttp::start(repository.folder()).await.unwrap();
    // Nothing announces to it what others push.
    let replica = Replica::of(&http.url("policies.git")).await;
    halt(&replica).await;
    in_git(&replica).await;
    let halted = content(&repository, "hfi-halt.yaml");
    repository.git(&["pull", "-q", "--rebase", "origin", "main"]).await.unwrap();
    let both = format!("{halted}---\nkind: Halt\nspec: {{reason: the database fails over}}\n");
    repository.write("hfi-halt.yaml", &both).unwrap();
    repository.push("Stop").await.unwrap();
    resume(&replica, RESUMES).await.is_refused(409, "written by hand: the database fails over");
    assert_eq!(content(&repository, "hfi-halt.yaml"), both);
    assert_eq!(served(&replica).await, 0);
    // A change makes the replica read the branch.
    replica.apply("", &CHECKOUT.replace("name: a", "name: b")).await.is(201, &["b created"]);
    let resumed = resume(&replica, RESUMES).await;
    assert_eq!(resumed.status, 200, "{resumed:?}");
    assert_eq!(served(&replica).await, 2);
}

#[tokio::test]
async fn a_request_that_is_not_right_halts_nothing() {
    let (_repository, replica) = world().await;
    let post = |body: &'static str| request(Method::POST, ALICE, body);
    replica.send(post("{}")).await.is_refused(400, "`reason` is missing");
    replica.send(post(r#"{"reason": " "}"#)).await.is_refused(400, "one line");
    replica
        .send(Change { headers: Vec::new(), ..post(r#"{"reason": "r"}"#) })
        .await
        .is_refused(415, "application/json");
    let cross =
        vec![("content-type", "application/json".to_owned()), ("origin", "https://evil.example".to_owned())];
    replica.send(Change { headers: cross, ..post(r#"{"reason": "r"}"#) }).await.is_refused(403, "browser");
    replica.send(request(Method::POST, "", r#"{"reason": "r"}"#)).await.is_refused(401, "token");
    assert_eq!(served(&replica).await, 1);
}

#[tokio::test]
async fn a_token_that_stops_never_resumes() {
    // As an editor of Windows leaves it.
    let files = Files::new(&format!("\u{feff}stop {STOPS}\r\n"));
    let hfi = files.start(&[]).await;
    hfi.until_ready(|_| true).await;
    assert!(!is_empty(&hfi).await);
    assert_eq!(post(&hfi, "other-0123456789abcdef").await.0, 401);
    let (status, state) = post(&hfi, STOPS).await;
    assert_eq!((status, &state["durable"], &state["by"]), (200, &json!("memory"), &json!("stop")), "{state}");
    assert!(is_empty(&hfi).await);
    let request = crate::support::client().delete(format!("{}/v1/halt", hfi.url)).bearer_auth(STOPS);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 403);
    assert!(is_empty(&hfi).await);
    let files = Files::new(&format!("stop {STOPS} resume\n"));
    let tokens = files.path("tokens");
    let refused = Process::refused(&[
        ("HFI_DIR", text(&files.path("policies"))),
        ("HFI_HALT_TOKEN_FILE", text(&tokens)),
    ]);
    assert!(refused.0 != Some(0) && refused.1.contains("the lines of this file have none"), "{refused:?}");
}

#[tokio::test]
async fn without_tokens_nobody_halts() {
    let files = Files::new("");
    let hfi = Process::start(&[("HFI_DIR", text(&files.path("policies")))]).await;
    hfi.until_ready(|_| true).await;
    let (status, problem) = post(&hfi, STOPS).await;
    assert!(status == 405 && problem.to_string().contains("--halt-token-file"), "{problem}");
    assert_eq!(hfi.json("/v1/halt").await["halted"], false);
}

#[tokio::test]
async fn with_a_state_directory_it_outlives_the_process() {
    let files = Files::new(&format!("stop {STOPS}\n"));
    let state = files.path("state");
    let mut hfi = files.start(&[("HFI_STATE_DIR", text(&state))]).await;
    hfi.until_ready(|_| true).await;
    let (_, halted) = post(&hfi, STOPS).await;
    assert_eq!(halted["durable"], "disk");
    hfi.child.kill().unwrap();
    hfi.child.wait().unwrap();
    let hfi = files.start(&[("HFI_STATE_DIR", text(&state))]).await;
    assert!(is_empty(&hfi).await, "before anything was served");
    assert_eq!(hfi.json("/v1/halt").await["id"], halted["id"]);
    drop(hfi);
    fs::write(state.join("halts.json"), "{").unwrap();
    let hfi = files.start(&[("HFI_STATE_DIR", text(&state))]).await;
    assert!(is_empty(&hfi).await, "nobody knows whether somebody has halted");
}

#[tokio::test]
async fn a_kill_between_the_answer_and_the_commit_loses_nothing() {
    let repository = repository(&[("a.yaml", CHECKOUT)]).await;
    git(&repository, &["config", "http.receivepack", "true"]);
    let http = GitHttp::start(repository.folder()).await.unwrap();
    let (directory, url) = (tempfile::tempdir().unwrap(), http.url("policies.git"));
    let (state, tokens) = (directory.path().join("state"), directory.path().join("tokens"));
    fs::write(&tokens, format!("me {RESUMES} resume\n")).unwrap();
    let environment = [
        ("HFI_REPO", url.as_str()),
        ("HFI_INTERVAL", "1s"),
        ("HFI_STATE_DIR", text(&state)),
        ("HFI_WRITE_TOKEN_FILE", text(&tokens)),
    ];
    let mut hfi = Process::start(&environment).await;
    hfi.until_ready(|_| true).await;
    let away = repository.folder().join("away.git");
    fs::rename(repository.bare(), &away).unwrap();
    let (status, halted) = post(&hfi, RESUMES).await;
    assert_eq!((status, &halted["durable"]), (200, &json!("pending")));
    hfi.child.kill().unwrap();
    hfi.child.wait().unwrap();
    let hfi = Process::start(&environment).await;
    assert!(is_empty(&hfi).await);
    fs::rename(away, repository.bare()).unwrap();
    let committed = async {
        while hfi.json("/v1/halt").await["durable"] != "git" {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, committed).await.unwrap_or_else(|_| panic!("{}", hfi.log()));
    assert!(content(&repository, "hfi-halt.yaml").contains(halted["id"].as_str().unwrap()));
    assert!(is_empty(&hfi).await);
}
