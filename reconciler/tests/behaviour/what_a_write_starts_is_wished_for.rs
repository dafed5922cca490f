//! A change that puts into force what had ended or was suspended needs `restart=true`.

use std::time::Duration;

use reqwest::Method;

use crate::support::{
    policy,
    writing::{ALICE, Change, Replica, content, path, repository},
};

/// A policy whose rule ends so many seconds after its commit.
fn timed(seconds: u32, status: u16) -> String {
    policy("a", "checkout", status)
        .replace("percentage: 100", &format!("percentage: 100, duration_seconds: {seconds}"))
}

fn suspended() -> String {
    policy("a", "checkout", 503).replace("spec: {", "spec: {suspend: true, ")
}

async fn replica(file: &str) -> (harness::Repository, Replica) {
    let repository = repository(&[("a.yaml", file)]).await;
    let replica = Replica::of(&path(&repository)).await;
    (repository, replica)
}

#[tokio::test]
async fn what_was_suspended_comes_back_by_a_wish() {
    let (_repository, replica) = replica(&suspended()).await;
    let plain = policy("a", "checkout", 503);
    let refused = replica.apply("", &plain).await;
    refused.is_refused(409, "is suspended (by commit");
    refused.is_refused(409, "by Demo");
    refused.is_refused(409, "restart=true");
    replica.apply("?restart=true", &plain).await.is(200, &["a restarted"]);
    replica.apply("", &suspended()).await.is(200, &["a configured"]);
}

#[tokio::test]
async fn a_duration_begins_anew_by_a_wish() {
    let (_repository, replica) = replica(&timed(3_600, 503)).await;
    replica.apply("", &timed(3_600, 500)).await.is_refused(409, "its durations would begin anew");
    replica.apply("?restart=true", &timed(3_600, 500)).await.is(200, &["a restarted"]);
    // What the metadata say is not what runs.
    let labelled = timed(3_600, 500).replace("{name: a}", "{name: a, labels: {team: sre}}");
    replica.apply("", &labelled).await.is(200, &["a configured"]);
}

#[tokio::test]
async fn what_has_ended_is_unchanged_and_begins_again_by_a_wish() {
    let (repository, replica) = replica(&timed(1, 503)).await;
    let ended = async {
        while !replica.server.names().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, ended).await.unwrap();
    let answer = replica.apply("", &timed(1, 503)).await;
    answer.is(200, &["a unchanged"]);
    assert!(answer.body["warnings"][0]["message"].as_str().unwrap().starts_with("ended at "), "{answer:?}");
    assert!(answer.body["commit"].is_null(), "{answer:?}");
    replica.apply("", &timed(3_600, 503)).await.is_refused(409, "ended at ");
    replica.apply("?restart=true", &timed(1, 503)).await.is(200, &["a restarted"]);
    assert!(content(&repository, "a.yaml").contains("hfi.dev/restarted-at"));
    // Who sends it again as before begins nothing anew.
    let again = replica.apply("", &timed(1, 503)).await;
    again.is(200, &["a unchanged"]);
    assert!(content(&repository, "a.yaml").contains("hfi.dev/restarted-at"));
}

#[tokio::test]
async fn the_annotation_of_a_restart_is_read_back() {
    let (_repository, replica) = replica(&timed(3_600, 503)).await;
    let (document, _) = replica.policy("a").await;
    let put = Change {
        method: Method::PUT,
        path: "/v1/policies/a".to_owned(),
        token: ALICE,
        headers: vec![("content-type", "application/json".to_owned())],
        body: document.to_string().replace(
            r#""name":"a""#,
            r#""annotations":{"hfi.dev/restarted-at":"2026-01-01T00:00:00Z"},"name":"a""#,
        ),
    };
    replica.send(put.clone()).await.is_refused(409, "its durations would begin anew");
    let restarted = Change { path: format!("{}?restart=true", put.path), ..put };
    replica.send(restarted).await.is(200, &["a restarted"]);
}
