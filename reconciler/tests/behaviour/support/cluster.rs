//! A cluster, as far as the reconciler sees it: a real API server, and what is written there.

use std::{
    net::{IpAddr, UdpSocket},
    path::PathBuf,
    time::Duration,
};

use harness::KubeApi;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::process::{Process, text};

/// The time that a cluster may take: less than a Lease runs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(12);

pub(crate) const SOURCE: &str = "/apis/hfi.dev/v1alpha1/namespaces/boifi/policysources";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/boifi/events";

/// A replica that serves a directory and has a cluster as its peer, with the rights of `token` there.
pub(crate) async fn start(api: &KubeApi, token: &str, more: &[(&str, &str)]) -> Process {
    start_by(api.kubeconfig(token, &api.url()).unwrap(), more).await
}

/// The same, by a kubeconfig.
pub(crate) async fn start_by(kubeconfig: PathBuf, more: &[(&str, &str)]) -> Process {
    let environment = [&[("HFI_KUBERNETES", "true"), ("KUBECONFIG", text(&kubeconfig))], more].concat();
    Process::start(&environment).await
}

/// Waits until something is there.
pub(crate) async fn until<T>(what: &str, patience: Duration, look: impl AsyncFn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < patience, "waited without success until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The status that shows what is served, once it is such.
pub(crate) async fn shown(api: &KubeApi, hfi: &Process, is_such: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let object = api.get(&format!("{SOURCE}/hfi-control-plane")).await;
        match &object {
            Ok(object) if is_such(&object["status"]) => return object["status"].clone(),
            _ => assert!(begun.elapsed() < PATIENCE, "not shown: {object:?}; {}", hfi.log()),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// The table that `kubectl get policysources` prints: its columns with the only row.
pub(crate) async fn table(api: &KubeApi) -> Vec<(String, Value)> {
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let table = api.ask("GET", SOURCE, &accept, "").await.unwrap();
    assert_eq!(table["rows"].as_array().unwrap().len(), 1, "{table}");
    let names = table["columnDefinitions"].as_array().unwrap().iter();
    let cells = table["rows"][0]["cells"].as_array().unwrap().iter();
    names.map(|column| column["name"].as_str().unwrap().to_owned()).zip(cells.cloned()).collect()
}

/// All Events so far: type, reason and note, the oldest first.
pub(crate) async fn events(api: &KubeApi) -> Vec<(String, String, String)> {
    let list = api.get(EVENTS).await.unwrap();
    let mut events = list["items"].as_array().unwrap().clone();
    events.sort_by_key(|event| event["eventTime"].as_str().unwrap().to_owned());
    let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
    events
        .iter()
        .map(|event| {
            assert_eq!(event["regarding"]["kind"], "PolicySource", "{event}");
            assert_eq!(event["regarding"]["name"], "hfi-control-plane", "{event}");
            assert!(event["regarding"]["uid"].is_string(), "`kubectl describe` goes by it: {event}");
            (text(event, "type"), text(event, "reason"), text(event, "note"))
        })
        .collect()
}

/// The Events, once there is one with this reason.
pub(crate) async fn told(api: &KubeApi, reason: &str) -> Vec<(String, String, String)> {
    until(reason, PATIENCE, async || {
        Some(events(api).await).filter(|events| events.iter().any(|event| event.1 == reason))
    })
    .await
}

/// The part of `/v1/policies/status` about the cluster, once it is as wanted.
pub(crate) async fn peer(hfi: &Process, what: &str, is_such: impl Fn(&Value) -> bool) -> Value {
    until(what, PATIENCE, async || {
        let status = hfi.json("/v1/policies/status").await;
        Some(status["kubernetes"].clone()).filter(|peer| peer.is_object() && is_such(peer))
    })
    .await
}

/// The address of this machine: the API server goes to no pod at a loopback address.
pub(crate) fn own_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent: it only finds out by which address one would get there.
    socket.connect("192.0.2.1:9").unwrap();
    socket.local_addr().unwrap().ip()
}

/// Sets the endpoints of the Service to these replicas.
pub(crate) async fn set_endpoints(api: &KubeApi, replicas: &[&Process]) {
    // Each has a port of its own here, and so a slice of its own.
    let slice = |at: usize| {
        let port = replicas.get(at).map(|hfi| hfi.url.rsplit(':').next().unwrap().parse::<u16>().unwrap());
        let labels = json!({"kubernetes.io/service-name": "hfi-control-plane"});
        let endpoints = port.map(|_| json!({"addresses": [own_address()], "conditions": {"ready": true}}));
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": format!("hfi-control-plane-{at}"), "namespace": "boifi", "labels": labels},
            "endpoints": Vec::from_iter(endpoints),
            "ports": [{"name": "http", "port": port.unwrap_or(8080)}],
        })
    };
    assert!(api.apply(&[slice(0), slice(1)]).await.unwrap().is_empty());
}

/// Creates an object, with the status that a controller would give it.
pub(crate) async fn create(api: &KubeApi, collection: &str, mut object: Value) {
    let status = object.as_object_mut().unwrap().remove("status");
    api.ask("POST", collection, &[], &object.to_string()).await.unwrap();
    if let Some(status) = status {
        let path = format!("{collection}/{}/status", object["metadata"]["name"].as_str().unwrap());
        let merge = [("content-type", "application/merge-patch+json")];
        api.ask("PATCH", &path, &merge, &json!({"status": status}).to_string()).await.unwrap();
    }
}

/// A kind of Istio's or the Gateway API's, whatever its objects hold.
pub(crate) async fn define(api: &KubeApi, group: &str, version: &str, kind: &str) {
    let plural = format!("{}s", kind.to_lowercase());
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{group}"),
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural},
            "scope": "Namespaced",
            "versions": [{"name": version, "served": true, "storage": true, "schema": schema}],
        },
    });
    create(api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd).await;
    let collection = format!("/apis/{group}/{version}/{plural}");
    while api.get(&collection).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A pod that runs, of a Deployment.
pub(crate) fn pod(name: &str, app: &str, ip: IpAddr, containers: Value) -> Value {
    let owner =
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{app}-7d8f"), "uid": "1"});
    json!({
        "metadata": {"name": name, "labels": {"app": app}, "ownerReferences": [owner]},
        "spec": {"containers": containers},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
    })
}
