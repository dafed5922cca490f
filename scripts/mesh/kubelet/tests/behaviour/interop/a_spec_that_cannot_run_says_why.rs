use anyhow::Result;
use serde_json::{Value, json};

use super::node::Node;

#[tokio::test]
async fn the_status_of_a_pod_says_what_it_lacks() -> Result<()> {
    let node = Node::start().await?;
    let container = |more: Value| {
        let mut container = json!({"name": "app", "image": "shell", "args": ["sleep 60"]});
        container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"containers": [container]})
    };
    let mut host_path = container(json!({}));
    host_path["volumes"] = json!([{"name": "v", "hostPath": {"path": "/"}}]);
    let as_root = json!({"securityContext": {"runAsNonRoot": true}});
    let missing = json!({"envFrom": [{"configMapRef": {"name": "none"}}]});
    for (name, spec, reason, message) in [
        ("image", container(json!({"image": "unknown:1"})), "ImagePullBackOff", "\"unknown:1\""),
        ("host-path", host_path, "CreateContainerConfigError", "the volume \"v\" is of another kind"),
        ("as-root", container(as_root), "CreateContainerConfigError", "will run as root"),
        ("missing", container(missing), "CreateContainerConfigError", "configmap \"none\" not found"),
    ] {
        node.api.run(name, spec).await?;
        let waits =
            |pod: &Value| pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == reason;
        let pod = node.api.until(name, "a reason", waits).await?;
        let said = pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"].as_str();
        assert!(said.unwrap_or_default().contains(message), "{name}: {said:?}");
        assert_eq!(pod["status"]["phase"], "Pending");
    }
    // What is missing may come.
    node.api.create("configmaps", "none", json!({"data": {}})).await?;
    node.api.until_ready("missing").await?;
    for name in ["image", "host-path", "as-root"] {
        node.api.delete(name).await?;
        node.api.until_gone(name).await?;
    }
    node.stop().await
}
