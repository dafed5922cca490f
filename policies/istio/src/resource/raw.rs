//! Resources as they are written by hand.

use std::collections::BTreeMap;

use policies::reading::{Node, Place, Value as Yaml};
use serde_json::json;

use super::{Kind, Places, Resource};
use crate::{
    finding::{FORM, Finding},
    node,
};

/// A resource of Istio that a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    /// Without a namespace where the file names none.
    pub resource: Resource,
    /// The place of its document.
    pub place: Place,
    places: Places,
    /// What is around its spec, and wrong.
    form: Vec<Finding>,
}

impl Raw {
    /// Reads a document, if it is of a kind of Istio that applications can have.
    pub(crate) fn of(document: &Node) -> Option<Self> {
        let api_version = node::text(document, &["apiVersion"])?;
        let kind = Kind::of_object(api_version, node::text(document, &["kind"])?)?;
        let metadata = |name| node::at(document, &["metadata", name]);
        let text = |name| node::text(document, &["metadata", name]).unwrap_or_default().to_owned();
        let spec = node::get(document, "spec");
        let mut form = Vec::new();
        if text("name").is_empty() {
            form.push(
                Finding::error(FORM, "metadata.name", "is missing").right("write the name of the object"),
            );
        }
        if !matches!(spec.map(|spec| &spec.value), None | Some(Yaml::Map(_) | Yaml::Null)) {
            form.push(Finding::error(FORM, "spec", "is not a map").right("write Istio's fields"));
        }
        let spec = spec.filter(|spec| matches!(spec.value, Yaml::Map(_)));
        Some(Self {
            resource: Resource {
                kind,
                namespace: text("namespace"),
                name: text("name"),
                labels: node::texts(metadata("labels")),
                annotations: node::texts(metadata("annotations")),
                spec: spec.map_or_else(|| json!({}), node::json),
            },
            place: document.place,
            places: Places::of(document),
            form,
        })
    }

    /// What is wrong around its spec.
    pub(crate) fn form(&self) -> impl Iterator<Item = Finding> + use<'_> {
        self.form.iter().cloned().map(|found| self.located(found))
    }

    /// A finding about the resource, at the place of its field.
    pub(crate) fn located(&self, found: Finding) -> Finding {
        let at = self.places.at(&found.field).unwrap_or(self.place);
        found.at(at)
    }
}

impl Resource {
    /// Its namespace and application, if hfi has rendered it.
    pub fn application(&self) -> Option<(&str, &str)> {
        Some((&self.namespace, application(&self.labels)?))
    }
}

/// The application of an object with these labels, if hfi has rendered it.
pub(crate) fn application(labels: &BTreeMap<String, String>) -> Option<&str> {
    let is_ours = labels.get("app.kubernetes.io/managed-by").is_some_and(|by| by == "hfi");
    labels.get("app.kubernetes.io/name").filter(|_| is_ours).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use policies::reading::read_yaml;

    use serde_json::Value;

    use super::Raw;
    use crate::resource::Kind;

    fn raw(text: &str) -> Option<Raw> {
        Raw::of(read_yaml(text.as_bytes()).remove(0).as_ref().unwrap())
    }

    #[test]
    fn every_served_version_of_istio_is_read() {
        for version in ["v1", "v1beta1", "v1alpha3"] {
            let text = format!(
                "{{apiVersion: networking.istio.io/{version}, kind: Gateway, metadata: {{name: a}}, spec: {{servers: [1.5]}}}}"
            );
            let raw = raw(&text).unwrap();
            assert_eq!((raw.resource.kind, raw.resource.name.as_str()), (Kind::Gateway, "a"));
            assert_eq!(raw.resource.spec["servers"][0], Value::from(1.5));
        }
        assert_eq!(
            raw("{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: a}}"),
            None
        );
        assert_eq!(
            raw("{apiVersion: networking.istio.io/v1, kind: WorkloadEntry, metadata: {name: a}}"),
            None
        );
    }

    #[test]
    fn a_route_of_the_gateway_api_is_read() {
        let raw = raw("{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}}");
        assert_eq!(raw.unwrap().resource.kind, Kind::HttpRoute);
    }

    #[test]
    fn a_spec_that_is_no_map_is_told_at_its_place() {
        let raw = raw("apiVersion: networking.istio.io/v1\nkind: Sidecar\nspec: 1\n").unwrap();
        let form: Vec<_> = raw.form().map(|found| (found.at.line, found.to_string())).collect();
        assert_eq!(form.len(), 2, "{form:?}");
        assert_eq!(form[1], (3, "spec: is not a map; write Istio's fields [APP01]".to_owned()));
    }
}
