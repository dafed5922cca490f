//! `POST /v1/policies`, and PUT and DELETE of one policy: each change is a commit, and is served when it is answered.

use harness::{GitHttp, Repository};
use reqwest::Method;
use serde_json::json;

use crate::support::{
    policy,
    writing::{ALICE, CHECKOUT, Change, Replica, apply, content, delete, git, path, repository},
};

const B: &str = "\
---
# Another one.
metadata: {name: b}
spec: {selector: {service: cart}, rules: [{fault: {percentage: 1, delay_ms: 5}}]}
";

/// A file with two policies, `a` and `b`.
fn both() -> String {
    format!("{CHECKOUT}{B}")
}

/// A replica, and the server that it fetches from and pushes to.
async fn over_http() -> (Repository, GitHttp, Replica) {
    let repository = repository(&[("shop/both.yaml", &both())]).await;
    let http = GitHttp::start(repository.folder()).await.unwrap();
    git(&repository, &["config", "http.receivepack", "true"]);
    let replica = Replica::of(&http.url("policies.git")).await;
    (repository, http, replica)
}

async fn over_a_path() -> (Repository, Replica) {
    let repository = repository(&[("shop/both.yaml", &both())]).await;
    let replica = Replica::of(&path(&repository)).await;
    (repository, replica)
}

async fn a_policy_lives_and_dies(repository: &Repository, replica: &Replica) {
    let created = replica.apply("", &policy("new", "web", 500)).await;
    created.is(201, &["new created"]);
    assert_eq!(created.body["served"], true, "{created:?}");
    assert_eq!(created.body["policies"][0]["file"], "new.yaml");
    assert_eq!(created.body["revision"], format!("main@sha1:{}", created.commit()));
    assert_eq!(git(repository, &["rev-parse", "main"]).trim(), created.commit());
    assert!(replica.server.names().await.contains(&"new".to_owned()), "it is in force when it is answered");

    replica.apply("", &policy("new", "web", 500)).await.is(200, &["new unchanged"]);
    assert_eq!(git(repository, &["rev-parse", "main"]).trim(), created.commit(), "no commit");

    let changed = replica.apply("", &policy("new", "web", 501)).await;
    changed.is(200, &["new configured"]);
    let show = git(repository, &["show", "--no-patch", "--format=%an <%ae>%n%s%n%(trailers)", "main"]);
    let request = changed.body["request"].as_str().unwrap();
    let expected = format!("alice <alice@hfi>\nApply new\nHfi-User: alice\nHfi-Request: {request}\n");
    assert_eq!(show.trim(), expected.trim());

    replica.delete("new").await.is(200, &["new deleted"]);
    assert!(
        !git(repository, &["ls-tree", "--name-only", "main"]).contains("new.yaml"),
        "the file is gone too"
    );
    assert!(!replica.server.names().await.contains(&"new".to_owned()));
    replica.delete("new").await.is_refused(404, "no policy `new`");
}

#[tokio::test]
async fn a_policy_lives_and_dies_in_a_repository_on_this_machine() {
    let (repository, replica) = over_a_path().await;
    a_policy_lives_and_dies(&repository, &replica).await;
}

#[tokio::test]
async fn a_policy_lives_and_dies_behind_an_http_server() {
    let (repository, _http, replica) = over_http().await;
    a_policy_lives_and_dies(&repository, &replica).await;
}

#[tokio::test]
async fn one_request_is_one_commit_and_leaves_every_other_byte() {
    let (repository, replica) = over_a_path().await;
    let before = git(&repository, &["rev-parse", "main"]);
    let a = CHECKOUT.replace("503", "500").replace("# The policy of the game day.\n", "");
    let answer = replica.apply("?message=Go+on", &format!("{a}---\n{}", policy("c", "web", 500))).await;
    answer.is(201, &["a configured", "c created"]);
    assert_eq!(git(&repository, &["rev-parse", "main~1"]), before);
    assert_eq!(content(&repository, "shop/both.yaml"), both().replace("503", "500"));
    assert_eq!(git(&repository, &["show", "--no-patch", "--format=%s", "main"]).trim(), "Go on");
    replica.delete("b").await.is(200, &["b deleted"]);
    assert!(!content(&repository, "shop/both.yaml").contains("name: b"));
    assert!(content(&repository, "shop/both.yaml").starts_with("# The policy of the game day.\n"));
}

