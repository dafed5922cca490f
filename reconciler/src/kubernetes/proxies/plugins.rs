//! The plugins that run the filter of this control plane.

use kube::{
    Api, Client, ResourceExt as _,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams},
};
use policies::Timestamp;
use serde_json::json;

use crate::{
    doctor::inventory::{Name, Plugin},
    kubernetes::{
        NAME,
        client::call::{self, CallError, with_timeout},
    },
};

/// The annotation whose change makes Istio send a plugin again. Its value is the time.
const SENT: &str = "hfi.dev/sent-again";

/// A plugin, and the time when it was sent again.
#[derive(Clone, Debug)]
pub(super) struct OurPlugin {
    pub(super) plugin: Plugin,
    pub(super) sent: Option<Timestamp>,
}

pub(super) fn all(client: &Client) -> Api<DynamicObject> {
    Api::all_with(client.clone(), &kind())
}

/// Makes Istio send a plugin to its proxies again.
pub(super) async fn send_again(client: &Client, plugin: &Name, now: Timestamp) -> Result<(), CallError> {
    let plugins = Api::<DynamicObject>::namespaced_with(client.clone(), &plugin.namespace, &kind());
    let patch = Patch::Merge(json!({"metadata": {"annotations": {SENT: now.to_rfc3339()}}}));
    let (name, params) =
        (&plugin.name, PatchParams { field_manager: Some("hfi".into()), ..Default::default() });
    with_timeout(call::TIMEOUT, plugins.patch(name, &params, &patch)).await.map(drop)
}

fn kind() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("extensions.istio.io", "v1alpha1", "WasmPlugin"))
}

/// Reads a plugin, if its filter polls the control plane of this namespace, or its module comes from it.
pub(super) fn read(object: DynamicObject, namespace: &str) -> Option<OurPlugin> {
    let sent = object.annotations().get(SENT).and_then(|sent| Timestamp::parse(sent).ok());
    let plugin: Plugin = serde_json::from_value(serde_json::to_value(object).ok()?).ok()?;
    let spec = &plugin.spec;
    let address = spec.plugin_config.control_plane_address.as_deref().unwrap_or_default();
    let is_ours = |host: &str| {
        let host = host.split([':', '/']).next().unwrap_or_default();
        let mut parts = host.split('.');
        parts.next() == Some(NAME) && parts.next() == Some(namespace)
    };
    let url = spec.url.split_once("://").map_or("", |(_, rest)| rest);
    (is_ours(address) || is_ours(url)).then_some(OurPlugin { plugin, sent })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

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
                    "annotations": {"hfi.dev/sent-again": "1970-01-01T00:00:09Z"},
                },
                "spec": {"url": url, "pluginConfig": {"control_plane_address": address}},
            });
            let read = read(serde_json::from_value(object).unwrap(), "boifi");
            assert_eq!(read.is_some(), is_ours, "{url} {address}");
            assert!(read.is_none_or(|read| read.sent.is_some_and(|sent| sent.as_millis() == 9_000)));
        }
    }
}
