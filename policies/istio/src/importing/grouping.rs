//! The application that a resource belongs to.

use policies::language::ClusterDomain;
use serde_json::Value;

use super::{NAME_LABEL, selects_own_pods};
use crate::{resource::Resource, values::Label};

/// The labels of pods that name their application.
const POD_LABELS: [&str; 2] = [NAME_LABEL, "app"];

/// The name of its application: by its label, by the pods that it selects, by the service of its namespace that it
/// is about, else its own name.
pub(super) fn application(resource: &Resource, domain: &ClusterDomain) -> String {
    let by_label = resource.labels.get(NAME_LABEL).cloned();
    let by_pods = || {
        let labels = selector(resource)?.as_object()?;
        POD_LABELS.iter().find_map(|label| Some(labels.get(*label)?.as_str()?.to_owned()))
    };
    let by_service = || service(resource, domain);
    label(&by_label.or_else(by_pods).or_else(by_service).unwrap_or_else(|| resource.name.clone()))
}

/// The labels of the pods that it is for.
pub(super) fn selector(resource: &Resource) -> Option<&Value> {
    let spec = &resource.spec;
    let labels = spec.pointer("/selector/matchLabels").or(spec.pointer("/workloadSelector/labels"));
    labels.filter(|_| selects_own_pods(resource.kind))
}

/// The service of its own namespace that it is about, if it is about one.
fn service(resource: &Resource, domain: &ClusterDomain) -> Option<String> {
    let routes = list(resource.spec.get("http")).flat_map(|route| list(route.get("route")));
    let destination = |to: &Value| own(to.pointer("/destination/host")?, resource, domain);
    callee(resource, domain).or_else(|| routes.into_iter().find_map(destination))
}

/// The same without the services that it routes to.
pub(super) fn callee(resource: &Resource, domain: &ClusterDomain) -> Option<String> {
    let spec = &resource.spec;
    let target = list(spec.get("targetRefs")).find_map(|target| {
        let is_service = target.get("kind").and_then(Value::as_str) == Some("Service");
        target.get("name").filter(|_| is_service)
    });
    let hosts = spec.get("host").into_iter().chain(list(spec.get("hosts")));
    target.into_iter().chain(hosts).find_map(|host| own(host, resource, domain))
}

/// The service of its own namespace that a host is.
fn own(host: &Value, resource: &Resource, domain: &ClusterDomain) -> Option<String> {
    let host = host.as_str()?;
    match domain.service(host) {
        Some((service, namespace)) => (namespace == resource.namespace).then(|| service.to_owned()),
        None => (!host.contains(['.', '*'])).then(|| host.to_owned()),
    }
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// The nearest text that a document may have as its name.
pub(super) fn label(text: &str) -> String {
    let known = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = text.chars().map(known).take(63).collect();
    let text = text.trim_matches('-').to_owned();
    if Label::try_from(text.clone()).is_ok() { text } else { "unnamed".to_owned() }
}

#[cfg(test)]
mod tests {
    use policies::language::ClusterDomain;
    use serde_json::{Value, json};

    use super::application;
    use crate::resource::{Kind, Resource};

    fn of(kind: Kind, labels: &[(&str, &str)], spec: Value) -> String {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let (namespace, name) = ("shop".to_owned(), "Its.name".to_owned());
        let resource = Resource { kind, namespace, name, labels, annotations: Default::default(), spec };
        application(&resource, &ClusterDomain::default())
    }

    #[test]
    fn an_object_belongs_to_the_application_that_it_names_first() {
        let labels = [("app.kubernetes.io/name", "labelled")];
        let pods = |app: &str| json!({"selector": {"matchLabels": {"app": app}}});
        assert_eq!(of(Kind::PeerAuthentication, &labels, pods("selected")), "labelled");
        assert_eq!(of(Kind::PeerAuthentication, &[], pods("selected")), "selected");
        assert_eq!(of(Kind::Sidecar, &[], json!({"workloadSelector": {"labels": {"app": "web"}}})), "web");
        assert_eq!(of(Kind::DestinationRule, &[], json!({"host": "ratings"})), "ratings");
        let full = |host: &str| of(Kind::VirtualService, &[], json!({"hosts": ["shop.example.com", host]}));
        assert_eq!(full("ratings.shop.svc.cluster.local"), "ratings");
        assert_eq!(full("ratings.bank.svc.cluster.local"), "its-name");
        let route =
            json!({"hosts": ["shop.example.com"], "http": [{"route": [{"destination": {"host": "web"}}]}]});
        assert_eq!(of(Kind::VirtualService, &[], route), "web");
        let target = json!({"targetRefs": [{"group": "", "kind": "Service", "name": "reviews"}]});
        assert_eq!(of(Kind::Telemetry, &[], target), "reviews");
        assert_eq!(of(Kind::Gateway, &[], json!({"selector": {"app": "ingress"}})), "its-name");
    }
}
