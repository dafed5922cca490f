//! Resources and their surroundings from the short form of test files.

use std::{collections::BTreeMap, sync::Arc};

use istio_config::{
    Catalog, File, Finding, InForce, Kind, Resource, Setting, rules,
    surroundings::{Named, Namespace, PodTemplate, Service, ServicePort, Surroundings, TargetPort},
};
use serde_json::Value;

/// The namespace of whatever names none.
const NAMESPACE: &str = "shop";

/// All that the rules find in a case: of one resource, of `resources` among each other and `around` them, or of one
/// `object` of Kubernetes, or of several `objects`, as a file has them.
pub(crate) fn findings(case: &Value) -> Vec<Finding> {
    if case["object"].is_object() {
        return rules::check_object(&case["object"]);
    }
    if let Some(objects) = case["objects"].as_array() {
        return of_file(objects);
    }
    let Some((resources, around)) = several(case) else { return rules::check(&resource(case)) };
    let alone = resources.iter().flat_map(rules::check);
    let all: Vec<_> = resources.iter().collect();
    let among = rules::check_all(&all, &InForce::default(), &around);
    alone.chain(among.into_iter().map(|(_, finding)| finding)).collect()
}

/// The resources of a case, if it has several, and what is around them.
pub(crate) fn several(case: &Value) -> Option<(Vec<Resource>, Surroundings)> {
    let resources = case["resources"].as_array()?.iter().map(resource).collect();
    Some((resources, surroundings(&case["around"])))
}

fn of_file(objects: &[Value]) -> Vec<Finding> {
    let text: String = objects.iter().map(|object| format!("---\n{object}\n")).collect();
    let file = File::read(text.as_bytes());
    let files: [(Arc<str>, _); 1] = [("file.yaml".into(), &file)];
    let found = Catalog::default().check_by_hand(&files, &Setting::default());
    found.into_iter().map(|located| located.finding).collect()
}

/// The resource of a case.
pub(crate) fn resource(case: &Value) -> Resource {
    Resource {
        kind: kind(case["kind"].as_str().unwrap()),
        namespace: text(case, "namespace", NAMESPACE),
        name: text(case, "name", "reviews"),
        labels: map(&case["labels"]),
        annotations: map(&case["annotations"]),
        spec: case["spec"].clone(),
    }
}

fn kind(name: &str) -> Kind {
    Kind::of_rendered(name).unwrap_or_else(|| panic!("{name} is another kind"))
}

fn text(case: &Value, name: &str, default: &str) -> String {
    case[name].as_str().unwrap_or(default).to_owned()
}

fn map(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn surroundings(around: &Value) -> Surroundings {
    let list = |name: &str| around[name].as_array().into_iter().flatten();
    let named = |name: &str| list(name).map(|text| split(text.as_str().unwrap())).collect();
    let numbers = |list: &Value| -> Vec<u16> {
        list.as_array().into_iter().flatten().map(|port| port.as_u64().unwrap() as u16).collect()
    };
    let ports = |service: &Value| {
        let targets = numbers(&service["podPorts"]);
        let ports = numbers(&service["ports"]).into_iter().enumerate();
        let port = |(at, number): (usize, u16)| ServicePort {
            target: TargetPort::Number(targets.get(at).copied().unwrap_or(number)),
            ..ServicePort::from(number)
        };
        ports.map(port).collect()
    };
    let service = |service: &Value| Service {
        named: Named { namespace: text(service, "namespace", NAMESPACE), name: text(service, "name", "") },
        labels: map(&service["labels"]),
        ports: ports(service),
        selector: map(&service["selector"]),
    };
    let namespace = |namespace: &Value| Namespace {
        name: text(namespace, "name", namespace.as_str().unwrap_or_default()),
        labels: map(&namespace["labels"]),
    };
    let pods = |pods: &Value| PodTemplate {
        namespace: text(pods, "namespace", NAMESPACE),
        labels: map(&pods["labels"]),
        is_of_team: pods["ofTeam"].as_bool().unwrap_or_default(),
        ..PodTemplate::default()
    };
    Surroundings {
        control_plane: around["controlPlane"].as_str().map(str::to_owned),
        services: list("services").map(service).collect(),
        namespaces: list("namespaces").map(namespace).collect(),
        pods: list("pods").map(pods).collect(),
        secrets: named("secrets"),
        gateways: named("gateways"),
        ..Surroundings::default()
    }
}

/// `namespace/name`.
fn split(text: &str) -> Named {
    let (namespace, name) = text.split_once('/').unwrap();
    Named { namespace: namespace.to_owned(), name: name.to_owned() }
}
