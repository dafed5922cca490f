//! The resources that select a namespace or a Pod.

use std::collections::BTreeMap;

use super::{Known, pair::Pair};
use crate::{
    field::Field,
    resource::Kind,
    rules::{every_kind::selectors::selector, subject::Subject},
    surroundings::PodTemplate,
};

/// The kinds of which a Pod takes one only.
const ONE_FOR_A_POD: [Kind; 3] = [Kind::Sidecar, Kind::Telemetry, Kind::ProxyConfig];

/// True for a resource that holds for all of its namespace.
pub(in crate::rules::across) fn is_wide(subject: &Subject) -> bool {
    let fields = ["targetRefs", "targetRef"].map(|name| subject.get(name));
    selector(subject).1.is_empty() && fields.iter().all(Field::is_empty)
}

/// Resources that select the same, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Selected<'a> {
    /// Those of a kind for all of a namespace.
    wide: BTreeMap<(Kind, &'a str), Pair<usize>>,
    /// For a resource another one of its kind that selects one of its Pods.
    another: BTreeMap<usize, usize>,
}

/// The selectors of a kind and a namespace, by the first of their labels.
type ByLabel<'a> = BTreeMap<(Kind, &'a str, (&'a str, &'a str)), Vec<(usize, Vec<(&'a str, &'a str)>)>>;

impl<'a> Known<'a> {
    /// Another resource of its kind for all of its namespace.
    pub(in crate::rules::across) fn another_for_all(&self, subject: &Subject) -> Option<&Subject<'a>> {
        let pair = self.selected.wide.get(&(subject.kind(), &*subject.resource.namespace))?;
        self.subject(pair.unlike(subject.rank)?)
    }

    /// Another resource of its kind that selects a Pod of this one.
    pub(in crate::rules::across) fn another_for_a_pod(&self, subject: &Subject) -> Option<&Subject<'a>> {
        self.subject(*self.selected.another.get(&subject.rank)?)
    }
}

impl<'a> Selected<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let (mut selected, mut by_label, mut by_selector) =
            (Self::default(), ByLabel::new(), BTreeMap::new());
        for (number, subject) in known.subjects().enumerate() {
            let (kind, namespace) = (subject.kind(), &*subject.resource.namespace);
            if is_wide(subject) {
                selected.wide.entry((kind, namespace)).or_default().add(number, number);
            }
            let labels = labels(subject);
            let Some(&label) = labels.first().filter(|_| ONE_FOR_A_POD.contains(&kind)) else { continue };
            let first = *by_selector.entry((kind, namespace, labels.clone())).or_insert(number);
            if first == number {
                by_label.entry((kind, namespace, label)).or_default().push((number, labels));
            } else {
                selected.put(first, number);
            }
        }
        for pod in &known.around.pods {
            ONE_FOR_A_POD.into_iter().for_each(|kind| selected.add(kind, pod, &by_label));
        }
        selected
    }

    /// Notes that both select a Pod.
    fn put(&mut self, one: usize, other: usize) {
        self.another.entry(one).or_insert(other);
        self.another.entry(other).or_insert(one);
    }

    /// Adds the resources that select a Pod. Only those with one of its labels are looked at.
    fn add(&mut self, kind: Kind, pod: &PodTemplate, by_label: &ByLabel) {
        let with_label = pod
            .labels
            .iter()
            .filter_map(|(key, value)| by_label.get(&(kind, &*pod.namespace, (&**key, &**value))));
        let selecting = with_label.flatten().filter(|(_, labels)| pod.has(labels.iter().copied()));
        let mut numbers: Vec<_> = selecting.map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        let Some((&first, others)) = numbers.split_first() else { return };
        others.iter().for_each(|&other| self.put(first, other));
    }
}

/// The labels of a selector, in the order of their keys.
pub(in crate::rules::across) fn labels<'a>(subject: &Subject<'a>) -> Vec<(&'a str, &'a str)> {
    let labels = selector(subject).1;
    let mut labels: Vec<_> = labels.entries().filter_map(|(key, at)| Some((key, at.text()?))).collect();
    labels.sort_unstable();
    labels
}
