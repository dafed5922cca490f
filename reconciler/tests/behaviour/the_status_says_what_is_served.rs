//! `GET /v1/policies/status` and `GET /metrics`: what is in force, what is not, and why.

use std::{fs, time::SystemTime};

use policies::Timestamp;
use serde_json::json;
use tokio::time::timeout;

use crate::support::{PATIENCE, Server, policy};

const ALL: &str = "\
metadata: {name: scheduled}
spec: {selector: {service: cart, namespace: demo}, startsAt: 2999-01-01T00:00:00Z, rules: [{fault: {percentage: 1, delay_ms: 1}}]}
---
metadata: {name: expired}
spec: {expiresAt: 2001-01-01T00:00:00Z, rules: [{fault: {percentage: 1, delay_ms: 1}}]}
---
metadata: {name: suspended}
spec: {suspend: true, rules: [{fault: {percentage: 1, delay_ms: 1}}]}
---
metadata: {name: outbound}
spec: {direction: outbound, destination: {service: payments}, expiresAt: 2999-01-01T00:00:00Z, rules: [{fault: {percentage: 0, delay_ms: 1}}]}
";

async fn world() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("all.yaml"), ALL).unwrap();
    fs::write(folder.path().join("one.yaml"), policy("one", "checkout", 503)).unwrap();
    fs::write(folder.path().join("bad.yaml"), "metadata: {name: bad}\nspec: {rulez: []}\n").unwrap();
    let server = Server::of_folder(folder.path()).await;
    (folder, server)
}

#[tokio::test]
async fn every_policy_has_its_state_and_every_rejected_file_its_errors() {
    let (_folder, server) = world().await;
    let status = server.json("/v1/policies/status").await;
    let everything = server.snapshot("namespace=*&service=*", &[]).await;
    assert_eq!(status["revision"], everything.revision);
    assert_eq!(format!("\"{}\"", status["digest"].as_str().unwrap()), everything.etag);
    assert_eq!(status["scope"], "namespace=*&service=*");
    assert_eq!(
        status["summary"],
        json!({
            "policies": 5, "active": 2, "scheduled": 1, "expired": 1, "suspended": 1, "inactive": 0, "halted": 0,
            "rejectedFiles": 1, "errors": status["rejected"][0]["errors"].as_array().unwrap().len(),
            "passedOver": 0,
            "total_policies": 5, "active_policies": 2, "abort_policies": 1, "delay_policies": 4,
        })
    );

    let policies = status["policies"].as_array().unwrap();
    let policy = |name: &str| policies.iter().find(|policy| policy["name"] == name).unwrap();
    for (name, file, line, state) in [
        ("one", "one.yaml", 1, "active"),
        ("scheduled", "all.yaml", 1, "scheduled"),
        ("expired", "all.yaml", 4, "expired"),
        ("suspended", "all.yaml", 7, "suspended"),
        ("outbound", "all.yaml", 10, "active"),
    ] {
        let policy = policy(name);
        assert_eq!(
            [&policy["file"], &policy["line"], &policy["state"]],
            [&json!(file), &json!(line), &json!(state)],
            "{name}"
        );
        let is_warned = ["expired", "outbound"].contains(&name);
        assert_eq!(!policy["warnings"].as_array().unwrap().is_empty(), is_warned, "{policy}");
    }
    assert_eq!(
        policy("outbound")["targets"],
        json!({
            "selector": {"service": "*", "namespace": "*"},
            "direction": "outbound",
            "destination": {"service": "payments", "namespace": "*"},
        })
    );
    assert_eq!(policy("outbound")["endsAt"], "2999-01-01T00:00:00Z");
    assert_eq!(policy("outbound")["warnings"][0]["field"], "spec.rules[0].fault.percentage");
    assert_eq!(policy("scheduled")["startsAt"], "2999-01-01T00:00:00Z");
    assert!(policy("one")["endsAt"].is_null() && policy("one")["targets"]["destination"].is_null());

    let [rejected] = &status["rejected"].as_array().unwrap()[..] else { panic!("{status}") };
    assert_eq!(rejected["file"], "bad.yaml");
    let unknown = &rejected["errors"].as_array().unwrap().iter().find(|error| error["field"] == "spec.rulez");
    let unknown = unknown.unwrap_or_else(|| panic!("{rejected}"));
    assert_eq!(
        [&unknown["file"], &unknown["line"], &unknown["column"]],
        [&json!("bad.yaml"), &json!(2), &json!(8)]
    );
    assert!(unknown["message"].as_str().unwrap().contains("rules"));
}

