//! A cluster, as far as the reconciler sees it: a real API server, and what is written there.

use std::{path::PathBuf, time::Duration};

use harness::KubeApi;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::support::process::{Process, text};

/// The time that a cluster may take: less than a Lease runs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(12);

const SOURCE: &str = "/apis/hfi.dev/v1alpha1/namespaces/boifi/policysources";
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
