//! The filters that a proxy has for plugins, by its own account.

use kube::Client;
use serde::Deserialize;

use super::forwarded::{self, Asked};
use crate::doctor::inventory::{Extension, Name, Runs};

/// The port of Envoy's administration, which listens inside of a pod only.
const PORT: u16 = 15000;
/// Of its whole configuration, the filters that Istio sends one by one.
const PATH: &str = "/config_dump?resource=ecds_filters";
/// The kind of filter that Istio's agent makes of a plugin whose module it could not fetch.
const FALLBACK: &str = "filters.http.rbac.v3.RBAC";
const WASM: &str = "filters.http.wasm.v3.Wasm";

#[derive(Deserialize)]
struct Dump {
    #[serde(default)]
    configs: Vec<Config>,
}

#[derive(Deserialize)]
struct Config {
    ecds_filter: Option<Filter>,
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Filter {
    name: String,
    typed_config: Typed,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "@type")]
    kind: String,
}

/// None if the proxy cannot be asked.
pub(super) async fn ask(client: &Client, name: &Name) -> Option<Vec<Extension>> {
    match forwarded::ask(client, name, Asked::get(PORT, PATH)).await.ok()? {
        (200, body) => read(&body),
        // It has none.
        (404, _) => Some(Vec::new()),
        _ => None,
    }
}

fn read(dump: &[u8]) -> Option<Vec<Extension>> {
    let Dump { configs } = serde_json::from_slice(dump).ok()?;
    let extension = |Config { ecds_filter, last_updated }| {
        let Filter { name, typed_config } = ecds_filter?;
        // `extensions.istio.io/KIND/NAMESPACE.NAME`, and a mark after `~` if Istio has made the object of a plugin.
        let name = name.rsplit('/').next()?.split('~').next()?;
        let (namespace, name) = name.split_once('.')?;
        let runs = if typed_config.kind.ends_with(WASM) {
            Runs::Module
        } else if typed_config.kind.ends_with(FALLBACK) {
            Runs::Nothing
        } else {
            return None;
        };
        let plugin = Name { namespace: namespace.to_owned(), name: name.to_owned() };
        Some(Extension { plugin, runs, since: last_updated })
    };
    Some(configs.into_iter().filter_map(extension).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;
    use crate::doctor::inventory::{Extension, Name, Runs};

    #[test]
    fn a_module_is_told_from_what_the_agent_puts_in_its_place() {
        let filter = |name: &str, kind: &str| {
            json!({
                "last_updated": "2026-11-28T15:00:00Z",
                "ecds_filter": {"name": name, "typed_config": {"@type": format!("type.googleapis.com/envoy.extensions.{kind}")}},
            })
        };
        let dump = json!({"configs": [
            filter("extensions.istio.io/trafficextension/shop.hfi~istio-translated-wasmplugin", "filters.http.wasm.v3.Wasm"),
            filter("extenstions.istio.io/wasmplugin/shop.hfi.out", "filters.http.rbac.v3.RBAC"),
            filter("other", "filters.http.rbac.v3.RBAC"),
            filter("extensions.istio.io/trafficextension/shop.script", "filters.http.lua.v3.Lua"),
            {"something": "else"},
        ]});
        let extension = |name: &str, runs| Extension {
            plugin: Name { namespace: "shop".into(), name: name.into() },
            runs,
            since: Some("2026-11-28T15:00:00Z".into()),
        };
        let expected = [extension("hfi", Runs::Module), extension("hfi.out", Runs::Nothing)];
        assert_eq!(read(dump.to_string().as_bytes()), Some(expected.into()));
        assert_eq!(read(b"{}"), Some(Vec::new()));
        assert_eq!(read(b"not JSON"), None);
    }
}
