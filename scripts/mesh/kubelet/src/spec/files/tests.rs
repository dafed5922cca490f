use k8s_openapi::api::core::v1::{ConfigMap, Pod, Volume};
use serde_json::{Value, from_value, json};

use super::{File, Files, Sources};
use crate::spec::facts::Facts;
use crate::spec::objects::Objects;
use crate::spec::refusal::Refusal;
use crate::spec::tokens::{Tokens, WantedToken};

fn files(volume: Value) -> Result<Option<Files>, Refusal> {
    let metadata = json!({"name": "web-1", "namespace": "shop", "labels": {"app": "web"}});
    let pod: Pod = from_value(json!({"metadata": metadata, "spec": {"containers": []}})).unwrap();
    let map: ConfigMap =
        from_value(json!({"data": {"a": "1", "b": "2"}, "binaryData": {"c": "/w=="}})).unwrap();
    let objects = Objects { config_maps: [("settings".to_owned(), map)].into(), ..Objects::default() };
    let wanted = WantedToken { audience: Some("istio-ca".to_owned()), seconds: 43200 };
    let tokens: Tokens = [(wanted, "secret".to_owned())].into();
    let sources = Sources { pod: &pod, objects: &objects, tokens: &tokens, facts: &Facts::for_tests() };
    let volume: Volume = from_value(volume).unwrap();
    sources.files(&volume)
}

fn file(content: &[u8], mode: u32) -> File {
    File { content: content.to_vec(), mode }
}

#[test]
fn a_config_map_is_a_file_for_each_key() {
    let volume = json!({"name": "v", "configMap": {"name": "settings", "defaultMode": 0o400}});
    let expected = [("a", &b"1"[..]), ("b", b"2"), ("c", b"\xff")];
    let expected = expected.map(|(path, content)| (path.to_owned(), file(content, 0o400)));
    assert_eq!(files(volume).unwrap(), Some(expected.into()));
}

#[test]
fn items_choose_keys_and_name_their_paths() {
    let items = json!([{"key": "a", "path": "deep/er", "mode": 0o600}]);
    let volume = json!({"name": "v", "configMap": {"name": "settings", "items": items}});
    assert_eq!(files(volume).unwrap(), Some([("deep/er".to_owned(), file(b"1", 0o600))].into()));
    let items = json!([{"key": "none", "path": "x"}]);
    files(json!({"name": "v", "configMap": {"name": "settings", "items": items}})).unwrap_err();
}

#[test]
fn a_projected_volume_has_the_files_of_all_its_sources() {
    let token = json!({"audience": "istio-ca", "expirationSeconds": 43200, "path": "token"});
    let label = json!({"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}});
    let volume = json!({"name": "v", "projected": {"sources": [
        {"serviceAccountToken": token},
        {"downwardAPI": {"items": [label]}},
        {"configMap": {"name": "settings", "items": [{"key": "b", "path": "b"}]}},
        {"secret": {"name": "none", "optional": true}},
    ]}});
    let expected = [("token", &b"secret"[..]), ("labels", b"app=\"web\""), ("b", b"2")];
    let expected = expected.map(|(path, content)| (path.to_owned(), file(content, 0o644)));
    assert_eq!(files(volume).unwrap(), Some(expected.into()));
}

#[test]
fn an_optional_config_map_that_is_missing_is_an_empty_directory() {
    let volume = |optional: bool| json!({"name": "v", "configMap": {"name": "none", "optional": optional}});
    assert_eq!(files(volume(true)).unwrap(), Some(Files::new()));
    assert_eq!(files(volume(false)).unwrap_err(), Refusal::of_spec("configmap \"none\" not found"));
}

#[test]
fn no_file_is_outside_of_its_volume() {
    for path in ["../x", "/x", "a/../../x", "", "a//b", "..data"] {
        let items = json!([{"key": "a", "path": path}]);
        let volume = json!({"name": "v", "configMap": {"name": "settings", "items": items}});
        assert!(files(volume).is_err(), "{path}");
    }
}
