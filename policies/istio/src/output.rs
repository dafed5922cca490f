//! Resources as text: as a stream, as a list, or as a directory of files.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::resource::Resource;

/// The documents of a stream of YAML.
pub fn yaml(resources: &[&Resource]) -> String {
    resources.iter().map(|resource| resource.to_yaml()).collect::<Vec<_>>().join("---\n")
}

/// A `List` of Kubernetes, as JSON.
pub fn list(resources: &[&Resource]) -> String {
    let items: Value = resources.iter().map(|resource| resource.object()).collect();
    format!("{:#}\n", json!({"apiVersion": "v1", "items": items, "kind": "List"}))
}

/// Files by their paths, `NAMESPACE/KIND-NAME.yaml`, and a `kustomization.yaml` that names them.
pub fn directory(resources: &[&Resource]) -> BTreeMap<String, String> {
    let mut files: BTreeMap<_, _> =
        resources.iter().map(|resource| (path(resource), resource.to_yaml())).collect();
    // In the order of the resources, which is by section.
    let list: Vec<_> = resources.iter().map(|resource| path(resource)).collect();
    files.insert("kustomization.yaml".to_owned(), kustomization(&list));
    files
}

/// The path of a resource in a directory.
pub fn path(Resource { kind, namespace, name, .. }: &Resource) -> String {
    format!("{namespace}/{}-{name}.yaml", kind.in_kebab_case())
}

/// The text of a `kustomization.yaml` that names these files.
pub fn kustomization(paths: &[String]) -> String {
    crate::resource::text(&json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": paths,
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::{directory, list, yaml};
    use crate::resource::{Kind, Resource};

    fn resource(kind: Kind, name: &str) -> Resource {
        let (labels, annotations) = (BTreeMap::new(), BTreeMap::new());
        let (namespace, name) = ("shop".to_owned(), name.to_owned());
        Resource { kind, namespace, name, labels, annotations, spec: json!({}) }
    }

    #[test]
    fn a_directory_names_each_of_its_files() {
        let resources = [resource(Kind::VirtualService, "a"), resource(Kind::Gateway, "b")];
        let files = directory(&resources.each_ref());
        let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - shop/virtual-service-a.yaml\n  - shop/gateway-b.yaml\n";
        assert_eq!(files.get("kustomization.yaml").map(String::as_str), Some(kustomization));
        assert_eq!(files.get("shop/gateway-b.yaml"), Some(&resources[1].to_yaml()));
        assert_eq!(files.len(), 3);
        let empty = directory(&[]);
        assert!(empty.get("kustomization.yaml").is_some_and(|text| text.ends_with("resources: []\n")));
    }

    #[test]
    fn streams_and_lists_have_every_resource() {
        let resources = [resource(Kind::VirtualService, "a"), resource(Kind::Gateway, "b")];
        assert_eq!(yaml(&resources.each_ref()).matches("---\n").count(), 1);
        let read: Value = serde_json::from_str(&list(&resources.each_ref())).unwrap();
        assert_eq!(read["items"][1], resources[1].object());
    }
}
