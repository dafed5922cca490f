use anyhow::Result;
use serde_json::{Value, json};

use super::node::Node;

/// A line for each thing that the spec decides. Two dollar signs in arguments are one.
const LOOK: &str = r#"
echo "user $(id -u):$(id -g) groups $(id -G)"
echo "pid $$$$ in $(pwd) on $(cat /proc/sys/kernel/hostname)"
echo "privileges $(sed -n 's/^NoNewPrivs:\t//p;s/^CapBnd:\t//p' /proc/self/status | xargs)"
touch /tmp/x && echo "writes /tmp"
echo kept > /data/file && echo "writes /data of $(stat -c %g /data)"
touch /settings/x 2>/dev/null || echo "settings are read-only"
echo "mode $(stat -L -c %a:%g /settings/key) $(cat /settings/key)"
echo "inner $(cat /settings/deep/inner/key)"
grep -q "db.demo.svc.cluster.local db.demo.svc db.demo db" /etc/hosts && echo "knows db"
echo "sees" /*
echo here >>/dev/stderr
echo "done"
while :; do sleep 1; done
"#;

#[tokio::test]
async fn a_container_has_the_user_the_root_and_the_volumes_of_its_spec() -> Result<()> {
    let node = Node::start().await?;
    node.api.create("configmaps", "settings", json!({"data": {"key": "value"}})).await?;
    node.api.create("services", "db", json!({"spec": {"ports": [{"port": 80}]}})).await?;
    node.api.run("looking", spec()).await?;
    node.until_log("looking", "app", "done").await?;
    let log = node.log("looking", "app");
    let lines: Vec<_> = log.lines().collect();
    for expected in [
        "user 1337:1338 groups 1338 4242",
        "pid 1 in /work/of/it on looking",
        // None but what changes root and user, which only root could use.
        "privileges 0000000000040080 1",
        "writes /tmp",
        "writes /data of 4242",
        "settings are read-only",
        "mode 640:4242 value",
        "inner value",
        "knows db",
        "here",
    ] {
        assert!(lines.contains(&expected), "{expected:?} is not in\n{log}");
    }
    let sees = lines.iter().find(|line| line.starts_with("sees ")).unwrap();
    for private in ["/home", "/boot", "/mnt"] {
        assert!(!sees.contains(private), "{sees}");
    }
    node.stop().await
}

#[tokio::test]
async fn what_a_container_writes_is_its_own_and_a_read_only_root_takes_nothing() -> Result<()> {
    let node = Node::start().await?;
    let write =
        "for place in / /usr /etc /tmp; do touch $place/kubelet-test && echo wrote $place; done; sleep 600";
    let container = |name: &str, security: Value| json!({"name": name, "image": "shell", "args": [write], "securityContext": security});
    let containers = [
        container("free", json!({})),
        container("bound", json!({"readOnlyRootFilesystem": true})),
        container("free-too", json!({})),
    ];
    node.api.run("writing", json!({"terminationGracePeriodSeconds": 1, "containers": containers})).await?;
    node.until_log("writing", "free-too", "wrote /tmp").await?;
    node.until_log("writing", "bound", "/tmp/kubelet-test").await?;
    assert_eq!(node.log("writing", "free"), "wrote /\nwrote /usr\nwrote /etc\nwrote /tmp\n");
    assert!(!node.log("writing", "bound").contains("wrote"), "{}", node.log("writing", "bound"));
    for place in ["/", "/usr", "/etc", "/tmp"] {
        let file = std::path::Path::new(place).join("kubelet-test");
        assert!(!file.exists(), "{}", file.display());
    }
    node.stop().await
}

fn spec() -> Value {
    let security = json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
    });
    json!({
        "securityContext": {"runAsUser": 1337, "runAsGroup": 1338, "fsGroup": 4242},
        "terminationGracePeriodSeconds": 1,
        "volumes": [
            {"name": "data", "emptyDir": {}},
            {"name": "tmp", "emptyDir": {}},
            {"name": "settings", "configMap": {"name": "settings", "defaultMode": 0o600}},
            {"name": "settings-again", "configMap": {"name": "settings"}},
        ],
        "containers": [{
            "name": "app", "image": "shell", "args": [LOOK], "workingDir": "/work/of/it", "securityContext": security,
            "volumeMounts": [
                {"name": "data", "mountPath": "/data"},
                {"name": "tmp", "mountPath": "/tmp"},
                {"name": "settings", "mountPath": "/settings"},
                // Its place is in a volume that the container cannot write to.
                {"name": "settings-again", "mountPath": "/settings/deep/inner"},
            ],
        }],
    })
}
