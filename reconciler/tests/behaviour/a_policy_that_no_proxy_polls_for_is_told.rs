//! `noProxy` in `/v1/policies/status`: an active policy that no proxy polls for, with the nearest names that do poll.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Server, policy};

async fn told(server: &Server) -> Vec<(String, Value)> {
    let status = server.json("/v1/policies/status").await;
    let policies = status["policies"].as_array().unwrap().iter();
    policies.map(|policy| (policy["name"].as_str().unwrap().to_owned(), policy["noProxy"].clone())).collect()
}

#[tokio::test]
async fn with_the_nearest_names_that_do_poll() {
    let folder = tempfile::tempdir().unwrap();
    let suspended = policy("off", "nobody", 503).replace("spec: {", "spec: {suspend: true, ");
    let all = policy("typo", "chekout", 503)
        + "---\n"
        + &policy("right", "checkout", 503)
        + "---\n"
        + &policy("strange", "zzz", 503)
        + "---\n"
        + &suspended;
    fs::write(folder.path().join("a.yaml"), all).unwrap();
    let server = Server::of_folder(folder.path()).await;
    let is = |name: &str, value: Value| (name.to_owned(), value);
    let nothing = ["off", "right", "strange", "typo"].map(|name| is(name, Value::Null));
    let sorted = |mut told: Vec<(String, Value)>| {
        told.sort_by(|a, b| a.0.cmp(&b.0));
        told
    };
    assert_eq!(sorted(told(&server).await), nothing, "nobody polls yet");

    let node = ("x-hfi-node", "sidecar~10.0.0.1~checkout-1.demo~demo.svc.cluster.local");
    server.snapshot("namespace=demo&service=checkout&service=checkout-v2", &[node]).await;
    let expected = [
        is("off", Value::Null),
        is("right", Value::Null),
        is("strange", json!({"nearest": ["checkout.demo", "checkout-v2.demo"]})),
        is("typo", json!({"nearest": ["checkout.demo", "checkout-v2.demo"]})),
    ];
    assert_eq!(sorted(told(&server).await), expected);

    // The waypoint of the namespace is for all of its services.
    let waypoint = ("x-hfi-node", "waypoint~10.0.0.2~waypoint-1.demo~demo.svc.cluster.local");
    server.snapshot("namespace=demo&service=*", &[waypoint]).await;
    assert_eq!(sorted(told(&server).await), nothing);
}