#[tokio::test]
async fn all_of_a_request_is_done_or_nothing() {
    let (repository, replica) = over_a_path().await;
    let before = git(&repository, &["rev-parse", "main"]);
    let bad = "metadata: {name: d}\nspec:\n  rules:\n    - fault: {percentage: 200, delay_ms: 1}\n";
    let answer = replica.apply("", &format!("{}---\n{bad}", policy("c", "web", 500))).await;
    answer.is_refused(422, "spec.rules[0].fault.percentage");
    let error = &answer.body["errors"][0];
    assert_eq!((&error["document"], &error["line"]), (&1.into(), &7.into()), "{answer:?}");
    assert_eq!(git(&repository, &["rev-parse", "main"]), before);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_does_nothing() {
    let (repository, replica) = over_a_path().await;
    let before = git(&repository, &["rev-parse", "main"]);
    let answer = replica.apply("?dryRun=true&folder=team/x", &policy("c", "web", 500)).await;
    answer.is(200, &["c created"]);
    assert!(answer.body["commit"].is_null() && answer.body["served"] == false, "{answer:?}");
    assert_eq!(answer.body["policies"][0]["file"], "team/x/c.yaml");
    let answer = replica.apply("?dryRun=true", &policy("a", "web", 99)).await;
    assert_eq!(answer.status, 422, "it is judged all the same");
    assert_eq!(git(&repository, &["rev-parse", "main"]), before);
}

#[tokio::test]
async fn a_tag_guards_against_the_change_of_another() {
    let (repository, replica) = over_a_path().await;
    let (document, etag) = replica.policy("a").await;
    let fault = json!({"percentage": 100, "abort": {"httpStatus": 503}});
    let spec = json!({"selector": {"service": "checkout", "namespace": "demo"}, "rules": [{"fault": fault}]});
    assert_eq!(document, json!({"metadata": {"name": "a"}, "spec": spec}), "as it was written");
    let put = |etag: &str, status: u16| Change {
        method: Method::PUT,
        path: "/v1/policies/a".to_owned(),
        token: ALICE,
        headers: vec![("content-type", "application/json".to_owned()), ("if-match", etag.to_owned())],
        body: document.to_string().replace("503", &status.to_string()),
    };
    replica.send(put(&etag, 503)).await.is(200, &["a unchanged"]);
    replica.send(put(&etag, 500)).await.is(200, &["a configured"]);
    let refused = replica.send(put(&etag, 501)).await;
    refused.is_refused(412, "no longer as it was");
    let (_, now) = replica.policy("a").await;
    assert_eq!(refused.etag.as_ref(), Some(&now));
    replica.send(put(&now, 501)).await.is(200, &["a configured"]);
    assert_eq!(content(&repository, "shop/both.yaml"), both().replace("503", "501"), "no default is added");
    let mut only_new = apply("", &policy("a", "web", 500));
    only_new.headers.push(("if-none-match", "*".to_owned()));
    replica.send(only_new).await.is_refused(412, "there is a policy `a` already");
    let mut several = apply("", &both());
    several.headers.push(("if-match", now));
    replica.send(several).await.is_refused(400, "for one policy");
    let mut gone = delete("a");
    gone.headers.push(("if-match", etag));
    replica.send(gone).await.is_refused(412, "no longer as it was");
}

#[tokio::test]
async fn the_history_of_a_policy_tells_who_changed_it() {
    let (repository, replica) = over_a_path().await;
    replica.apply("", &policy("a", "web", 500)).await.is(200, &["a configured"]);
    replica.apply("", &policy("c", "web", 500)).await.is(201, &["c created"]);
    let history = replica.server.json("/v1/policies/a/history").await;
    let commits: Vec<_> =
        history["commits"].as_array().unwrap().iter().map(|commit| &commit["author"]).collect();
    assert_eq!(commits, ["alice", "Demo"], "{history}");
    assert_eq!(history["commits"][0]["id"], git(&repository, &["rev-parse", "main~1"]).trim());
    assert_eq!((&history["commits"][0]["subject"], &history["partial"]), (&"Apply a".into(), &false.into()));
    let missing = replica.server.get("/v1/policies/nothing/history", &[]).await;
    assert_eq!(missing.status().as_u16(), 404);
}

#[tokio::test]
async fn what_was_written_is_read_at_a_replica_that_is_behind() {
    let (repository, _http, replica) = over_http().await;
    let http = GitHttp::start(repository.folder()).await.unwrap();
    let behind = Replica::of(&http.url("policies.git")).await;
    let revision = replica.apply("", &policy("new", "web", 500)).await.body["revision"].clone();
    assert_eq!(behind.server.get("/v1/policies/new?all=true", &[]).await.status().as_u16(), 404);
    let headers = [("x-hfi-revision", revision.as_str().unwrap())];
    let read = behind.server.get("/v1/policies/new?all=true", &headers).await;
    assert_eq!(read.status().as_u16(), 200);
    assert_eq!(read.headers()["x-hfi-revision"], revision.as_str().unwrap());
}

#[tokio::test]
async fn who_read_what_is_no_longer_so_can_read_soon_what_is() {
    let (repository, _http, replica) = over_http().await;
    let http = GitHttp::start(repository.folder()).await.unwrap();
    let behind = Replica::of(&http.url("policies.git")).await;
    let (_, etag) = behind.policy("a").await;
    replica.apply("", &policy("a", "web", 500)).await.is(200, &["a configured"]);
    let mut change = apply("", &policy("a", "web", 502));
    change.headers.push(("if-match", etag.clone()));
    behind.send(change).await.is_refused(412, "the last change of it is commit");
    // Nothing else makes it fetch.
    let fetched = async {
        while behind.policy("a").await.1 == etag {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, fetched).await.expect("it stays behind");
}

#[tokio::test]
async fn a_clock_that_is_behind_that_of_the_last_commit_shortens_nothing() {
    let repository = repository(&[("a.yaml", &policy("a", "checkout", 503))]).await;
    repository.write("b.yaml", &policy("b", "web", 500)).unwrap();
    repository.git(&["add", "--all"]).await.unwrap();
    let then = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 3_600;
    repository.git_at(then, &["commit", "--quiet", "--message", "From the future"]).await.unwrap();
    repository.git(&["push", "--quiet", "origin", "main"]).await.unwrap();
    let replica = Replica::of(&path(&repository)).await;
    let timed = "metadata: {name: c}\nspec: {selector: {service: web}, rules: [{fault: {percentage: 1, delay_ms: 5, duration_seconds: 300}}]}\n";
    let created = replica.apply("", timed).await;
    created.is(201, &["c created"]);
    assert_eq!(created.body["served"], true, "{created:?}");
    let status = replica.server.json("/v1/policies/status").await;
    let policies = status["policies"].as_array().unwrap();
    let policy = policies.iter().find(|policy| policy["name"] == "c").unwrap();
    assert_eq!(policy["state"], "active", "{policy}");
}
