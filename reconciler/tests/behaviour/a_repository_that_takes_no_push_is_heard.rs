//! Changes that the repository refuses, leaves without an answer, or wants on another branch.

use std::{fs, sync::Arc, time::Duration};

use harness::{GitHttp, Repository};
use reconciler::writes::queue::MAX_WAITING;
use tokio::task::JoinSet;

use crate::support::{
    NEVER, PATIENCE, client, policy,
    writer::{hook, over_http},
    writing::{Change, Replica, delete, git, process, send, waiting},
};

/// A repository over HTTP, and a replica that pushes each change to a branch of its own.
async fn proposing() -> (Repository, GitHttp, Replica) {
    let (repository, server) = over_http().await;
    let url = server.url("policies.git");
    let pattern = Some("hfi/{user}/{name}-{id}".parse().unwrap());
    let replica = Replica::with(&url, NEVER, |options| options.settings.write_branch = pattern).await;
    (repository, server, replica)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_hook_reach_the_user_and_hold_up_nobody_else() {
    let (repository, server) = over_http().await;
    let script = "while read old new ref; do git log --format=%B $old..$new | grep -q Forbid && \
                  { echo 'not on a Friday' >&2; exit 1; }; done; exit 0";
    hook(&repository, "pre-receive", script);
    let replica = Replica::of(&server.url("policies.git")).await;
    let (one, other) = (policy("one", "web", 500), policy("other", "web", 500));
    let (bad, good) = tokio::join!(replica.apply("?message=Forbidden", &one), replica.apply("", &other));
    bad.is_refused(403, "not on a Friday");
    good.is(201, &["other created"]);
    assert!(!git(&repository, &["ls-tree", "--name-only", "main"]).contains("one.yaml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_nobody_waits_for_any_more_is_not_pushed_again() {
    let (repository, server) = over_http().await;
    let replica = Replica::of(&server.url("policies.git")).await;
    let before = git(&repository, &["rev-parse", "main"]);
    let dies = repository.folder().join("dies");
    fs::write(&dies, "").unwrap();
    hook(&repository, "pre-receive", &format!("[ ! -e {} ] || kill -9 $PPID", dies.display()));
    let body = policy("new", "web", 500);
    let answer = replica.send(waiting(4, &body)).await;
    answer.is_refused(504, "send the same request again");
    // Once this is answered, no push is under way.
    replica.delete("new").await.is_refused(503, "it is not known yet");
    fs::remove_file(&dies).unwrap();
    replica.delete("new").await.is_refused(503, "it is not known yet");
    assert_eq!(git(&repository, &["rev-parse", "main"]), before);
    let again = replica.send(waiting(20, &body)).await;
    again.is(201, &["new created"]);
    assert_eq!(again.commit(), answer.commit(), "it was done once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_server_that_cannot_update_the_branch_reach_the_user() {
    let (repository, server) = over_http().await;
    let replica = Replica::of(&server.url("policies.git")).await;
    // As a server leaves it that is killed while it updates the branch.
    let lock = repository.bare().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let body = policy("new", "web", 500);
    let refused = async {
        loop {
            let answer = replica.send(waiting(3, &body)).await;
            // Its time may be over in the middle of a push.
            if answer.status != 504 {
                break answer;
            }
        }
    };
    let refused = tokio::time::timeout(3 * PATIENCE, refused).await.unwrap();
    refused.is_refused(503, "the repository did not update the branch");
    refused.is_refused(503, "main.lock': File exists");
    fs::remove_file(&lock).unwrap();
    replica.send(waiting(20, &body)).await.is(201, &["new created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_without_an_answer_is_unknown_and_the_same_request_tells() {
    let (repository, server) = over_http().await;
    let replica = Replica::of(&server.url("policies.git")).await;
    let hold = repository.folder().join("hold");
    fs::write(&hold, "").unwrap();
    hook(&repository, "pre-receive", &format!("while [ -e {} ]; do sleep 0.02; done", hold.display()));
    let body = policy("new", "web", 500);
    let mut change = waiting(2, &body);
    change.headers.push(("if-none-match", "*".to_owned()));
    let answer = replica.send(change.clone()).await;
    answer.is_refused(504, "send the same request again");
    assert_eq!((&answer.body["outcome"], answer.commit().len()), (&"unknown".into(), 40), "{answer:?}");
    fs::remove_file(&hold).unwrap();
    let again = tokio::time::timeout(PATIENCE, replica.send(change)).await.unwrap();
    again.is(201, &["new created"]);
    assert_eq!(again.commit(), answer.commit(), "it was done once");
    assert_eq!(git(&repository, &["rev-parse", "main"]).trim(), answer.commit());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_before_the_push_changes_nothing() {
    let (repository, server) = over_http().await;
    let replica = Replica::of(&server.url("policies.git")).await;
    let before = git(&repository, &["rev-parse", "main"]);
    let hold = repository.folder().join("hold");
    fs::write(&hold, "").unwrap();
    hook(&repository, "pre-receive", &format!("while [ -e {} ]; do sleep 0.02; done", hold.display()));
    let (first, second) = (policy("first", "web", 500), policy("second", "web", 500));
    let leave = async {
        let pushing = replica.send(waiting(3, &first));
        let late = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            replica.send(waiting(1, &second)).await
        };
        tokio::join!(pushing, late)
    };
    let (late, left) = leave.await;
    late.is_refused(504, "unknown");
    left.is_refused(503, "nothing was written");
    fs::remove_file(&hold).unwrap();
    let again = tokio::time::timeout(PATIENCE, replica.send(waiting(2, &first))).await.unwrap();
    again.is(201, &["first created"]);
    replica.apply("", &policy("third", "web", 500)).await.is(201, &["third created"]);
    let commits = git(&repository, &["log", "--format=%s", &format!("{}..main", before.trim())]);
    assert_eq!(commits.trim(), "Apply third\nApply first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_branch_gets_a_proposal_on_another() {
    let (repository, _server, replica) = proposing().await;
    let before = git(&repository, &["rev-parse", "main"]);
    let answer = replica.apply("", &policy("new", "web", 500)).await;
    answer.is(202, &["new created"]);
    let branch = answer.body["branch"].as_str().unwrap();
    assert!(branch.starts_with("hfi/alice/new-") && answer.body["served"] == false, "{answer:?}");
    assert_eq!(git(&repository, &["rev-parse", branch]).trim(), answer.commit());
    assert_eq!(git(&repository, &["rev-parse", &format!("{branch}~1")]), before);
    assert_eq!(git(&repository, &["rev-parse", "main"]), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_whose_end_is_unknown_is_told_by_the_same_request_and_made_once() {
    let (repository, _server, replica) = proposing().await;
    let hold = repository.folder().join("hold");
    fs::write(&hold, "").unwrap();
    hook(&repository, "pre-receive", &format!("while [ -e {} ]; do sleep 0.02; done", hold.display()));
    let body = policy("new", "web", 500);
    let answer = replica.send(waiting(2, &body)).await;
    answer.is_refused(504, "send the same request again");
    fs::remove_file(&hold).unwrap();
    let again = tokio::time::timeout(PATIENCE, replica.send(waiting(2, &body))).await.unwrap();
    again.is(202, &["new created"]);
    assert_eq!(again.commit(), answer.commit(), "it was done once");
    let branches = git(&repository, &["for-each-ref", "--format=%(refname:short)", "refs/heads/hfi"]);
    assert_eq!(branches.trim(), again.body["branch"].as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_whose_server_died_is_pushed_again_to_the_same_branch() {
    let (repository, _server, replica) = proposing().await;
    let died = repository.folder().join("died");
    let script = format!("[ -e {died} ] && exit 0\ntouch {died}\nkill -9 $PPID", died = died.display());
    hook(&repository, "pre-receive", &script);
    let answer = replica.apply("", &policy("new", "web", 500)).await;
    answer.is(202, &["new created"]);
    let branches = git(&repository, &["for-each-ref", "--format=%(refname:short)", "refs/heads/hfi"]);
    assert_eq!(branches.trim(), answer.body["branch"].as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_after_a_push_without_an_answer_does_not_tell_that_nothing_was_written() {
    let (repository, server) = over_http().await;
    let replica = Replica::of(&server.url("policies.git")).await;
    let died = repository.folder().join("died");
    let script = format!("[ -e {died} ] && exit 1\ntouch {died}\nkill -9 $PPID", died = died.display());
    let hook = hook(&repository, "pre-receive", &script);
    let body = policy("new", "web", 500);
    let answer = replica.send(waiting(2, &body)).await;
    answer.is_refused(504, "send the same request again");
    replica.send(waiting(20, &body)).await.is_refused(504, "send the same request again");
    fs::remove_file(hook).unwrap();
    let again = replica.send(waiting(20, &body)).await;
    again.is(201, &["new created"]);
    assert_eq!(again.commit(), answer.commit(), "it is the commit that was told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_that_is_late_does_not_tell_that_nothing_was_written() {
    let (repository, server) = over_http().await;
    let replica = Replica::of(&server.url("policies.git")).await;
    let hold = repository.folder().join("hold");
    fs::write(&hold, "").unwrap();
    hook(&repository, "pre-receive", &format!("while [ -e {} ]; do sleep 0.02; done", hold.display()));
    let body = policy("new", "web", 500);
    let answer = replica.send(waiting(2, &body)).await;
    answer.is_refused(504, "send the same request again");
    // The first push still hangs, so that this one is not even looked at.
    let late = replica.send(waiting(1, &body)).await;
    late.is_refused(504, "send the same request again");
    assert_eq!(late.commit(), answer.commit());
    replica.send(waiting(1, &policy("other", "web", 500))).await.is_refused(503, "nothing was written");
    fs::remove_file(&hold).unwrap();
    let again = tokio::time::timeout(PATIENCE, replica.send(waiting(20, &body))).await.unwrap();
    again.is(201, &["new created"]);
}

/// A replica at a repository whose server dies in the middle of each push while a file is there.
async fn dying() -> (Repository, GitHttp, Replica, std::path::PathBuf) {
    let (repository, server) = over_http().await;
    let replica = Replica::of(&server.url("policies.git")).await;
    let dies = repository.folder().join("dies");
    fs::write(&dies, "").unwrap();
    hook(&repository, "pre-receive", &format!("[ ! -e {} ] || kill -9 $PPID", dies.display()));
    (repository, server, replica, dies)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_push_without_an_answer_the_same_policy_can_be_changed_otherwise() {
    let (repository, _server, replica, dies) = dying().await;
    let (first, second) = (policy("new", "web", 500), policy("new", "web", 502));
    let unknown = replica.send(waiting(2, &first)).await;
    unknown.is_refused(504, "send the same request again");
    // Once this is answered, no push is under way.
    replica.delete("new").await.is_refused(503, "it is not known yet");
    fs::remove_file(dies).unwrap();
    replica.send(waiting(20, &second)).await.is(201, &["new created"]);
    let log = git(&repository, &["log", "--format=%H", "main"]);
    assert!(!log.contains(&unknown.commit()), "it can not get in any more");
    replica.send(waiting(20, &first)).await.is(200, &["new configured"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_without_an_answer_keep_no_places_of_others() {
    let (_repository, _server, replica, _dies) = dying().await;
    let replica = Arc::new(replica);
    // More than there are places, while none of these pushes ends.
    let unknown = async {
        let (mut unknown, mut number) = (0, 0);
        while unknown <= MAX_WAITING {
            let mut many = JoinSet::new();
            for _ in 0..MAX_WAITING {
                number += 1;
                let body = policy(&format!("new-{number}"), "web", 500);
                let replica = Arc::clone(&replica);
                many.spawn(async move { replica.send(waiting(3, &body)).await.status });
            }
            unknown += many.join_all().await.into_iter().filter(|status| *status == 504).count();
        }
    };
    tokio::time::timeout(PATIENCE * 6, unknown).await.expect("each of them has had a place");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_the_commit_without_an_answer_is_named() {
    let (repository, server) = over_http().await;
    let url = server.url("policies.git");
    let tokens = tempfile::tempdir().unwrap();
    let hold = repository.folder().join("hold");
    hook(&repository, "post-receive", &format!("while [ -e {} ]; do sleep 0.02; done", hold.display()));
    let changes = [
        (with_if_none_match(&policy("new", "web", 500)), 412),
        (Change { headers: vec![("prefer", "wait=2".to_owned())], ..delete("new") }, 404),
    ];
    for (change, refused) in changes {
        let hfi = process(&url, tokens.path(), &[]).await;
        hfi.until_ready(|_| true).await;
        fs::write(&hold, "").unwrap();
        let unknown = send(&client(), &hfi.url, change.clone()).await.unwrap();
        unknown.is_refused(504, "send the same request again");
        drop(hfi);
        fs::remove_file(&hold).unwrap();
        let hfi = process(&url, tokens.path(), &[]).await;
        let again = send(&client(), &hfi.url, change).await.unwrap();
        again.is_refused(refused, &format!("the last change of it is commit {} by alice", unknown.commit()));
    }
}

fn with_if_none_match(yaml: &str) -> Change<'static> {
    let mut change = waiting(2, yaml);
    change.headers.push(("if-none-match", "*".to_owned()));
    change
}
