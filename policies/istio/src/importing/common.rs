//! What the resources of an application have in common.

use std::collections::BTreeMap;

use super::{
    Origin, REVISION, grouping,
    header::{Header, default_workload},
    trial::Trial,
};
use crate::resource::Resource;

/// The header of the resources of an application.
pub(super) fn header(
    name: String,
    namespace: String,
    resources: &[&Resource],
    origin: &Origin,
    trial: &Trial,
) -> Header {
    let domain = origin.cluster_domain.clone();
    let services = resources.iter().filter_map(|resource| grouping::callee(resource, &domain));
    let selectors = resources.iter().filter_map(|resource| grouping::selector(resource).cloned());
    let empty = Header {
        service: most_frequent(services).unwrap_or_else(|| name.clone()),
        workload: default_workload(&name),
        name,
        namespace,
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        environment: None,
        revision: None,
        dataplane: origin.dataplane,
        domain,
    };
    let labels = common(resources, |resource| &resource.labels);
    let of_label = |key: &str| labels.get(key).cloned();
    let mut header = Header { environment: of_label("app.kubernetes.io/env"), ..empty.clone() };
    if !trial.takes(&header.document(header.spec())) {
        header.environment = None;
    }
    // Each is taken alone, since a key that is refused must not take the others with it.
    let mut take = |changed: Header| {
        if trial.takes(&changed.document(changed.spec())) {
            header = changed.with(&header);
        }
    };
    if let Some(workload) = most_frequent(selectors) {
        take(Header { workload, ..empty.clone() });
    }
    take(Header { revision: of_label(REVISION), ..empty.clone() });
    for (key, value) in &labels {
        take(Header { labels: BTreeMap::from([(key.clone(), value.clone())]), ..empty.clone() });
    }
    for (key, value) in common(resources, |resource| &resource.annotations) {
        take(Header { annotations: BTreeMap::from([(key, value)]), ..empty.clone() });
    }
    header
}

/// What all of them have.
fn common<'r>(
    resources: &[&'r Resource],
    pairs: impl Fn(&'r Resource) -> &'r BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let Some((first, others)) = resources.split_first() else { return BTreeMap::new() };
    let is_common =
        |key: &String, value: &String| others.iter().all(|resource| pairs(resource).get(key) == Some(value));
    let shared = pairs(first).iter().filter(|(key, value)| is_common(key, value));
    shared.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// What is there most often; of two, the one that is first in order.
fn most_frequent<T: ToString>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<String, (usize, T)> = BTreeMap::new();
    for value in values {
        counts.entry(value.to_string()).or_insert_with(|| (0, value)).0 += 1;
    }
    let counts = counts.into_values().rev();
    counts.max_by_key(|(count, _)| *count).map(|(_, value)| value)
}
