//! A document without its sections.

use std::collections::BTreeMap;

use policies::language::ClusterDomain;
use serde_json::{Map, Value, json};

use super::NAME_LABEL;
use crate::{
    resource::Kind,
    values::merge,
    written::{Dataplane, KIND},
};

/// What an application says beside its sections.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    /// The Service of Kubernetes.
    pub(super) service: String,
    /// The labels of the pods.
    pub(super) workload: Value,
    pub(super) environment: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) dataplane: Option<Dataplane>,
    pub(super) domain: ClusterDomain,
}

impl Header {
    /// Both together.
    pub(super) fn with(self, other: &Self) -> Self {
        let mut both = other.clone();
        both.labels.extend(self.labels);
        both.annotations.extend(self.annotations);
        both.revision = both.revision.or(self.revision);
        if self.workload != default_workload(&self.name) {
            both.workload = self.workload;
        }
        both
    }

    /// The full name of its service.
    pub(super) fn own_host(&self) -> String {
        self.domain.host(&self.service, &self.namespace)
    }

    /// The document whose only entry is this.
    pub(super) fn with_entry(&self, kind: Kind, entry: &Map<String, Value>) -> Value {
        let mut spec = self.spec();
        spec.insert(kind.section().to_owned(), Value::Object(entry.clone()));
        self.document(spec)
    }

    /// The document of this `spec`.
    pub(super) fn document(&self, spec: Map<String, Value>) -> Value {
        let Self { name, namespace, labels, annotations, .. } = self;
        let mut metadata = json!({"name": name, "namespace": namespace});
        for (key, pairs) in [("labels", labels), ("annotations", annotations)] {
            if !pairs.is_empty() {
                merge(&mut metadata, &json!({key: pairs}));
            }
        }
        json!({"apiVersion": "hfi.dev/v1", "kind": KIND, "metadata": metadata, "spec": spec})
    }

    /// The `spec` of the document, without sections.
    pub(super) fn spec(&self) -> Map<String, Value> {
        let dataplane = self.dataplane.map(word);
        let workload =
            (self.workload != default_workload(&self.name)).then(|| json!({"labels": self.workload}));
        let fields = [
            ("service", (self.service != self.name).then(|| json!(self.service))),
            ("workload", workload),
            ("environment", self.environment.as_ref().map(|environment| json!(environment))),
            ("dataplane", dataplane.map(|plane| json!(plane))),
            ("revision", self.revision.as_ref().map(|revision| json!(revision))),
        ];
        fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

/// A data plane as a document names it.
pub(super) const fn word(dataplane: Dataplane) -> &'static str {
    match dataplane {
        Dataplane::Sidecar => "sidecar",
        Dataplane::Ambient => "ambient",
    }
}

/// The labels of the pods of an application whose document names none.
pub(super) fn default_workload(name: &str) -> Value {
    json!({NAME_LABEL: name})
}
