//! `GET /v1/overview`: what holds, what is in force, what comes, what is wrong, and what came and went.

use std::fs;

use serde_json::{Value, json};
use tokio::time::{Duration, sleep, timeout};

use crate::support::{
    PATIENCE, Server,
    halting::halt,
    policy,
    replicas::{Replicas, until},
    writing::{CHECKOUT, Replica, path, repository},
};

const SCOPE: &str = "namespace=demo&service=checkout";
const NODE: (&str, &str) = ("x-hfi-node", "checkout-1");

/// The overview, once it is as wanted: it is at most a second old.
async fn overview(server: &Server, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let wanted = async {
        loop {
            last = server.json("/v1/overview").await;
            if is_wanted(&last) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let is_in_time = timeout(PATIENCE, wanted).await.is_ok();
    assert!(is_in_time, "{last:#}");
    last
}

fn sentences(overview: &Value) -> Vec<&str> {
    overview["banners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|banner| banner["sentence"].as_str().unwrap())
        .collect()
}

/// What came and went, without times: what, why and the names.
fn recent(overview: &Value) -> Vec<String> {
    let tell = |recent: &Value| {
        let names = recent["policies"]["items"].as_array().unwrap().iter();
        let names: Vec<_> = names.map(|name| name.as_str().unwrap()).collect();
        format!("{} {}: {}", recent["what"], recent["why"], names.join(" ")).replace('"', "")
    };
    overview["recent"].as_array().unwrap().iter().map(tell).collect()
}

#[tokio::test]
async fn a_policy_is_followed_from_its_push_to_its_confirmed_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, policy("a", "checkout", 503)).unwrap();
    let server = Server::of_folder(folder.path()).await;
    let first = server.snapshot(SCOPE, &[NODE]).await;
    let has = |sentence: &'static str| move |overview: &Value| sentences(overview).contains(&sentence);

    // It was given the policy, and has not said that it runs it.
    let given = overview(&server, has("MAY STILL INJECT: 1 filter has not confirmed")).await;
    assert_eq!(given["trouble"]["lagging"]["items"][0]["node"], "checkout-1");
    assert_eq!(given["inForce"]["items"][0]["name"], "a");
    assert_eq!(given["inForce"]["items"][0]["configured"], json!({"highest": 1.0, "lowest": 1.0}));
    assert_eq!(recent(&given), ["came replica_start: a"]);

    server.snapshot(SCOPE, &[NODE, ("if-none-match", &first.etag)]).await;
    let running = overview(&server, has("INJECTING into 1 service")).await;
    assert_eq!(
        (&running["filters"]["in_step"], &running["trouble"]["lagging"]["total"]),
        (&json!(1), &json!(0))
    );

    fs::write(&file, "").unwrap();
    let held = [NODE, ("if-none-match", &first.etag), ("prefer", "wait=9")];
    let second = server.snapshot(SCOPE, &held).await;
    let removed = overview(&server, has("MAY STILL INJECT: 1 filter has not confirmed")).await;
    assert_eq!((&removed["inForce"]["total"], recent(&removed)[0].as_str()), (&json!(0), "went commit: a"));

    server.snapshot(SCOPE, &[NODE, ("if-none-match", &second.etag)]).await;
    let confirmed =
        overview(&server, |overview| !has("MAY STILL INJECT: 1 filter has not confirmed")(overview)).await;
    // It has listened for a few seconds only: another filter may not have polled yet.
    let kinds = confirmed["banners"].as_array().unwrap().iter().map(|banner| &banner["state"]["kind"]);
    assert_eq!(kinds.collect::<Vec<_>>(), ["listening"]);
}

#[tokio::test]
async fn clients_that_do_not_say_what_they_run_leave_it_not_sure() {
    let doubt = "NOT SURE: clients poll that do not say what they run";
    for (path, headers, is_told) in [
        ("/v1/policies", &[][..], true),
        ("/v1/config/stream", &[], true),
        ("/v1/snapshot?namespace=demo&service=checkout", &[("prefer", "wait=1")], true),
        // People who look.
        ("/v1/policies", &[("sec-fetch-site", "none")], false),
        ("/v1/policies", &[("user-agent", "curl/8.14.1")], false),
        ("/v1/policies?all=true", &[], false),
        ("/v1/snapshot?namespace=demo&service=checkout", &[], false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.yaml"), policy("a", "checkout", 503)).unwrap();
        let server = Server::of_folder(folder.path()).await;
        let mut answer = server.get(path, headers).await;
        answer.chunk().await.unwrap();
        let told = server.json("/v1/overview").await;
        assert_eq!(sentences(&told).contains(&doubt), is_told, "{path} {headers:?} {told:#}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_listed_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), policy("a", "cart", 503)).unwrap();
    fs::write(folder.path().join("b.yaml"), "spec: {colour: red}\n").unwrap();
    let later = policy("c", "cart", 503).replace("spec: {", "spec: {startsAt: 2099-01-01T00:00:00Z, ");
    fs::write(folder.path().join("c.yaml"), later).unwrap();
    let server = Server::of_folder(folder.path()).await;
    server.snapshot(SCOPE, &[NODE]).await;
    let overview = server.json("/v1/overview").await;
    let rejected = &overview["trouble"]["rejected"];
    assert_eq!((&rejected["total"], &rejected["items"][0]["file"]), (&json!(1), &json!("b.yaml")));
    let lonely = &overview["trouble"]["noFilter"]["items"][0];
    assert_eq!(
        (&lonely["name"], &lonely["file"], &lonely["line"]),
        (&json!("a"), &json!("a.yaml"), &json!(1))
    );
    assert_eq!(lonely["reason"], "no filter polls for it; the nearest that poll: checkout.demo");
    assert_eq!((&overview["coming"]["total"], &overview["summary"]["scheduled"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn a_commit_is_named_with_its_author_where_it_brought_changed_or_removed_a_policy() {
    let repository = repository(&[("a.yaml", CHECKOUT)]).await;
    let replica = Replica::of(&path(&repository)).await;
    let server = &replica.server;
    let known = overview(server, |overview| overview["inForce"]["items"][0]["committed"].is_object()).await;
    let first = known["inForce"]["items"][0]["committed"]["id"].clone();
    assert_eq!(known["recent"][0]["commit"], Value::Null, "{known:#}");

    let written = replica.apply("?message=Try+the+cart", &policy("b", "cart", 503)).await;
    let commit = written.body["commit"].clone();
    let came = overview(server, |overview| overview["recent"][0]["commit"].is_object()).await;
    assert_eq!(recent(&came), ["came commit: b", "came replica_start: a"]);
    assert_eq!(
        (&came["recent"][0]["commit"]["id"], &came["recent"][0]["commit"]["author"]),
        (&commit, &json!("alice"))
    );
    assert_eq!(came["recent"][0]["commit"]["subject"], "Try the cart");
    let committed: Vec<_> = came["inForce"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| &policy["committed"]["id"])
        .collect();
    assert_eq!(committed, [&first, &commit]);

    let changed = replica.apply("", &CHECKOUT.replace("503", "500")).await;
    let changed_by = changed.body["commit"].clone();
    let seen = overview(server, |overview| recent(overview)[0] == "changed commit: a").await;
    assert_eq!(seen["recent"][0]["commit"]["id"], changed_by);
    let of_a =
        overview(server, |overview| overview["inForce"]["items"][0]["committed"]["id"] == changed_by).await;
    assert_eq!(of_a["inForce"]["items"][1]["committed"]["id"], commit);
}

#[tokio::test]
async fn a_halt_is_told_with_its_author_and_its_reason() {
    let repository = repository(&[("a.yaml", CHECKOUT)]).await;
    let replica = Replica::of(&path(&repository)).await;
    assert_eq!(halt(&replica).await.status, 200);
    let is_halted = |overview: &Value| overview["banners"][0]["state"]["kind"] == "halted";
    let halted = overview(&replica.server, is_halted).await;
    let sentence = sentences(&halted)[0].to_owned();
    assert!(
        sentence.starts_with("HALTED by alice ") && sentence.ends_with(" UTC: checkout is down"),
        "{sentence}"
    );
    assert_eq!((&halted["inForce"]["total"], &halted["summary"]["policies"]), (&json!(0), &json!(1)));
    let went = halted["recent"].as_array().unwrap().iter().find(|recent| recent["what"] == "went").unwrap();
    assert_eq!((&went["why"], &went["because"]), (&json!("halt"), &json!("alice: checkout is down")));
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_stale_and_what_was_never_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(
        reconciler::source::Settings::Dir(folder.path().join("none")),
        Duration::from_millis(100),
    )
    .await;
    let stale = overview(&server, |overview| overview["banners"][0]["state"]["kind"] == "stale").await;
    assert_eq!(sentences(&stale)[0], "STALE: the directory not read yet");
    assert_eq!((&stale["revision"], &stale["sourceRead"]), (&Value::Null, &Value::Null));
    fs::create_dir(folder.path().join("none")).unwrap();
    overview(&server, |overview| overview["banners"][0]["state"]["kind"] == "listening").await;
}

#[tokio::test]
async fn a_replica_that_does_not_answer_leaves_it_not_sure() {
    let replicas = Replicas::new(2);
    let [one, two] = [replicas.start(0).await, replicas.start(1).await];
    let sure = until(&one, "/v1/overview", |overview| overview["replicas"] == "2 of 2").await;
    assert_ne!(sure["banners"][0]["state"]["kind"], "not_sure");
    drop(two);
    let not_sure = until(&one, "/v1/overview", |overview| overview["replicas"] == "1 of 2").await;
    assert_eq!(sentences(&not_sure)[0], "NOT SURE: 1 of 2 replicas does not answer");
    assert_eq!(not_sure["missing"].as_array().unwrap().len(), 1);
}
