//! The rules of objects of Kubernetes that resources of Istio refer to, each by itself.

mod annotations;
mod namespaces;
mod pods;
mod secrets;
mod services;

use serde_json::Value;

use super::subject::Out;
use crate::{field::Field, finding::Finding};

static NONE: Value = Value::Null;

/// An object, as far as rules ask for it.
struct Object<'a> {
    kind: &'a str,
    metadata: Field<'a>,
    spec: Field<'a>,
    whole: &'a Value,
}

impl<'a> Object<'a> {
    /// The object, if it is of a kind that has rules: other groups have kinds of the same names.
    fn of(whole: &'a Value) -> Option<Self> {
        let text = |name| whole.get(name).and_then(Value::as_str);
        let (kind, version) = (text("kind")?, text("apiVersion")?);
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let is_known = match kind {
            "Namespace" | "Service" | "Pod" | "Secret" => group.is_empty(),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => group == "apps",
            "Job" | "CronJob" => group == "batch",
            "Gateway" => group == "gateway.networking.k8s.io",
            _ => false,
        };
        let field = |name| Field::root(name, whole.get(name).unwrap_or(&NONE));
        is_known.then(|| Self { kind, metadata: field("metadata"), spec: field("spec"), whole })
    }

    /// The metadata and the spec of the Pods that it is or makes.
    fn pods(&self) -> Option<(Field<'a>, Field<'a>)> {
        let template = match self.kind {
            "Pod" => return Some((self.metadata.clone(), self.spec.clone())),
            "CronJob" => self.spec.get("jobTemplate").get("spec").get("template"),
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => self.spec.get("template"),
            _ => return None,
        };
        Some((template.get("metadata"), template.get("spec")))
    }

    /// True for a part of Istio or of Kubernetes.
    fn is_of_a_system(&self) -> bool {
        let namespace = self.metadata.word("namespace");
        namespace == "istio-system" || namespace.starts_with("kube-")
    }
}

/// A rule of an object.
struct Rule {
    id: &'static str,
    check: fn(&Object, &mut Out),
}

impl Rule {
    const fn new(id: &'static str, check: fn(&Object, &mut Out)) -> Self {
        Self { id, check }
    }
}

const TABLES: [&[Rule]; 5] =
    [annotations::RULES, namespaces::RULES, pods::RULES, secrets::RULES, services::RULES];

/// Checks a Namespace, a Service, Pods, or a Secret by itself. The fields of findings are those of the object.
pub fn check_object(object: &Value) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(object) = Object::of(object) {
        for rule in TABLES.into_iter().flatten() {
            (rule.check)(&object, &mut Out::new(rule.id, &mut found));
        }
    }
    found
}

/// The ids of its rules.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().flatten().map(|rule| rule.id)
}
