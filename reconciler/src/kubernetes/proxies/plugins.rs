//! The plugins that run the filter of this control plane.

use kube::{
    Api, Client, ResourceExt as _,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams},
};
use policies::Timestamp;
use serde_json::{Value, json};

use crate::{
    doctor::inventory::{Name, Plugin},
    kubernetes::{
        NAME,
        client::call::{self, CallError, with_timeout},
    },
};

/// The annotation whose change makes Istio send a plugin again. Its value is the time.
const SENT: &str = "hfi.dev/sent-again";
/// How often in a row, so that the next leader does not begin anew.
const COUNT: &str = "hfi.dev/sent-again-count";

/// A plugin, when it was sent again, and how often in a row.
#[derive(Clone, Debug)]
pub(super) struct OurPlugin {
    pub(super) plugin: Plugin,
    pub(super) sent: Option<Timestamp>,
    pub(super) count: u32,
}

/// A plugin that runs our filter and that is not as its kind says, and the reason.
#[derive(Clone, Debug)]
pub(super) struct Unreadable {
    plugin: Name,
    reason: String,
}

pub(super) fn all(client: &Client) -> Api<DynamicObject> {
    Api::all_with(client.clone(), &kind())
}

/// Makes Istio send a plugin to its proxies again.
pub(super) async fn send_again(
    client: &Client,
    plugin: &Name,
    now: Timestamp,
    count: u32,
) -> Result<(), CallError> {
    let plugins = Api::<DynamicObject>::namespaced_with(client.clone(), &plugin.namespace, &kind());
    let annotations = json!({SENT: now.to_rfc3339(), COUNT: count.to_string()});
    let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
    let (name, params) =
        (&plugin.name, PatchParams { field_manager: Some("hfi".into()), ..Default::default() });
    with_timeout(call::TIMEOUT, plugins.patch(name, &params, &patch)).await.map(drop)
}

fn kind() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("extensions.istio.io", "v1alpha1", "WasmPlugin"))
}

/// Reads a plugin, if its filter polls the control plane of this namespace, or its module comes from it.
pub(super) fn read(object: DynamicObject, namespace: &str) -> Option<Result<OurPlugin, Unreadable>> {
    let text = |pointer| object.data.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let is_ours = |host: &str| {
        let host = host.split([':', '/']).next().unwrap_or_default();
        let mut parts = host.split('.');
        parts.next() == Some(NAME) && parts.next() == Some(namespace)
    };
    let url = text("/spec/url").split_once("://").map_or("", |(_, rest)| rest);
    if !is_ours(text("/spec/pluginConfig/control_plane_address")) && !is_ours(url) {
        return None;
    }
    let annotation = |name| object.annotations().get(name);
    let sent = annotation(SENT).and_then(|sent| Timestamp::parse(sent).ok());
    let count = annotation(COUNT).and_then(|count| count.parse().ok()).unwrap_or(0);
    let plugin = Name { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
    let read = serde_json::to_value(object).and_then(serde_json::from_value);
    Some(match read {
        Ok(read) => Ok(OurPlugin { plugin: read, sent, count }),
        Err(error) => Err(Unreadable { plugin, reason: error.to_string() }),
    })
}

/// An error with the first of them.
pub(super) fn complaint(unreadable: &[Unreadable]) -> Result<(), String> {
    let [Unreadable { plugin, reason }, more @ ..] = unreadable else { return Ok(()) };
    let more = match more.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(format!("WasmPlugin {plugin}{more} cannot be read, so its proxies are not looked at: {reason}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{complaint, read};

    #[test]
    fn a_plugin_is_ours_by_the_address_that_its_filter_polls_or_by_its_module() {
        for (url, address, is_ours) in [
            ("oci://registry.example/hfi", "hfi-control-plane.boifi.svc.cluster.local:8080", true),
            ("oci://registry.example/hfi", "hfi-control-plane.boifi:8080", true),
            ("http://hfi-control-plane.boifi.svc:8080/filter/1e5d.wasm", "", true),
            ("oci://registry.example/hfi", "hfi-control-plane.other:8080", false),
            ("http://hfi-control-plane.boifi2.svc:8080/filter/1e5d.wasm", "", false),
            ("oci://registry.example/hfi-control-plane.boifi", "", false),
        ] {
            let object = json!({
                "metadata": {
                    "namespace": "demo", "name": "hfi",
                    "annotations": {
                        "hfi.dev/sent-again": "1970-01-01T00:00:09Z", "hfi.dev/sent-again-count": "3",
                    },
                },
                "spec": {"url": url, "pluginConfig": {"control_plane_address": address}},
            });
            let read = read(serde_json::from_value(object).unwrap(), "boifi").map(Result::unwrap);
            assert_eq!(read.is_some(), is_ours, "{url} {address}");
            let known = read.map(|read| (read.sent.map(|sent| sent.as_millis()), read.count));
            assert!(known.is_none_or(|known| known == (Some(9_000), 3)));
        }
    }

    #[test]
    fn one_of_ours_that_cannot_be_read_is_told() {
        let read = |address: &str, annotations: &[(&str, &str)]| {
            let config = json!({"control_plane_address": address, "namespaces": "demo"});
            let annotations: std::collections::BTreeMap<_, _> = annotations.iter().copied().collect();
            let object = json!({
                "metadata": {"namespace": "demo", "name": "hfi", "annotations": annotations},
                "spec": {"url": "oci://registry.example/hfi", "pluginConfig": config},
            });
            read(serde_json::from_value(object).unwrap(), "boifi")
        };
        assert!(read("somebody.else:8080", &[]).is_none());
        let unreadable = read("hfi-control-plane.boifi:8080", &[]).unwrap().unwrap_err();
        let error = complaint(&[unreadable.clone(), unreadable]).unwrap_err();
        assert!(error.contains("demo/hfi and 1 more") && error.contains("expected a sequence"), "{error}");
        assert_eq!(complaint(&[]), Ok(()));
    }
}
