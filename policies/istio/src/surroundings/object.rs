//! Objects of Kubernetes, as far as resources of Istio refer to them.

use policies::reading::Node;

use super::{Named, Namespace, PodTemplate, Service, Surroundings};
use crate::{node, values::LabelPairs};

/// An object that surrounds resources of Istio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    Service(Service),
    Namespace(Namespace),
    Pods(PodTemplate),
    /// Its name alone: nothing else of a Secret is ever kept.
    Secret(Named),
    /// A Gateway of the Gateway API.
    Gateway(Named),
}

/// The kinds that are read.
pub(crate) const KINDS: [&str; 15] = [
    "Service",
    "Namespace",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
    "Pod",
    "Rollout",
    "Secret",
    "SealedSecret",
    "ExternalSecret",
    "Certificate",
    "Gateway",
];

impl Object {
    /// Reads a document; `None` if it is of another kind, or says not where the object is.
    pub(crate) fn of(document: &Node) -> Option<Self> {
        let group = match node::text(document, &["apiVersion"])?.split_once('/') {
            Some((group, _)) => group,
            None => "",
        };
        let kind = node::text(document, &["kind"])?;
        let name = node::text(document, &["metadata", "name"]).map(str::to_owned);
        if (group, kind) == ("", "Namespace") {
            let labels = node::texts(node::at(document, &["metadata", "labels"]));
            return Some(Self::Namespace(Namespace { name: name?, labels }));
        }
        let namespace = node::text(document, &["metadata", "namespace"])?.to_owned();
        let named = |name: Option<String>| Some(Named { namespace: namespace.clone(), name: name? });
        let pods = |template| Some(Self::Pods(PodTemplate::of(document, namespace.clone(), template)));
        // A Secret that something in the cluster makes.
        let made = |path: &[&str]| {
            let made = node::text(document, path).map(str::to_owned);
            named(made.or(name.clone())).map(Self::Secret)
        };
        match (group, kind) {
            ("", "Service") => Some(Self::Service(Service::of(document, named(name)?))),
            ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job")
            | ("argoproj.io", "Rollout") => pods(node::at(document, &["spec", "template"])),
            ("batch", "CronJob") => pods(node::at(document, &["spec", "jobTemplate", "spec", "template"])),
            ("", "Pod") => pods(Some(document)),
            ("", "Secret") | ("bitnami.com", "SealedSecret") => named(name).map(Self::Secret),
            ("external-secrets.io", "ExternalSecret") => made(&["spec", "target", "name"]),
            ("cert-manager.io", "Certificate") => made(&["spec", "secretName"]),
            ("gateway.networking.k8s.io", "Gateway") => named(name).map(Self::Gateway),
            _ => None,
        }
    }
}

impl Object {
    /// The Pods that it is or makes.
    pub(crate) fn pods(&self) -> Option<&PodTemplate> {
        match self {
            Self::Pods(pods) => Some(pods),
            _ => None,
        }
    }

    /// The namespace that it says something about.
    pub(crate) fn home(&self) -> &str {
        match self {
            Self::Service(Service { named, .. }) | Self::Secret(named) | Self::Gateway(named) => {
                &named.namespace
            }
            Self::Namespace(namespace) => &namespace.name,
            Self::Pods(pods) => &pods.namespace,
        }
    }

    /// Its kind and its name, if more is known of it than these.
    pub(crate) fn identity(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Service(service) => Some(("Service", &service.named.name)),
            Self::Namespace(namespace) => Some(("Namespace", &namespace.name)),
            // Pods of several objects may have the same labels.
            Self::Pods(_) | Self::Secret(_) | Self::Gateway(_) => None,
        }
    }

    /// The name and the labels of a Namespace.
    pub(crate) fn namespace(&self) -> Option<(&str, &LabelPairs)> {
        match self {
            Self::Namespace(Namespace { name, labels }) => Some((name, labels)),
            _ => None,
        }
    }
}

impl Surroundings {
    /// Puts an object in; `is_of_team` where Guardrails limit the namespaces of its file.
    pub(crate) fn add(&mut self, object: &Object, is_of_team: bool) {
        match object {
            Object::Service(service) => self.services.push(service.clone()),
            Object::Namespace(namespace) => self.namespaces.push(namespace.clone()),
            Object::Pods(pods) => self.pods.push(PodTemplate { is_of_team, ..pods.clone() }),
            Object::Secret(secret) => self.secrets.push(secret.clone()),
            Object::Gateway(gateway) => self.gateways.push(gateway.clone()),
        }
    }
}
