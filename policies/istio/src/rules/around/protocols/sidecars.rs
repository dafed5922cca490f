//! Pods with sidecars, as far as the repository says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    rules::pods::Pods,
    surroundings::{Object, PodTemplate, Service},
    values::LabelPairs,
};

/// The Pods that have sidecars. Those that no selector of a Service tells apart are one.
pub(super) struct Sidecars<'a> {
    pods: Pods<'a>,
    numbers: BTreeMap<(&'a str, &'a LabelPairs), usize>,
}

impl<'a> Sidecars<'a> {
    pub(super) fn of(objects: &[&'a Object]) -> Self {
        let namespaces: BTreeMap<_, _> = objects.iter().filter_map(|object| object.namespace()).collect();
        let all = objects.iter().filter_map(|object| object.pods());
        let with = all.filter(|pods| have_sidecars(pods, namespaces.get(&*pods.namespace).copied()));
        let services = objects.iter().filter_map(|object| match object {
            Object::Service(service) => Some(service),
            _ => None,
        });
        let wanted: BTreeSet<_> = services.flat_map(|service| &service.selector).collect();
        let by_labels = with.map(|pods| {
            let labels: Vec<_> = pods.labels.iter().filter(|label| wanted.contains(label)).collect();
            ((&*pods.namespace, labels), pods)
        });
        let by_labels: BTreeMap<_, _> = by_labels.collect();
        Self {
            pods: Pods::new(by_labels.values().copied()),
            numbers: by_labels.values().map(|pods| (&*pods.namespace, &pods.labels)).zip(0..).collect(),
        }
    }

    /// The numbers of the Pods behind a Service. Nobody knows those of a Service without a selector.
    pub(super) fn behind(&self, service: &Service) -> Vec<usize> {
        let wanted: Vec<_> = service.selector.iter().map(|(key, value)| (&**key, &**value)).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let pods = self.pods.with(Some(&service.named.namespace), &wanted);
        pods.filter_map(|pods| self.numbers.get(&(&*pods.namespace, &pods.labels)).copied()).collect()
    }
}

/// True if labels of the Pods or of their Namespace say so.
fn have_sidecars(pods: &PodTemplate, namespace: Option<&LabelPairs>) -> bool {
    let own = |key| pods.labels.get(key).map(String::as_str);
    let of_namespace = |key| namespace?.get(key).map(String::as_str);
    let mode = own("istio.io/dataplane-mode").or_else(|| of_namespace("istio.io/dataplane-mode"));
    match own("sidecar.istio.io/inject") {
        Some(answer) => answer == "true",
        None if mode == Some("ambient") => false,
        None => match of_namespace("istio-injection") {
            Some(answer) => answer == "enabled",
            None => own("istio.io/rev").or_else(|| of_namespace("istio.io/rev")).is_some(),
        },
    }
}
