//! What the objects of an application have in common.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::Value;

use super::{Setting, name::shortened};
use crate::{
    finding::Finding,
    resource::Kind,
    surroundings::Waypoint,
    values::{Host, MergePatch, ServiceRef},
    written::{Application, Attributes, Dataplane, Entry},
};

/// An application and its setting.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) application: &'a Application,
    setting: &'a Setting,
    /// The hosts of the document's `serviceEntry` sections.
    outside: BTreeSet<&'a str>,
    findings: RefCell<Vec<Finding>>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(application: &'a Application, setting: &'a Setting) -> Self {
        let outside = application.entries.iter().flat_map(|entry| match &entry.attributes {
            Some(Attributes::ServiceEntry(service)) => service.hosts.as_slice(),
            _ => &[],
        });
        let outside = outside.map(Host::as_str).collect();
        Self { application, setting, outside, findings: RefCell::default() }
    }

    pub(super) fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    pub(super) fn take_findings(&self) -> Vec<Finding> {
        self.findings.take()
    }

    pub(super) fn dataplane(&self) -> Dataplane {
        self.application.dataplane.unwrap_or(self.setting.dataplane)
    }

    /// The waypoint of the application's Service.
    pub(super) fn waypoint(&self) -> &Waypoint {
        &self.setting.waypoint
    }

    /// True if the application has hosts at a gateway.
    pub(super) fn is_public(&self) -> bool {
        self.application.entries.iter().any(|entry| {
            let by_attributes = match &entry.attributes {
                Some(Attributes::VirtualService(service)) => {
                    !service.hosts.is_empty() && !service.gateways.is_empty()
                }
                _ => false,
            };
            by_attributes
                || entry.kind == Kind::VirtualService && entry.patch.as_ref().is_some_and(has_gateway)
        })
    }

    /// What every Sidecar calls.
    pub(super) fn always_called(&self) -> Vec<String> {
        self.setting.always_called.clone()
    }

    /// The full name of the application's own service.
    pub(super) fn own_host(&self) -> String {
        let Application { service, namespace, .. } = self.application;
        self.setting.cluster_domain.host(service.as_str(), namespace.as_str())
    }

    /// The name and the namespace of the service of the mesh that a full host is.
    pub(super) fn service_of<'h>(&self, host: &'h str) -> Option<(&'h str, &'h str)> {
        self.setting.cluster_domain.service(host)
    }

    /// The full name of a service, and its namespace if it is one of the mesh. A name of two labels is a host of a
    /// `serviceEntry` of the document, such as `example.com`, before it is a service.
    pub(super) fn called(&self, service: &ServiceRef) -> (Option<String>, String) {
        if let ServiceRef::Service { service, namespace: Some(namespace) } = service {
            let outside = format!("{service}.{namespace}");
            if self.has_service_entry(&outside) {
                return (None, outside);
            }
        }
        self.resolve(service)
    }

    fn resolve(&self, service: &ServiceRef) -> (Option<String>, String) {
        service.resolve(&self.application.namespace, &self.setting.cluster_domain)
    }

    /// A host in full. A name of one label is a service of the own namespace, and one in `svc` is of the mesh;
    /// a name of two labels is a public one, such as `example.com`.
    pub(super) fn full(&self, host: &Host) -> String {
        let text = host.as_str();
        match ServiceRef::parse(text) {
            Ok(service) if !text.contains('.') || text.ends_with(".svc") => self.resolve(&service).1,
            _ => text.to_owned(),
        }
    }

    /// True for a full host that is a service of the mesh, or that a `serviceEntry` of the document names, and for a
    /// wildcard that services of the mesh have.
    pub(super) fn is_known_service(&self, host: &str) -> bool {
        let domain = &self.setting.cluster_domain;
        let is_wildcard_of_mesh = host.strip_prefix('*').is_some_and(|end| {
            // `SERVICE.NAMESPACE.svc.DOMAIN` without its first two names.
            let full = domain.host("", "");
            let mesh = full.strip_prefix('.').unwrap_or(&full);
            end.ends_with(mesh) || mesh.ends_with(end)
        });
        is_wildcard_of_mesh || domain.service(host).is_some() || self.has_service_entry(host)
    }

    /// True for a host that a `serviceEntry` of the document names.
    pub(super) fn has_service_entry(&self, host: &str) -> bool {
        self.outside.contains(host)
    }

    /// True if an entry is exported to the own namespace alone.
    pub(super) fn is_for_own_namespace(&self, entry: &Entry) -> bool {
        let own = self.application.namespace.as_str();
        matches!(entry.namespaces.as_deref(), Some([one]) if one == "." || one == own)
    }

    /// True for a host that is a service of another namespace.
    pub(super) fn is_foreign(&self, host: &Host) -> bool {
        let full = self.full(host);
        let namespace = self.setting.cluster_domain.service(&full).map(|(_, namespace)| namespace);
        namespace.is_some_and(|namespace| namespace != self.application.namespace.as_str())
    }

    /// The labels of every object.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let Application { name, environment, revision, labels, .. } = self.application;
        let instance = match environment {
            Some(environment) => shortened(format!("{name}-{environment}")),
            None => name.to_string(),
        };
        let own = [
            ("name", Some(name.to_string())),
            ("component", Some(name.to_string())),
            ("instance", Some(instance)),
            ("env", environment.as_ref().map(ToString::to_string)),
            ("managed-by", Some("hfi".to_owned())),
        ];
        let own =
            own.into_iter().filter_map(|(key, value)| Some((format!("app.kubernetes.io/{key}"), value?)));
        let revision = revision.iter().map(|revision| ("istio.io/rev".to_owned(), revision.to_string()));
        let given = labels.iter().map(|(key, value)| (key.clone(), value.clone()));
        own.chain(revision).chain(given).collect()
    }

    /// The annotations of an object: those of the application, and its own.
    pub(super) fn annotations(&self, own: BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.application.annotations.clone().into_iter().chain(own).collect()
    }
}

/// True for Istio's own fields of a VirtualService that name a Gateway.
fn has_gateway(MergePatch(fields): &MergePatch) -> bool {
    let gateways = fields.get("gateways").and_then(Value::as_array).into_iter().flatten();
    gateways.filter_map(Value::as_str).any(|name| name != "mesh")
}
