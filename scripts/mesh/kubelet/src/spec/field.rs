//! Fields of a Pod as values (`fieldRef`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;

use super::facts::Facts;
use super::refusal::Refusal;

/// The value of a field. One that is not set is empty.
pub(super) fn field(pod: &Pod, path: &str, facts: &Facts) -> Result<String, Refusal> {
    let meta = &pod.metadata;
    let spec = pod.spec.as_ref();
    let value = match path {
        "metadata.name" => meta.name.clone(),
        "metadata.namespace" => meta.namespace.clone(),
        "metadata.uid" => meta.uid.clone(),
        "metadata.labels" => Some(lines(meta.labels.as_ref())),
        "metadata.annotations" => Some(lines(meta.annotations.as_ref())),
        "spec.nodeName" => spec.and_then(|spec| spec.node_name.clone()),
        "spec.serviceAccountName" => spec.and_then(|spec| spec.service_account_name.clone()),
        "status.podIP" | "status.podIPs" => Some(facts.pod_ip.to_string()),
        "status.hostIP" | "status.hostIPs" => Some(facts.host_ip.to_string()),
        _ => {
            let of = |name: &str| path.strip_prefix(name)?.strip_prefix("['")?.strip_suffix("']");
            let (key, values) = of("metadata.labels")
                .map(|key| (key, &meta.labels))
                .or_else(|| of("metadata.annotations").map(|key| (key, &meta.annotations)))
                .ok_or_else(|| Refusal::of_spec(format!("there is no field {path:?}")))?;
            values.as_ref().and_then(|values| values.get(key).cloned())
        }
    };
    Ok(value.unwrap_or_default())
}

/// `key="value"` on a line each, with the escapes of Go.
fn lines(values: Option<&BTreeMap<String, String>>) -> String {
    let lines = values.into_iter().flatten().map(|(key, value)| format!("{key}={}\n", quoted(value)));
    lines.collect::<String>().trim_end_matches('\n').to_owned()
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{from_value, json};

    use super::field;
    use crate::spec::facts::Facts;

    #[test]
    fn fields_are_read_as_the_downward_api_names_them() {
        let pod: Pod = from_value(json!({
            "metadata": {
                "name": "web-1", "namespace": "shop", "uid": "u-1",
                "labels": {"app": "web", "version": "2"}, "annotations": {"text": "a \"b\"\nc\\"},
            },
            "spec": {"containers": [], "nodeName": "n", "serviceAccountName": "web"},
        }))
        .unwrap();
        for (path, expected) in [
            ("metadata.name", "web-1"),
            ("metadata.labels['app']", "web"),
            ("metadata.labels['none']", ""),
            ("metadata.labels", "app=\"web\"\nversion=\"2\""),
            ("metadata.annotations", "text=\"a \\\"b\\\"\\nc\\\\\""),
            ("spec.serviceAccountName", "web"),
            ("status.podIP", "10.1.0.7"),
            ("status.hostIP", "10.1.0.1"),
        ] {
            assert_eq!(field(&pod, path, &Facts::for_tests()).unwrap(), expected, "{path}");
        }
        assert!(field(&pod, "status.phase", &Facts::for_tests()).is_err());
    }
}
