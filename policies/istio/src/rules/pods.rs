//! Pods, found by their labels.

use std::collections::BTreeMap;

use crate::surroundings::PodTemplate;

/// The most Pods with a label that are looked at for other labels. Of more nobody knows that none has all of them.
const MOST_PODS: usize = 100;

/// The Pods that a repository knows. A selector looks only at those with its rarest label.
#[derive(Debug, Default)]
pub(super) struct Pods<'a> {
    all: Vec<&'a PodTemplate>,
    /// Their numbers by namespace; those of all namespaces are under none.
    by_namespace: BTreeMap<Option<&'a str>, Vec<usize>>,
    by_label: BTreeMap<(Option<&'a str>, &'a str, &'a str), Vec<usize>>,
    by_key: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Pods<'a> {
    pub(super) fn new(all: impl IntoIterator<Item = &'a PodTemplate>) -> Self {
        let mut pods = Self::default();
        for (number, pod) in all.into_iter().enumerate() {
            pods.all.push(pod);
            let namespaces = [None, Some(&*pod.namespace)];
            for namespace in namespaces {
                pods.by_namespace.entry(namespace).or_default().push(number);
            }
            for (key, value) in &pod.labels {
                pods.by_key.entry(key).or_default().push(number);
                for namespace in namespaces {
                    pods.by_label.entry((namespace, key, value)).or_default().push(number);
                }
            }
        }
        pods
    }

    /// True if Pods of a namespace are known; of any without one.
    pub(super) fn are_known(&self, namespace: Option<&str>) -> bool {
        self.by_namespace.contains_key(&namespace)
    }

    /// The Pods of a namespace, or of all, that have all these labels.
    pub(super) fn with<'l>(
        &'l self,
        namespace: Option<&'l str>,
        labels: &'l [(&'l str, &'l str)],
    ) -> impl Iterator<Item = &'a PodTemplate> + use<'l, 'a> {
        self.candidates(namespace, labels).filter(|pod| pod.has(labels.iter().copied()))
    }

    /// True if no Pod of a namespace, or of all, has all these labels.
    pub(super) fn have_none(&self, namespace: Option<&str>, labels: &[(&str, &str)]) -> bool {
        let mut candidates = self.candidates(namespace, labels).enumerate();
        !candidates.any(|(number, pod)| number == MOST_PODS || pod.has(labels.iter().copied()))
    }

    /// True if a Pod of a namespace, or of all, is known to have all these labels.
    pub(super) fn have_one(&self, namespace: Option<&str>, labels: &[(&str, &str)]) -> bool {
        let mut candidates = self.candidates(namespace, labels).take(MOST_PODS);
        candidates.any(|pod| pod.has(labels.iter().copied()))
    }

    /// The Pods with the rarest of these labels.
    fn candidates<'l>(
        &'l self,
        namespace: Option<&'l str>,
        labels: &'l [(&'l str, &'l str)],
    ) -> impl Iterator<Item = &'a PodTemplate> + use<'l, 'a> {
        let of_label = |(key, value): &(&'l str, &'l str)| {
            self.by_label.get(&(namespace, *key, *value)).map(Vec::as_slice).unwrap_or_default()
        };
        let rarest = labels.iter().map(of_label).min_by_key(|numbers| numbers.len());
        let whole = || self.by_namespace.get(&namespace).map(Vec::as_slice).unwrap_or_default();
        rarest.unwrap_or_else(whole).iter().filter_map(|&number| self.all.get(number).copied())
    }

    /// True if a Pod has labels with all these keys.
    pub(super) fn have_keys(&self, keys: &[&str]) -> bool {
        let of_key = |key: &&str| self.by_key.get(*key).map(Vec::as_slice).unwrap_or_default();
        let rarest = keys.iter().map(of_key).min_by_key(|numbers| numbers.len());
        let mut candidates = rarest.unwrap_or_default().iter().filter_map(|&number| self.all.get(number));
        candidates.any(|pod| keys.iter().all(|key| pod.labels.contains_key(*key)))
    }
}
