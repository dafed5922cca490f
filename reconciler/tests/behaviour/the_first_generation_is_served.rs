//! Clients of the first generation go on working: its filter, its command line and its scripts, as far as their
//! requests and what they read of the answers go.

use std::fs;

use policies::File;
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Server, policy};

/// What its filter reads: a document that lacks a field makes it refuse all of them.
#[derive(Debug, Deserialize)]
struct Listed {
    policies: Vec<ListedPolicy>,
}

#[derive(Debug, Deserialize)]
struct ListedPolicy {
    metadata: Named,
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Spec {
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    r#match: Value,
    fault: Fault,
}

#[derive(Debug, Deserialize)]
struct Fault {
    percentage: u32,
    duration_seconds: u32,
    delay: Option<Delay>,
    abort: Option<Abort>,
}

#[derive(Debug, Deserialize)]
struct Delay {
    fixed_delay_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Abort {
    http_status: u32,
}

const RULES: &str = "\
metadata: {name: rules, version: 3, labels: {team: sre}, annotations: {why: 'game day'}}
spec:
  selector: {service: checkout, namespace: demo}
  rules:
    - match: {path: {exact: /}}
      fault: {percentage: 5, duration_seconds: 1, delay_ms: 10, abort: {httpStatus: 500}}
    - fault: {percentage: 30, abort: {httpStatus: 503, body: ''}}
---
metadata: {name: both}
spec:
  rules: [{fault: {percentage: 5, delay_ms: 10, abort: {httpStatus: 500}}}]
---
metadata: {name: delay}
spec:
  rules: [{fault: {percentage: 5, duration_seconds: 3600, delay_ms: 10}}]
---
metadata: {name: ended}
spec:
  rules: [{fault: {percentage: 5, duration_seconds: 1, delay_ms: 10}}]
---
metadata: {name: suspended}
spec:
  suspend: true
  rules: [{fault: {percentage: 5, delay_ms: 10}}]
";

/// Policies whose short rules have ended.
async fn world() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    fs::write(&file, RULES).unwrap();
    let earlier = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    fs::File::options().write(true).open(&file).unwrap().set_modified(earlier).unwrap();
    let server = Server::of_folder(folder.path()).await;
    (folder, server)
}

#[tokio::test]
async fn its_filter_reads_what_is_in_force_and_misreads_nothing() {
    let (_folder, server) = world().await;
    let body = server.get("/v1/policies", &[("accept", "application/json")]).await.bytes().await.unwrap();
    let Listed { policies } = serde_json::from_slice(&body).unwrap();
    let [delay, rules] = &policies[..] else { panic!("{policies:#?}") };
    assert_eq!((delay.metadata.name.as_str(), rules.metadata.name.as_str()), ("delay", "rules"));
    let fault = &delay.spec.rules[0].fault;
    assert_eq!((fault.percentage, fault.duration_seconds), (5, 3600));
    assert_eq!(fault.delay.as_ref().unwrap().fixed_delay_ms, 10);
    // Its filter would stop at the rule that has ended, and would abort without the delay.
    let [rule] = &rules.spec.rules[..] else { panic!("{rules:#?}") };
    assert_eq!(rule.fault.abort.as_ref().unwrap().http_status, 503);
    assert_eq!(rule.r#match["path"]["prefix"], "/");
    assert!(rule.fault.delay.is_none());
}

#[tokio::test]
async fn what_is_printed_is_a_valid_policy() {
    let (_folder, server) = world().await;
    for list in ["/v1/policies", "/v1/policies?all=true"] {
        let printed = server.json(list).await;
        for policy in printed["policies"].as_array().unwrap() {
            let name = policy["metadata"]["name"].as_str().unwrap();
            let query = list.strip_prefix("/v1/policies").unwrap();
            assert_eq!(&server.json(&format!("/v1/policies/{name}{query}")).await, policy);
            let file = File::read(policy.to_string().as_bytes());
            assert!(file.findings.is_empty(), "{policy}\n{:#?}", file.findings);
        }
    }
    let all = server.json("/v1/policies?all=true").await;
    assert_eq!(all["policies"].as_array().unwrap().len(), 5);
    let rules = server.json("/v1/policies/rules?all=true").await;
    assert_eq!(
        rules["metadata"],
        serde_json::json!({
            "name": "rules", "version": 3, "labels": {"team": "sre"}, "annotations": {"why": "game day"},
        })
    );
    assert_eq!(rules["spec"]["rules"].as_array().unwrap().len(), 2, "also those that have ended");
}

#[tokio::test]
async fn what_it_is_not_shown_is_explained() {
    let (_folder, server) = world().await;
    for (name, reason) in [
        ("both", "uses spec.rules[0].fault.delay beside an abort"),
        ("ended", "it is expired"),
        ("suspended", "it is suspended"),
        ("none", "there is no valid policy `none`"),
    ] {
        let response = server.get(&format!("/v1/policies/{name}"), &[]).await;
        assert_eq!(response.status(), 404, "{name}");
        let problem: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(reason) && detail.contains("all=true"), "{detail}");
    }
}

#[tokio::test]
async fn a_list_is_made_once_and_again_for_another_revision() {
    let (folder, server) = world().await;
    let tag = async || server.get("/v1/policies", &[]).await.headers()["etag"].to_str().unwrap().to_owned();
    let first = tag().await;
    assert_eq!(tag().await, first);
    let again = server.get("/v1/policies", &[("if-none-match", first.as_str())]).await;
    assert_eq!(again.status(), 304);
    let before = server.snapshot("namespace=demo&service=cart", &[]).await;
    fs::write(folder.path().join("b.yaml"), policy("b", "cart", 500)).unwrap();
    server.next("namespace=demo&service=cart", &before.etag).await;
    assert_ne!(tag().await, first);
    assert_eq!(server.names().await, ["b", "delay", "rules"]);
}

/// The fields that its script for observability reads of the status, and what it demands of them.
#[tokio::test]
async fn its_script_finds_its_fields_in_the_status() {
    let (_folder, server) = world().await;
    let status = server.json("/v1/policies/status").await;
    let count = |name: &str| status["summary"][name].as_u64().unwrap();
    let policies = status["policies"].as_array().unwrap();
    assert_eq!(count("total_policies"), policies.len() as u64);
    let counts = ["total_policies", "active_policies", "abort_policies", "delay_policies"].map(count);
    assert_eq!(counts, [5, 3, 2, 5]);
    let of = |name: &str| policies.iter().find(|policy| policy["name"] == name).unwrap();
    let rules = of("rules");
    assert_eq!((&rules["target_service"], &rules["namespace"]), (&"checkout".into(), &"demo".into()));
    assert_eq!((&rules["rules_count"], &rules["active"]), (&2.into(), &true.into()));
    assert_eq!(rules["fault_types"], serde_json::json!(["abort", "delay"]));
    let delay = of("delay");
    assert_eq!((&delay["target_service"], &delay["namespace"]), (&"*".into(), &"*".into()));
    assert_eq!(delay["fault_types"], serde_json::json!(["delay"]));
    assert_eq!(of("suspended")["active"], false);
}

/// As its script for the control plane cuts it out of the answer.
#[tokio::test]
async fn its_script_finds_that_the_server_is_ready() {
    let (_folder, server) = world().await;
    assert_eq!(server.get("/v1/health", &[]).await.status(), 200);
    let ready = server.get("/v1/ready", &[]).await.text().await.unwrap();
    assert!(ready.contains("\"status\":\"ready\""), "{ready}");
}
