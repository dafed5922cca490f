//! Services and pods of a namespace, as objects are for them.

use std::{collections::BTreeMap, fmt};

use policies::language::ClusterDomain;

use crate::{
    field::Field,
    limits::selected,
    resource::{Kind, Resource},
    rules::{Subject, holds_at, is_for_own_namespace},
    text::full_name,
};

/// A service, services or pods of a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing<'a> {
    Service(String),
    /// All services whose names end so.
    Services(String),
    /// The pods with all of these labels.
    Pods(BTreeMap<&'a str, &'a str>),
}

/// The most labels that a message has.
const MAX_LABELS: usize = 3;

impl Thing<'_> {
    /// True for the same service, and for pods that are all among the others.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pods(own), Self::Pods(other)) => has_all(own, other),
            _ => self == other,
        }
    }
}

/// True if some labels are all among others.
pub(super) fn has_all(labels: &BTreeMap<&str, &str>, some: &BTreeMap<&str, &str>) -> bool {
    some.len() <= labels.len() && some.iter().all(|(key, value)| labels.get(key) == Some(value))
}

impl fmt::Display for Thing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => write!(f, "the service `{name}`"),
            Self::Services(end) => write!(f, "the services `*{end}`"),
            Self::Pods(labels) => {
                let some = labels.iter().take(MAX_LABELS);
                let some: Vec<_> = some.map(|(key, value)| format!("{key}: {value}")).collect();
                let more = if labels.len() > MAX_LABELS { ", …" } else { "" };
                write!(f, "pods with `{}{more}`", some.join(", "))
            }
        }
    }
}

/// All that an object is for: the services whose calls it takes or changes, and the pods that it selects.
pub(super) fn things<'a>(resource: &'a Resource, domain: &ClusterDomain) -> Vec<Thing<'a>> {
    let subject = Subject::new(resource);
    let hosts: Vec<_> = match resource.kind {
        Kind::VirtualService | Kind::ServiceEntry => {
            subject.get("hosts").texts().map(|(host, _)| host).collect()
        }
        Kind::DestinationRule if !is_for_own_namespace(&subject) => {
            subject.get("host").text().into_iter().collect()
        }
        _ => Vec::new(),
    };
    let mut things: Vec<_> = hosts.into_iter().filter_map(|host| of_host(host, &subject, domain)).collect();
    let lists = ["targetRefs", "parentRefs"].into_iter().flat_map(|list| subject.get(list).items());
    let is_here = |target: &Field<'_>| ["", &*resource.namespace].contains(&target.word("namespace"));
    let targets = lists.chain([subject.get("targetRef")]).filter(|target| target.word("kind") == "Service");
    things.extend(targets.filter(is_here).map(|target| Thing::Service(target.word("name").to_owned())));
    let labels = selected(resource).entries().filter_map(|(key, value)| Some((key, value.text()?)));
    let labels: BTreeMap<_, _> = labels.collect();
    things.extend((!labels.is_empty()).then_some(Thing::Pods(labels)));
    things
}

/// The services of its namespace that an object is for by a host. `name.namespace` counts as one too: a client may mean it.
fn of_host<'a>(host: &str, subject: &Subject<'_>, domain: &ClusterDomain) -> Option<Thing<'a>> {
    let own = &*subject.resource.namespace;
    let is_own = |full: &str| domain.service(full).is_some_and(|(_, namespace)| namespace == own);
    let host = full_name(host, own, domain, is_own);
    let Some(end) = host.strip_prefix('*') else {
        let (service, namespace) = domain.service(&host)?;
        return (namespace == own).then(|| Thing::Service(service.to_owned()));
    };
    if !holds_at(subject).0 {
        return None;
    }
    let rest = domain.host("", own);
    let end = match end {
        end if rest.ends_with(end) => "",
        // Istio completes a name without a dot.
        end if !end.contains('.') => end,
        end => end.strip_suffix(&rest)?,
    };
    Some(Thing::Services(end.to_owned()))
}
