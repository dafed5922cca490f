//! Many writers at two replicas, while others push by hand: each write that was acknowledged is in the history, once.

use std::{collections::BTreeMap, sync::Arc};

use harness::{GitHttp, Repository};
use tokio::task::JoinSet;

use crate::support::{
    policy,
    remote::SOON,
    writing::{Answer, Replica, apply, content, git, repository},
};

const WRITERS: usize = 20;
const ROUNDS: u16 = 3;

/// Pushes commits by hand, each on top of what is there then.
async fn push_by_hand(repository: &Repository, commits: usize) {
    for commit in 0..commits {
        repository
            .write(&format!("hand/{commit}.yaml"), &policy(&format!("hand-{commit}"), "web", 500))
            .unwrap();
        repository.git(&["add", "--all"]).await.unwrap();
        repository.git(&["commit", "--quiet", "--message", "By hand"]).await.unwrap();
        while repository.git(&["push", "--quiet", "origin", "main"]).await.is_err() {
            repository.git(&["pull", "--quiet", "--rebase", "origin", "main"]).await.unwrap();
        }
    }
}

/// The requests of the commits of the branch, and how often each is there.
fn requests(repository: &Repository) -> BTreeMap<String, usize> {
    let log = git(repository, &["log", "--format=%(trailers:key=Hfi-Request,valueonly,separator=)", "main"]);
    let mut requests = BTreeMap::new();
    for request in log.lines().filter(|line| !line.is_empty()) {
        *requests.entry(request.to_owned()).or_default() += 1;
    }
    requests
}

#[track_caller]
fn each_is_in_the_history_once(repository: &Repository, answers: &[Answer]) {
    let requests = requests(repository);
    assert!(requests.values().all(|times| *times == 1), "a request was done twice: {requests:?}");
    for answer in answers {
        let is_written = answer.status == 200 || answer.status == 201;
        let request = answer.body["request"].as_str().unwrap();
        assert_eq!(requests.contains_key(request), is_written, "{answer:?}");
        if is_written {
            git(repository, &["merge-base", "--is-ancestor", &answer.commit(), "main"]);
        }
    }
    git(repository, &["fsck", "--strict", "--no-dangling"]);
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_history_once() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let http = GitHttp::start(repository.folder()).await.unwrap();
    git(&repository, &["config", "http.receivepack", "true"]);
    let url = http.url("policies.git");
    let replicas = [Replica::with(&url, SOON, |_| {}).await, Replica::with(&url, SOON, |_| {}).await];
    let replicas = Arc::new(replicas);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let replicas = Arc::clone(&replicas);
        writers.spawn(async move {
            let mut answers = Vec::new();
            for round in 0..ROUNDS {
                let body = policy(&format!("w-{writer}"), "web", 500 + round);
                let mut change = apply("", &body);
                change.headers.push(("prefer", "wait=60".to_owned()));
                answers.push(replicas[(writer + usize::from(round)) % 2].send(change).await);
            }
            answers
        });
    }
    let (answers, ()) = tokio::join!(writers.join_all(), push_by_hand(&repository, 5));
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    each_is_in_the_history_once(&repository, &answers);
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 201), "there was time for all: {answer:?}");
        assert_eq!(answer.body["served"], true, "{answer:?}");
    }
    for writer in 0..WRITERS {
        let last = 500 + ROUNDS - 1;
        assert!(content(&repository, &format!("w-{writer}.yaml")).contains(&last.to_string()));
    }
    for commit in 0..5 {
        content(&repository, &format!("hand/{commit}.yaml"));
    }
    let pushes = git(&repository, &["rev-list", "--count", "main"]);
    assert_eq!(pushes.trim(), (2 + 5 + WRITERS * usize::from(ROUNDS)).to_string(), "a commit for each");
}

#[tokio::test]
async fn of_two_writers_of_one_policy_none_undoes_the_other_unseen() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    let url = crate::support::writing::path(&repository);
    let replicas = [Replica::of(&url).await, Replica::of(&url).await];
    let replicas = Arc::new(replicas);
    let mut writers = JoinSet::new();
    for writer in 0..10_u16 {
        let replicas = Arc::clone(&replicas);
        writers.spawn(async move {
            replicas[usize::from(writer) % 2].apply("", &policy("a", "checkout", 510 + writer)).await
        });
    }
    let answers = writers.join_all().await;
    let written = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(written > 0 && answers.iter().all(|answer| matches!(answer.status, 200 | 409)), "{answers:?}");
    for refused in answers.iter().filter(|answer| answer.status == 409) {
        refused.is_refused(409, "was changed meanwhile by commit");
        refused.is_refused(409, "by alice");
    }
    let answers: Vec<_> = answers;
    each_is_in_the_history_once(&repository, &answers);
}
