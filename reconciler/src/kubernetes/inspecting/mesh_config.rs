//! The part of Istio's mesh configuration that matters, a YAML text in a ConfigMap.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MeshConfig {
    pub(crate) root_namespace: Option<String>,
    extension_providers: Vec<Value>,
}

impl MeshConfig {
    /// One that cannot be read says nothing: Istio rejects it too.
    pub(crate) fn parse(text: &str) -> Self {
        serde_yaml::from_str(text).unwrap_or_default()
    }

    /// The hosts that its providers name. Each kind of provider has its own fields beside `service`.
    pub(crate) fn services(&self) -> impl Iterator<Item = String> {
        let kinds = self
            .extension_providers
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|provider| provider.values());
        kinds.filter_map(|kind| kind.get("service")?.as_str().map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::MeshConfig;

    #[test]
    fn providers_are_read_in_any_style() {
        let texts = [
            "rootNamespace: root\nextensionProviders:\n- name: hfi\n  opentelemetry:\n    service: 'hfi.boifi.svc'\n    port: 8080\n",
            "{rootNamespace: root, extensionProviders: [{name: hfi, opentelemetry: {service: hfi.boifi.svc, port: 8080}}]}",
            r#"{"rootNamespace": "root", "extensionProviders": [{"name": "hfi", "zipkin": {"service": "hfi.boifi.svc"}}]}"#,
        ];
        for text in texts {
            let mesh = MeshConfig::parse(text);
            assert_eq!(mesh.services().collect::<Vec<_>>(), ["hfi.boifi.svc"], "{text}");
            assert_eq!(mesh.root_namespace.as_deref(), Some("root"), "{text}");
        }
    }

    #[test]
    fn without_one_that_can_be_read_there_are_no_providers() {
        for text in ["", "a: [", "extensionProviders: 3", "extensionProviders: [3, {name: hfi}]"] {
            assert_eq!(MeshConfig::parse(text).services().count(), 0, "{text}");
        }
    }
}
