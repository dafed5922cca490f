//! Services and pods: each belongs to the application that is named after it, or that says so.
//!
//! An object of another application that routes for them, guards them or opens them would do so in silence. Objects
//! are judged as they are rendered, whatever wrote them. Documents of one file have one author, and may share.

use std::collections::{BTreeMap, BTreeSet};

use policies::language::ClusterDomain;

use super::{Catalog, RenderedApplication};
use crate::{
    field::Field,
    finding::Finding,
    in_force::{ApplicationId, InForce},
    limits::selected,
    rendering::Rendered,
    resource::{Kind, Resource},
    values::LabelPairs,
    written::{Application, default_workload},
};

/// Something of a namespace that belongs to one application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Belonging {
    Service(String),
    /// The pods with all of these labels.
    Pods(LabelPairs),
}

/// An application that has something.
#[derive(Debug)]
struct Owner {
    id: ApplicationId,
    right: Right,
    line: u32,
}

/// The right to something. What is in force stays, and then a name counts more than what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    None,
    Name,
    InForce,
}

/// The first owner in each file with the most right, by what they have in a namespace.
type Owners<'a> = BTreeMap<(&'a str, Belonging), BTreeMap<&'a str, Owner>>;

/// An error for each entry with an object for what belongs to another application of its namespace.
pub(super) fn check(catalog: &Catalog, in_force: &InForce, domain: &ClusterDomain) -> Vec<(usize, Finding)> {
    let owners = owners(catalog, in_force, domain);
    let mut found = Vec::new();
    for (number, application) in catalog.applications.iter().enumerate() {
        let id = application.id();
        let another = |thing: &Belonging| {
            let own = right(&id, thing, in_force, domain);
            let mut others = owners.get(&(&*id.0, thing.clone()))?.iter();
            let is_another = |file: &str, other: &Owner| other.id != id && file != &*application.file;
            others
                .find(|(file, other)| own != Right::InForce && other.right >= own && is_another(file, other))
        };
        for rendered in application.resources.iter() {
            let mut things = bound(&rendered.resource, domain).into_iter();
            let error = things.find_map(|thing| Some(error(rendered, &thing, another(&thing)?)));
            found.extend(error.map(|error| (number, error)));
        }
    }
    found
}

/// All that applications have: those of documents, and those in force whose documents are refused.
fn owners<'a>(catalog: &'a Catalog, in_force: &InForce, domain: &ClusterDomain) -> Owners<'a> {
    let mut owners = Owners::new();
    let mut add = |id: &ApplicationId, namespace: &'a str, file: &'a str, line, things: [Belonging; 2]| {
        for thing in things {
            let right = right(id, &thing, in_force, domain);
            let of_file = owners.entry((namespace, thing)).or_default();
            if of_file.get(file).is_none_or(|known| known.right < right) {
                of_file.insert(file, Owner { id: id.clone(), right, line });
            }
        }
    };
    let mut known = BTreeSet::new();
    for application in &catalog.applications {
        let RenderedApplication { file, application: document, .. } = application;
        let Application { namespace, service, workload, place, .. } = document.as_ref();
        let things = [of_service(service.as_str()), Belonging::Pods(workload.clone())];
        add(&application.id(), namespace.as_str(), file, place.line, things);
        known.insert(application.id());
    }
    let is_left = |id: &ApplicationId| !known.contains(id) && !in_force.of(&id.0, &id.1).is_empty();
    for (id, why) in catalog.frozen.iter().filter(|(id, _)| is_left(id)) {
        add(id, &id.0, &why.file, why.finding.at.line, of_name(&id.1));
    }
    owners
}

fn right(id: &ApplicationId, thing: &Belonging, in_force: &InForce, domain: &ClusterDomain) -> Right {
    let mut objects = in_force.of(&id.0, &id.1).iter();
    if objects.any(|object| bound(object, domain).contains(thing)) {
        Right::InForce
    } else if of_name(&id.1).contains(thing) {
        Right::Name
    } else {
        Right::None
    }
}

/// What an application has by its name.
fn of_name(name: &str) -> [Belonging; 2] {
    [of_service(name), Belonging::Pods(default_workload(name))]
}

fn of_service(name: &str) -> Belonging {
    Belonging::Service(name.to_owned())
}

/// All that an object is for: services of its namespace, and pods. Pods of many labels are among those of each label.
fn bound(resource: &Resource, domain: &ClusterDomain) -> Vec<Belonging> {
    let spec = Field::root("spec", &resource.spec);
    let own = |host: &str| match domain.service(host) {
        Some((service, namespace)) => (namespace == resource.namespace).then(|| service.to_owned()),
        None => (!host.contains(['.', '*'])).then(|| host.to_owned()),
    };
    let hosts = spec.get("hosts").texts().filter(|_| resource.kind == Kind::VirtualService);
    let hosts = hosts.filter_map(|(host, _)| own(host));
    let references = ["targetRefs", "parentRefs"].into_iter().flat_map(|list| spec.get(list).items());
    let is_here = |target: &Field| ["", &*resource.namespace].contains(&target.word("namespace"));
    let services = references.filter(|target| target.word("kind") == "Service" && is_here(target));
    let services = hosts.chain(services.map(|target| target.word("name").to_owned()));
    let labels: LabelPairs = selected(resource)
        .entries()
        .filter_map(|(key, value)| Some((key.to_owned(), value.text()?.to_owned())))
        .collect();
    let single = labels.iter().map(|(key, value)| LabelPairs::from([(key.clone(), value.clone())]));
    let mut pods: Vec<_> = single.filter(|_| labels.len() > 1).collect();
    pods.extend((!labels.is_empty()).then_some(labels));
    services.map(Belonging::Service).chain(pods.into_iter().map(Belonging::Pods)).collect()
}

fn error(rendered: &Rendered, thing: &Belonging, (file, owner): (&&str, &Owner)) -> Finding {
    let Owner { id: (_, name), line, .. } = owner;
    let thing = match thing {
        Belonging::Service(service) => format!("the service `{service}`"),
        Belonging::Pods(labels) => {
            let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("pods with `{}`", labels.join(", "))
        }
    };
    let reason = format!("is for {thing}, which belongs to the application `{name}` of {file}:{line}");
    Finding::error("APP22", rendered.field.clone(), reason)
        .at(rendered.entry)
        .right("write the entry there, or both documents into one file")
}
