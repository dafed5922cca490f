//! The Node, and the Lease by which it says that it lives.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Error};
use serde_json::{Value, from_value, json};
use tracing::warn;

const LEASES: &str = "kube-node-lease";
const LEASE_SECONDS: i32 = 40;
const RENEWAL: Duration = Duration::from_secs(10);

/// What this machine has to give.
pub(crate) fn capacity() -> Result<BTreeMap<String, Quantity>> {
    let processors = std::thread::available_parallelism().context("counting processors")?;
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes =
        total.and_then(|total| total.split_whitespace().next()).context("Linux tells no MemTotal")?;
    let all = [
        ("cpu", processors.to_string()),
        ("memory", format!("{kibibytes}Ki")),
        ("ephemeral-storage", "100Gi".to_owned()),
        ("pods", "250".to_owned()),
    ];
    Ok(all.map(|(name, amount)| (name.to_owned(), Quantity(amount))).into())
}

/// Makes the Node, or takes over the one that is there. The kubelet's own API is at the address.
pub(crate) async fn register(
    client: &Client,
    name: &str,
    address: (Ipv4Addr, u16),
    capacity: &BTreeMap<String, Quantity>,
) -> Result<()> {
    let nodes: Api<Node> = Api::all(client.clone());
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let labels = json!({
        "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": architecture,
    });
    let node: Node = from_value(json!({"metadata": {"name": name, "labels": labels}}))?;
    match nodes.create(&PostParams::default(), &node).await {
        Err(Error::Api(status)) if status.code == 409 => {}
        created => drop(created.context("making the Node")?),
    }
    let patch = Patch::Merge(json!({"status": status(address, capacity, architecture)}));
    nodes.patch_status(name, &PatchParams::default(), &patch).await.context("the status of the Node")?;
    Ok(())
}

fn status(
    (address, port): (Ipv4Addr, u16),
    capacity: &BTreeMap<String, Quantity>,
    architecture: &str,
) -> Value {
    let now = Time(Timestamp::now());
    let condition = |kind: &str, status: &str, reason: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "lastHeartbeatTime": now, "lastTransitionTime": now,
        })
    };
    json!({
        "capacity": capacity,
        "allocatable": capacity,
        "addresses": [{"type": "InternalIP", "address": address}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        // The API server then speaks WebSocket to it, and not SPDY.
        "declaredFeatures": ["ExtendWebSocketsToKubelet"],
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID"),
            condition("Ready", "True", "KubeletReady"),
        ],
        "nodeInfo": {
            "architecture": architecture, "operatingSystem": "linux", "osImage": "this machine",
            "containerRuntimeVersion": "process://1", "kubeletVersion": "v1.33.0", "kubeProxyVersion": "",
            "kernelVersion": "", "machineID": "", "systemUUID": "", "bootID": "",
        },
    })
}

/// Renews the Lease for ever.
pub(crate) async fn beat(client: Client, name: String) {
    let leases: Api<Lease> = Api::namespaced(client, LEASES);
    loop {
        if let Err(error) = renew(&leases, &name).await {
            warn!(%error, "the Lease of the Node cannot be renewed");
        }
        tokio::time::sleep(RENEWAL).await;
    }
}

async fn renew(leases: &Api<Lease>, name: &str) -> Result<(), Error> {
    let spec = LeaseSpec {
        holder_identity: Some(name.to_owned()),
        lease_duration_seconds: Some(LEASE_SECONDS),
        renew_time: Some(MicroTime(Timestamp::now())),
        ..LeaseSpec::default()
    };
    let patch = Patch::Merge(json!({"spec": spec}));
    match leases.patch(name, &PatchParams::default(), &patch).await {
        Err(Error::Api(status)) if status.code == 404 => {
            let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
            let lease = Lease { metadata, spec: Some(spec) };
            leases.create(&PostParams::default(), &lease).await.map(drop)
        }
        renewed => renewed.map(drop),
    }
}
