//! The pods that run, and those of them with a proxy that runs.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt as _, runtime::watcher};
use policies::Timestamp;

use crate::{
    doctor::inventory,
    kubernetes::inspecting::{
        convert::{is_lost, observe},
        running_proxy::{RunningProxy, running_proxy},
    },
};

/// A pod that runs.
#[derive(Clone, Debug)]
pub(super) struct Running {
    /// `POD.NAMESPACE`.
    pub(super) name: Arc<str>,
    pub(super) proxy: Option<Arc<Proxy>>,
}

/// A pod whose proxy runs.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    pub(super) uid: String,
    /// The start of the container of the proxy.
    pub(super) started: Timestamp,
    /// Its agent has fetched the module or given up, and it has its configuration.
    pub(super) is_ready: bool,
    pub(super) pod: inventory::Pod,
}

/// The pods that can have one.
pub(super) fn running() -> watcher::Config {
    watcher::Config::default().fields("status.phase=Running")
}

pub(super) fn read(pod: Pod) -> Running {
    let name = format!("{}.{}", pod.name_any(), pod.namespace().unwrap_or_default());
    Running { name: name.into(), proxy: proxy(pod).map(Arc::new) }
}

/// The proxy of a pod, if it runs, the pod is not about to end, and its node is not lost.
fn proxy(pod: Pod) -> Option<Proxy> {
    let is_to_stay = pod.metadata.deletion_timestamp.is_none() && !is_lost(&pod);
    let RunningProxy { started, is_ready } = running_proxy(&pod).filter(|_| is_to_stay)?;
    let (uid, pod) = (pod.uid().unwrap_or_default(), observe(pod));
    pod.has_proxy.then_some(Proxy { uid, started, is_ready, pod })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::proxy;
    use crate::doctor::inventory::ProxyKind;

    fn pod(status: &Value, arguments: &[&str]) -> Value {
        json!({
            "metadata": {"name": "a-1", "namespace": "demo", "uid": "1"},
            "spec": {"containers": [{"name": "istio-proxy", "args": arguments}]},
            "status": status,
        })
    }

    #[test]
    fn a_proxy_is_one_whose_container_runs() {
        let read = |pod: Value| proxy(serde_json::from_value(pod).unwrap());
        let running =
            json!({"name": "istio-proxy", "state": {"running": {"startedAt": "1970-01-01T00:00:09Z"}}});
        for list in ["containerStatuses", "initContainerStatuses"] {
            let status = json!({list: [running], "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]});
            let found = read(pod(&status, &["proxy", "router"])).unwrap();
            assert_eq!(found.pod.addresses, ["10.0.0.1", "fd00::1"]);
            assert_eq!((found.uid.as_str(), found.started.as_millis()), ("1", 9_000), "{list}");
            assert_eq!((found.pod.kind, found.is_ready), (ProxyKind::Gateway, false));
        }
        let mut ready = running.clone();
        ready["ready"] = true.into();
        assert!(read(pod(&json!({"containerStatuses": [ready]}), &[])).unwrap().is_ready);
        let waiting = json!({"name": "istio-proxy", "state": {"waiting": {}}});
        let mut other = running.clone();
        other["name"] = "main".into();
        let ztunnel = read(pod(&json!({"containerStatuses": [running]}), &["proxy", "ztunnel"]));
        assert!(ztunnel.is_none(), "it runs no filters");
        for container in [waiting, other] {
            assert!(read(pod(&json!({"containerStatuses": [container]}), &[])).is_none());
        }
        let mut ending = pod(&json!({"containerStatuses": [running]}), &[]);
        ending["metadata"]["deletionTimestamp"] = "2026-11-28T05:00:00Z".into();
        assert!(read(ending).is_none());
    }
}
