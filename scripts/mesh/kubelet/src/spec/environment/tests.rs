use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service};
use serde_json::{Value, from_value, json};

use super::environment;
use crate::spec::facts::Facts;
use crate::spec::objects::Objects;
use crate::spec::refusal::Refusal;

fn objects() -> Objects {
    let map: ConfigMap =
        from_value(json!({"metadata": {"name": "settings"}, "data": {"COLOUR": "red", "SIZE": "1"}}))
            .unwrap();
    // "blue", as the API has it.
    let secret: Secret =
        from_value(json!({"metadata": {"name": "keys"}, "data": {"COLOUR": "Ymx1ZQ=="}})).unwrap();
    let service = |namespace: &str, name: &str| -> Service {
        from_value(json!({
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443}]},
        }))
        .unwrap()
    };
    Objects {
        config_maps: [("settings".to_owned(), map)].into(),
        secrets: [("keys".to_owned(), secret)].into(),
        services: vec![service("default", "kubernetes"), service("shop", "my-db"), service("other", "else")],
    }
}

fn of(container: Value, links: bool) -> Result<BTreeMap<String, String>, Refusal> {
    let pod: Pod = from_value(json!({
        "metadata": {"name": "web-1", "namespace": "shop"},
        "spec": {"enableServiceLinks": links, "containers": [container]},
    }))
    .unwrap();
    let container = &pod.spec.as_ref().unwrap().containers[0];
    environment(&pod, container, &objects(), &Facts::for_tests())
}

#[test]
fn the_later_source_of_a_variable_counts() {
    let settings = json!({"configMapRef": {"name": "settings"}});
    let keys = json!({"secretRef": {"name": "keys"}});
    let env = json!([{"name": "SIZE", "value": "2"}]);
    let variables = of(json!({"name": "c", "envFrom": [settings, keys], "env": env}), false).unwrap();
    assert_eq!(variables["COLOUR"], "blue");
    assert_eq!(variables["SIZE"], "2");
}

#[test]
fn a_value_refers_to_what_was_said_before_it() {
    let env = json!([
        {"name": "A", "value": "$(B)"},
        {"name": "B", "value": "$(COLOUR)-$(KUBERNETES_SERVICE_PORT)"},
        {"name": "C", "value": "$(B)$(PATH)"},
    ]);
    let from = json!([{"configMapRef": {"name": "settings"}}]);
    let variables = of(json!({"name": "c", "envFrom": from, "env": env}), false).unwrap();
    assert_eq!(variables["A"], "$(B)");
    assert_eq!(variables["B"], "red-443");
    assert_eq!(variables["C"], "red-443$(PATH)", "what the image sets is not seen");
}

#[test]
fn values_come_from_fields_resources_and_keys() {
    let env = json!([
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "COLOUR"}}},
        {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "k", "optional": true}}},
    ]);
    let resources = json!({"limits": {"memory": "512Mi"}});
    let variables = of(json!({"name": "c", "env": env, "resources": resources}), false).unwrap();
    let got = ["NAME", "CPU", "MEMORY", "KEY"].map(|name| variables[name].as_str());
    assert_eq!(got, ["web-1", "2", "512", "blue"]);
    assert!(!variables.contains_key("NONE"));
}

#[test]
fn an_object_that_is_missing_is_an_error_unless_it_is_optional() {
    let from = |optional: bool| json!([{"configMapRef": {"name": "none", "optional": optional}}]);
    of(json!({"name": "c", "envFrom": from(true)}), false).unwrap();
    let refusal = of(json!({"name": "c", "envFrom": from(false)}), false).unwrap_err();
    assert_eq!(refusal, Refusal::of_spec("configmap \"none\" not found"));
}

#[test]
fn services_of_the_namespace_are_variables_if_the_pod_wants_them() {
    let with = of(json!({"name": "c"}), true).unwrap();
    assert_eq!(with["MY_DB_SERVICE_HOST"], "10.96.0.1");
    assert_eq!(with["MY_DB_PORT_443_TCP"], "tcp://10.96.0.1:443");
    let without = of(json!({"name": "c"}), false).unwrap();
    assert_eq!(without["KUBERNETES_SERVICE_HOST"], "10.96.0.1");
    let others = |name: &&String| name.starts_with("MY_DB") || name.starts_with("ELSE");
    assert_eq!(without.keys().find(others), None);
    assert_eq!(with.keys().find(|name| name.starts_with("ELSE")), None);
}
