use anyhow::Result;
use serde_json::{Value, json};

use super::node::Node;

#[tokio::test]
async fn a_container_that_ends_is_started_again_after_longer_and_longer_pauses() -> Result<()> {
    let node = Node::start().await?;
    let args = json!(["echo broken > /dev/termination-log; echo one more; exit 7"]);
    let containers = json!([{"name": "app", "image": "shell", "args": args}]);
    node.api.run("crash", json!({"containers": containers})).await?;
    let looping = |pod: &Value| {
        let status = &pod["status"]["containerStatuses"][0];
        status["restartCount"].as_i64() >= Some(3)
            && status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    };
    let pod = node.api.until("crash", "CrashLoopBackOff", looping).await?;
    let last = &pod["status"]["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!(last["exitCode"], 7);
    assert_eq!(last["message"], "broken\n");
    assert!(node.log("crash", "app").matches("one more").count() >= 3);
    node.stop().await
}

#[tokio::test]
async fn a_pod_that_is_not_restarted_ends_by_its_exit_codes() -> Result<()> {
    let node = Node::start().await?;
    for (name, code, phase) in [("good", "0", "Succeeded"), ("bad", "1", "Failed")] {
        let containers = json!([{"name": "app", "image": "shell", "args": [format!("exit {code}")]}]);
        node.api.run(name, json!({"restartPolicy": "Never", "containers": containers})).await?;
        let pod = node.api.until(name, "the end of a Pod", |pod| pod["status"]["phase"] == phase).await?;
        assert_eq!(pod["status"]["containerStatuses"][0]["restartCount"], 0);
    }
    let init = json!([{"name": "init", "image": "shell", "args": ["exit 1"]}]);
    let containers = json!([{"name": "app", "image": "shell", "args": ["echo never"]}]);
    let spec = json!({"restartPolicy": "Never", "initContainers": init, "containers": containers});
    node.api.run("early", spec).await?;
    node.api.until("early", "the end of a Pod", |pod| pod["status"]["phase"] == "Failed").await?;
    assert_eq!(node.log("early", "app"), "");
    node.stop().await
}
