//! A change that puts into force what had ended or was suspended needs `restart=true`.

use std::time::Duration;

use reqwest::Method;

use crate::support::{
    policy,
    writing::{ALICE, Change, Replica, content, delete, git, path, repository},
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

#[tokio::test]
async fn a_policy_whose_name_stood_in_two_places_comes_back_by_a_wish() {
    let two = [("one.yaml", &*policy("a", "checkout", 503)), ("two.yaml", &policy("a", "checkout", 500))];
    let repository = repository(&two).await;
    let replica = Replica::of(&path(&repository)).await;
    assert!(replica.server.names().await.is_empty());
    let before = git(&repository, &["rev-parse", "main"]);
    for query in ["", "&dryRun=true"] {
        let refused = replica.delete(&format!("a?file=two.yaml{query}")).await;
        refused.is_refused(409, "puts the policy `a` of one.yaml into force");
        refused.is_refused(409, "restart=true");
    }
    assert_eq!(git(&repository, &["rev-parse", "main"]), before);
    let answer = replica.delete("a?file=two.yaml&restart=true").await;
    answer.is(200, &["a deleted"]);
    let warning = &answer.body["warnings"][0];
    assert_eq!(warning["message"], "puts the policy `a` of one.yaml into force", "{answer:?}");
}

#[tokio::test]
async fn neighbours_of_what_was_not_valid_come_back_by_a_wish() {
    let broken = policy("broken", "checkout", 503).replace("percentage: 100", "percentage: 900");
    let file = format!("{}---\n{broken}", policy("a", "checkout", 503));
    let (_repository, replica) = replica(&file).await;
    assert!(replica.server.names().await.is_empty());
    let off = policy("broken", "checkout", 503).replace("spec: {", "spec: {suspend: true, ");
    replica.delete("broken").await.is_refused(409, "puts the policy `a` of a.yaml into force");
    replica.apply("", &off).await.is_refused(409, "puts the policy `a` of a.yaml into force");
    replica.apply("?restart=true", &off).await.is(200, &["broken configured"]);
    replica.delete("broken").await.is(200, &["broken deleted"]);
}

#[tokio::test]
async fn who_starts_a_policy_by_removing_another_must_have_a_right_to_it() {
    let of = |namespace: &str| {
        policy("a", "checkout", 503).replace("namespace: demo", &format!("namespace: {namespace}"))
    };
    let all = "metadata: {name: b}\nspec: {rules: [{fault: {percentage: 1, delay_ms: 5}}]}\n";
    let ours = |name: &str| of("shop").replace("name: a", &format!("name: {name}"));
    let suspended = ours("c").replace("spec: {", "spec: {suspend: true, ");
    let repository = repository(&[
        ("teams/shop/a.yaml", &of("shop")),
        ("teams/shop/other.yaml", &of("other")),
        ("teams/shop/b.yaml", &ours("b")),
        ("all.yaml", all),
        ("teams/shop/c.yaml", &ours("c")),
        ("teams/shop/suspended.yaml", &suspended),
    ])
    .await;
    let replica = Replica::of(&path(&repository)).await;
    let shop = |path: &'static str| replica.send(Change { token: "shop-0123456789abcdef", ..delete(path) });
    let refused = shop("a?file=teams/shop/a.yaml&restart=true").await;
    refused.is_refused(403, "puts the policy `a` of teams/shop/other.yaml into force");
    refused.is_refused(403, "`namespaces`");
    shop("b?file=teams/shop/b.yaml&restart=true").await.is_refused(403, "the file `all.yaml`");
    let unlimited = |token| replica.send(Change { token, ..delete("b?file=teams/shop/b.yaml&restart=true") });
    unlimited(ALICE).await.is_refused(403, "`wildcard`");
    unlimited("wild-0123456789abcdef").await.is(200, &["b deleted"]);
    // What stays suspended is not started.
    shop("c?file=teams/shop/c.yaml").await.is(200, &["c deleted"]);
}
