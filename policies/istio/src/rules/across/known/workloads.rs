//! The Pods of Gateways, and the Services before them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Known, selected::labels};
use crate::{
    resource::Kind,
    rules::subject::Subject,
    surroundings::{PodTemplate, Service, ServicePort},
};

/// The Pods of a selector, as far as they are known.
#[derive(Debug)]
pub(in crate::rules::across) struct Workload<'a> {
    /// Their namespaces.
    pub(in crate::rules::across) homes: BTreeSet<&'a str>,
    /// Those of which files say it that no Guardrail limits.
    pub(in crate::rules::across) sure: BTreeSet<&'a str>,
    /// The ports of their Services, if these are known. A port of a Service stands for that of the Pods behind it.
    pub(in crate::rules::across) ports: BTreeSet<i64>,
}

/// The most labels of the Pods of a selector by which their Services are looked for. Those of more are not known.
const MOST_LABELS: usize = 10_000;

type Label<'a> = (&'a str, &'a str);

/// The workloads of Gateways: many have the same selector.
#[derive(Debug, Default)]
pub(super) struct Workloads<'a> {
    by_selector: BTreeMap<Vec<Label<'a>>, Workload<'a>>,
}

/// Services by their namespace and the first label of their selector.
type Services<'a> = BTreeMap<(&'a str, Label<'a>), Vec<&'a Service>>;

impl<'a> Workloads<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut services = Services::new();
        for service in &known.around.services {
            if let Some((key, value)) = service.selector.first_key_value() {
                services.entry((&*service.named.namespace, (&**key, &**value))).or_default().push(service);
            }
        }
        let mut by_selector = BTreeMap::new();
        for labels in known.all(Kind::Gateway).map(labels) {
            by_selector.entry(labels).or_insert_with_key(|labels| find(known, labels, &services));
        }
        Self { by_selector }
    }
}

/// One without a selector is for all, of which nobody knows which are there.
fn find<'a>(known: &Known<'a>, labels: &[Label<'a>], services: &Services<'a>) -> Workload<'a> {
    let pods: Vec<&'a PodTemplate> =
        if labels.is_empty() { Vec::new() } else { known.pods.with(None, labels).collect() };
    let of_pod = |pod: &&'a PodTemplate| {
        let namespace = &*pod.namespace;
        pod.labels.iter().map(move |(key, value)| (namespace, (&**key, &**value)))
    };
    let count: usize = pods.iter().map(|pod| pod.labels.len()).sum();
    let looked_at = pods.iter().filter(|_| count <= MOST_LABELS);
    let with_label: BTreeSet<_> = looked_at.flat_map(of_pod).collect();
    let is_before = |service: &&&'a Service| {
        let own = service.selector.iter().map(|(key, value)| (&**key, &**value));
        let all: Vec<_> = own.chain(labels.iter().copied()).collect();
        known.pods.with(Some(&service.named.namespace), &all).next().is_some()
    };
    let before = with_label.iter().filter_map(|label| services.get(label)).flatten().filter(is_before);
    let ports = before.flat_map(|service| service.ports.iter().flat_map(ServicePort::numbers));
    Workload {
        homes: pods.iter().map(|pod| &*pod.namespace).collect(),
        sure: pods.iter().filter(|pod| !pod.is_of_team).map(|pod| &*pod.namespace).collect(),
        ports: ports.map(i64::from).collect(),
    }
}

impl Known<'_> {
    /// The Pods of a Gateway; none of another kind.
    pub(in crate::rules::across) fn workload<'k>(&'k self, gateway: &'k Subject) -> Option<&'k Workload<'k>> {
        let of_gateway = (gateway.kind() == Kind::Gateway).then(|| labels(gateway))?;
        self.workloads.by_selector.get(&of_gateway)
    }
}