#[tokio::test]
async fn the_status_follows_commits_and_the_clock() {
    let (folder, server) = world().await;
    let state = async || {
        let status = server.json("/v1/policies/status").await;
        let mut policies = status["policies"].as_array().unwrap().iter();
        policies.find(|policy| policy["name"] == "short").map(|policy| policy["state"].clone())
    };
    assert_eq!(state().await, None);
    let end = Timestamp::from_millis(millis() + 2_000).to_rfc3339();
    let text = policy("short", "checkout", 503).replace("spec: {", &format!("spec: {{expiresAt: {end}, "));
    fs::write(folder.path().join("short.yaml"), text).unwrap();
    for expected in ["active", "expired"] {
        let seen = async { while state().await != Some(expected.into()) {} };
        timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("never {expected}"));
    }
}

fn millis() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_told_with_its_reason_and_age() {
    let (folder, server) = world().await;
    let before = server.json("/v1/policies/status").await;
    assert!(before["source"]["failing"].is_null() && before["source"]["ageSeconds"].is_f64(), "{before}");
    assert!(server.metric("hfi_reconciles_total{result=\"failure\"}").await.is_none());
    let path = folder.path().to_owned();
    drop(folder);
    let failing = async {
        loop {
            let status = server.json("/v1/policies/status").await;
            if !status["source"]["failing"].is_null() {
                return status;
            }
        }
    };
    let status = timeout(PATIENCE, failing).await.unwrap();
    let reason = status["source"]["failing"]["reason"].as_str().unwrap();
    assert!(reason.contains(path.to_str().unwrap()), "{reason}");
    assert_eq!(status["policies"], before["policies"], "the last good stays");
    assert!(server.metric("hfi_reconciles_total{result=\"failure\"}").await.unwrap() >= 1.0);
}

#[tokio::test]
async fn the_figures_are_there_for_prometheus() {
    let (_folder, server) = world().await;
    let response = server.get("/metrics", &[]).await;
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = response.text().await.unwrap();
    assert!(text.ends_with("# EOF\n"));
    let status = server.json("/v1/policies/status").await;
    let (revision, digest) = (status["revision"].as_str().unwrap(), status["digest"].as_str().unwrap());
    assert!(
        text.contains(&format!("hfi_serving_info{{revision=\"{revision}\",digest=\"{digest}\"}} 1")),
        "{text}"
    );
    for (name, value) in [
        ("hfi_policies{state=\"active\"}", 2.0),
        ("hfi_policies{state=\"expired\"}", 1.0),
        ("hfi_policies{state=\"inactive\"}", 0.0),
        ("hfi_rejected_files", 1.0),
        ("hfi_reconciles_total{result=\"success\"}", 1.0),
        ("hfi_reconcile_duration_seconds_count", 1.0),
        ("hfi_polls_parked", 0.0),
    ] {
        assert_eq!(server.metric(name).await, Some(value), "{name}:\n{text}");
    }
    assert!((0.0..60.0).contains(&server.metric("hfi_source_age_seconds").await.unwrap()));
    assert!(server.metric("hfi_scopes").await.unwrap() >= 1.0);
}

#[tokio::test]
async fn a_poll_is_counted_while_it_is_held() {
    let (folder, server) = world().await;
    let before = server.snapshot("namespace=demo&service=checkout", &[]).await;
    let held = server.next("namespace=demo&service=checkout", &before.etag);
    let watch = async {
        while server.metric("hfi_polls_parked").await != Some(1.0) {}
        fs::write(folder.path().join("one.yaml"), policy("one", "checkout", 500)).unwrap();
    };
    timeout(PATIENCE, async { tokio::join!(held, watch) }).await.expect("it was never counted");
    assert_eq!(server.metric("hfi_polls_parked").await, Some(0.0));
}
