//! Pods, found by their labels.

use std::collections::BTreeMap;

use crate::surroundings::PodTemplate;

/// The Pods that a repository knows. A selector looks only at those with its rarest label.
#[derive(Debug, Default)]
pub(super) struct Pods<'a> {
    /// By namespace; those of all namespaces are under none.
    by_namespace: BTreeMap<Option<&'a str>, Vec<&'a PodTemplate>>,
    by_label: BTreeMap<(Option<&'a str>, &'a str, &'a str), Vec<&'a PodTemplate>>,
    by_key: BTreeMap<&'a str, Vec<&'a PodTemplate>>,
}

impl<'a> Pods<'a> {
    pub(super) fn new(all: &'a [PodTemplate]) -> Self {
        let mut pods = Self::default();
        for pod in all {
            let namespaces = [None, Some(&*pod.namespace)];
            for namespace in namespaces {
                pods.by_namespace.entry(namespace).or_default().push(pod);
            }
            for (key, value) in &pod.labels {
                pods.by_key.entry(key).or_default().push(pod);
                for namespace in namespaces {
                    pods.by_label.entry((namespace, key, value)).or_default().push(pod);
                }
            }
        }
        pods
    }

    /// The Pods of a namespace; of all without one.
    pub(super) fn all<'k>(&'k self, namespace: Option<&'k str>) -> impl Iterator<Item = &'k PodTemplate> {
        self.by_namespace.get(&namespace).into_iter().flatten().copied()
    }

    /// The Pods of a namespace, or of all, that have all these labels.
    pub(super) fn with<'k>(
        &'k self,
        namespace: Option<&'k str>,
        labels: &'k [(&'k str, &'k str)],
    ) -> impl Iterator<Item = &'k PodTemplate> {
        let of_label = |(key, value): &(&'k str, &'k str)| {
            self.by_label.get(&(namespace, *key, *value)).map(Vec::as_slice).unwrap_or_default()
        };
        let rarest = labels.iter().map(of_label).min_by_key(|pods| pods.len());
        let candidates = rarest
            .unwrap_or_else(|| self.by_namespace.get(&namespace).map(Vec::as_slice).unwrap_or_default());
        candidates.iter().copied().filter(|pod| pod.has(labels.iter().copied()))
    }

    /// True if a Pod has labels with all these keys.
    pub(super) fn have_keys(&self, keys: &[&str]) -> bool {
        let of_key = |key: &&str| self.by_key.get(*key).map(Vec::as_slice).unwrap_or_default();
        let rarest = keys.iter().map(of_key).min_by_key(|pods| pods.len());
        let has_all = |pod: &&PodTemplate| keys.iter().all(|key| pod.labels.contains_key(*key));
        rarest.unwrap_or_default().iter().any(has_all)
    }
}
