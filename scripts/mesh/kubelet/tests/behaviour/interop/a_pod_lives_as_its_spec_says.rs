use std::time::{Duration, Instant};

use anyhow::Result;
use harness::Deadline;
use serde_json::{Value, json};

use super::node::{Node, PATIENCE, condition};

/// Says that it was asked to end, and ends. The web server beside it, as the first process of its container, does
/// neither.
const POLITE: &str = "trap 'echo goodbye; exit 0' TERM; echo hello $NAME; while :; do sleep 0.05; done";

#[tokio::test]
async fn a_pod_gets_ready_follows_its_config_map_and_ends_within_its_grace_period() -> Result<()> {
    let node = Node::start().await?;
    node.api.create("configmaps", "settings", json!({"data": {"colour": "red"}})).await?;
    node.api.run("web-1", spec()).await?;
    let pod = node.api.until_ready("web-1").await?;
    assert_eq!(pod["status"]["phase"], "Running");
    assert_eq!(pod["spec"]["nodeName"], "node-1");
    node.until_log("web-1", "app", "hello web-1\n").await?;
    assert_eq!(node.log("web-1", "prepare"), "first\n", "the init container ran once");

    let address = pod["status"]["podIP"].as_str().unwrap_or_default().to_owned();
    assert_eq!(fetch(&address).await?, "red");
    node.api.patch("configmaps", "settings", json!({"data": {"colour": "blue"}})).await?;
    let deadline = Deadline::of_costly("the changed ConfigMap", PATIENCE);
    while fetch(&address).await? != "blue" {
        deadline.pause().await?;
    }

    let begun = Instant::now();
    node.api.delete("web-1").await?;
    node.api.until_gone("web-1").await?;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(node.log("web-1", "app"), "hello web-1\ngoodbye\n");
    assert_eq!(node.kubelet.network_namespace("demo", "web-1"), None);
    node.stop().await
}

#[tokio::test]
async fn a_program_that_does_not_end_is_killed_after_the_grace_period() -> Result<()> {
    let node = Node::start().await?;
    let lifecycle = json!({"preStop": {"exec": {"command": ["sh", "-c", "echo hook >>/proc/1/fd/1"]}}});
    let args = json!(["trap '' TERM; echo up; while :; do sleep 0.05; done"]);
    let container = json!({"name": "app", "image": "shell", "args": args, "lifecycle": lifecycle});
    node.api.run("deaf", json!({"terminationGracePeriodSeconds": 3, "containers": [container]})).await?;
    node.api.until_ready("deaf").await?;
    node.until_log("deaf", "app", "up").await?;
    let begun = Instant::now();
    node.api.delete("deaf").await?;
    node.api.until_gone("deaf").await?;
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(20), "{took:?}");
    assert!(node.log("deaf", "app").contains("hook"), "{}", node.log("deaf", "app"));
    node.stop().await
}

#[tokio::test]
async fn readiness_goes_by_the_probe_and_liveness_restarts() -> Result<()> {
    let node = Node::start().await?;
    let probe =
        |command: Value| json!({"exec": {"command": command}, "periodSeconds": 1, "failureThreshold": 1});
    let container = json!({
        "name": "app", "image": "shell", "args": ["while :; do sleep 0.05; done"],
        "readinessProbe": probe(json!(["test", "-e", "/tmp/ready"])),
        "livenessProbe": probe(json!(["test", "!", "-e", "/tmp/dead"])),
    });
    let spec = json!({"terminationGracePeriodSeconds": 1, "containers": [container]});
    node.api.run("probed", spec).await?;
    let running = |pod: &Value| pod["status"]["phase"] == "Running";
    let pod = node.api.until("probed", "a Pod to run", running).await?;
    assert_eq!(condition(&pod, "Ready"), "False");
    node.kubelet.exec("demo", "probed", "app", &["touch", "/tmp/ready"]).await?;
    node.api.until_ready("probed").await?;
    node.kubelet.exec("demo", "probed", "app", &["touch", "/tmp/dead"]).await?;
    let restarted = |pod: &Value| {
        let status = &pod["status"]["containerStatuses"][0];
        status["restartCount"] == 1 && status["state"]["running"].is_object()
    };
    let pod = node.api.until("probed", "a restart", restarted).await?;
    assert_eq!(condition(&pod, "Ready"), "False", "what it wrote went with it");
    node.stop().await
}

fn spec() -> Value {
    let volumes = json!([{"name": "settings", "configMap": {"name": "settings"}}]);
    let mounts = json!([{"name": "settings", "mountPath": "/settings"}]);
    let field = json!({"fieldRef": {"fieldPath": "metadata.name"}});
    let get = json!({"httpGet": {"path": "/colour", "port": "http"}, "periodSeconds": 1});
    json!({
        "terminationGracePeriodSeconds": 3,
        "volumes": volumes,
        "initContainers": [{"name": "prepare", "image": "shell", "args": ["echo first"]}],
        "containers": [
            {"name": "app", "image": "shell", "args": [POLITE], "env": [{"name": "NAME", "valueFrom": field}]},
            {
                "name": "web", "image": "python", "args": ["-m", "http.server", "8080", "--directory", "/settings"],
                "ports": [{"name": "http", "containerPort": 8080}], "volumeMounts": mounts, "readinessProbe": get,
            },
        ],
    })
}

async fn fetch(address: &str) -> Result<String> {
    let client = harness::http_client()?.no_proxy().build()?;
    Ok(client.get(format!("http://{address}:8080/colour")).send().await?.text().await?)
}
