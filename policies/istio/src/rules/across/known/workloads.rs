//! The Pods of Gateways, and the Services before them.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{Known, selected::labels};
use crate::{
    resource::Kind,
    rules::subject::Subject,
    surroundings::{PodTemplate, ServicePort},
    values::LabelPairs,
};

/// The Pods of a selector, as far as they are known.
#[derive(Debug)]
pub(in crate::rules::across) struct Workload<'a> {
    /// The labels of the selector, in the order of their keys.
    pub(super) labels: Vec<Label<'a>>,
    /// Their namespaces.
    pub(in crate::rules::across) homes: BTreeSet<&'a str>,
    /// Those of which files say it that no Guardrail limits.
    pub(in crate::rules::across) sure: BTreeSet<&'a str>,
    /// The ports of their Services, if these are known. A port of a Service stands for that of the Pods behind it.
    ports: Vec<Rc<BTreeSet<i64>>>,
}

/// The most labels of the Pods of a selector by which their Services are looked for. Those of more are not known.
const MOST_LABELS: usize = 10_000;

/// The most selectors of Services that are compared with the Pods of a selector. Of more no ports are known.
const MOST_SELECTORS: usize = 1_000;

type Label<'a> = (&'a str, &'a str);

/// The workloads of Gateways, by the ranks of these, with a number for each selector of a namespace: many Gateways have the
/// same one.
#[derive(Debug, Default)]
pub(super) struct Workloads<'a> {
    by_gateway: BTreeMap<usize, (usize, Rc<Workload<'a>>)>,
}

/// The ports of Services by their selectors, and these by their namespace and the first of their labels.
type Services<'a> = BTreeMap<(&'a str, Label<'a>), BTreeMap<&'a LabelPairs, Rc<BTreeSet<i64>>>>;

impl Workload<'_> {
    /// True if Services of the Pods are known, and none has this port.
    pub(in crate::rules::across) fn is_closed(&self, port: i64) -> bool {
        !self.ports.is_empty() && !self.ports.iter().any(|ports| ports.contains(&port))
    }
}

impl<'a> Workloads<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut services = Services::new();
        for service in known.around.services.iter().filter(|service| !service.ports.is_empty()) {
            let Some((key, value)) = service.selector.first_key_value() else { continue };
            let by_selector = services.entry((&*service.named.namespace, (&**key, &**value))).or_default();
            let ports = service.ports.iter().flat_map(ServicePort::numbers).map(i64::from);
            Rc::make_mut(by_selector.entry(&service.selector).or_default()).extend(ports);
        }
        let (mut by_selector, mut by_gateway) = (BTreeMap::new(), BTreeMap::new());
        let mut numbers = BTreeMap::new();
        for gateway in known.all(Kind::Gateway) {
            let labels = labels(gateway);
            let next = numbers.len();
            let number = *numbers.entry((&*gateway.resource.namespace, labels.clone())).or_insert(next);
            let workload = by_selector
                .entry(labels)
                .or_insert_with_key(|labels| Rc::new(find(known, labels, &services)));
            by_gateway.insert(gateway.rank, (number, Rc::clone(workload)));
        }
        Self { by_gateway }
    }
}

/// One without a selector is for all, of which nobody knows which are there.
fn find<'a>(known: &Known<'a>, labels: &[Label<'a>], services: &Services<'a>) -> Workload<'a> {
    let pods: Vec<&'a PodTemplate> =
        if labels.is_empty() { Vec::new() } else { known.pods.with(None, labels).collect() };
    let with_label = |pod: &&'a PodTemplate| {
        let pod = *pod;
        let of_label = |(key, value)| services.get(&(&*pod.namespace, (key, value)));
        let labels = pod.labels.iter().map(|(key, value)| (&**key, &**value));
        labels
            .filter_map(of_label)
            .flatten()
            .map(move |(selector, ports)| (pod, *selector, ports))
            .collect::<Vec<_>>()
    };
    let count: usize = pods.iter().map(|pod| pod.labels.len()).sum();
    let looked_at = pods.iter().filter(|_| count <= MOST_LABELS);
    let compared: Vec<_> = looked_at.flat_map(with_label).take(MOST_SELECTORS + 1).collect();
    let are_known = compared.len() <= MOST_SELECTORS;
    let before = compared.into_iter().filter(|(pod, selector, _)| {
        are_known && pod.has(selector.iter().map(|(key, value)| (&**key, &**value)))
    });
    // Many Pods have the same Services.
    let before: BTreeMap<_, _> =
        before.map(|(pod, selector, ports)| ((&*pod.namespace, selector), Rc::clone(ports))).collect();
    Workload {
        labels: labels.to_vec(),
        homes: pods.iter().map(|pod| &*pod.namespace).collect(),
        sure: pods.iter().filter(|pod| !pod.is_of_team).map(|pod| &*pod.namespace).collect(),
        ports: before.into_values().collect(),
    }
}

impl<'a> Known<'a> {
    /// The Pods of a Gateway; none of another kind.
    pub(in crate::rules::across) fn workload(&self, gateway: &Subject) -> Option<&Workload<'a>> {
        self.numbered_workload(gateway).map(|(_, workload)| workload)
    }

    /// The same, with the number of its selector in its namespace.
    pub(super) fn numbered_workload(&self, gateway: &Subject) -> Option<(usize, &Workload<'a>)> {
        self.workloads.by_gateway.get(&gateway.rank).map(|(number, workload)| (*number, &**workload))
    }
}
