//! Things by their names and labels: those that another thing touches are found without a look at each.

use std::collections::BTreeMap;

use super::thing::{Thing, has_all};
use crate::text::from_end;

/// Things of a namespace, and what is known of each.
#[derive(Debug)]
pub(super) struct Index<'a, T> {
    things: Vec<(Thing<'a>, T)>,
    /// Services by their names from the end.
    services: BTreeMap<String, usize>,
    /// Pods by each label.
    by_label: ByLabel<'a>,
    /// Pods by the label that the fewest have.
    by_rarest: ByLabel<'a>,
}

type ByLabel<'a> = BTreeMap<(&'a str, &'a str), Vec<usize>>;

impl<'a, T> Index<'a, T> {
    pub(super) fn new(things: BTreeMap<Thing<'a>, T>) -> Self {
        let things: Vec<_> = things.into_iter().collect();
        let (mut services, mut by_label, mut by_rarest) = (BTreeMap::new(), ByLabel::new(), ByLabel::new());
        for (at, (thing, _)) in things.iter().enumerate() {
            match thing {
                Thing::Service(name) => {
                    services.insert(from_end(name), at);
                }
                Thing::Services(_) => {}
                Thing::Pods(labels) => {
                    labels
                        .iter()
                        .for_each(|(key, value)| by_label.entry((*key, *value)).or_default().push(at));
                }
            }
        }
        for (at, (thing, _)) in things.iter().enumerate() {
            let Thing::Pods(labels) = thing else { continue };
            let labels = labels.iter().map(|(key, value)| (*key, *value));
            let rarest = labels.min_by_key(|label| by_label.get(label).map(Vec::len));
            rarest.into_iter().for_each(|label| by_rarest.entry(label).or_default().push(at));
        }
        Self { things, services, by_label, by_rarest }
    }

    /// The things that one touches: services that it names, and pods where one selector is within the other. Selectors
    /// of which each has a label of its own may share pods, but nothing says so.
    pub(super) fn touched<'i: 'b, 'b>(
        &'i self,
        by: &'b Thing<'_>,
    ) -> Box<dyn Iterator<Item = &'i (Thing<'a>, T)> + 'b> {
        let numbers: Box<dyn Iterator<Item = usize> + 'b> = match by {
            Thing::Service(name) => Box::new(self.services.get(&from_end(name)).copied().into_iter()),
            Thing::Services(end) => {
                let end = from_end(end);
                let from = self.services.range(end.clone()..);
                Box::new(from.take_while(move |(name, _)| name.starts_with(&end)).map(|(_, number)| *number))
            }
            Thing::Pods(labels) => Box::new(self.pods(labels)),
        };
        Box::new(numbers.filter_map(|number| self.things.get(number)))
    }

    fn pods<'b>(&'b self, by: &'b BTreeMap<&str, &str>) -> impl Iterator<Item = usize> + 'b {
        let labels = move || by.iter().map(|(key, value)| (*key, *value));
        let of = |map: &'b ByLabel<'b>, label| map.get(&label).map_or(&[][..], |numbers| numbers);
        let own = move |number: usize| match self.things.get(number) {
            Some((Thing::Pods(labels), _)) => Some(labels),
            _ => None,
        };
        let fewest = labels().map(|label| of(&self.by_label, label)).min_by_key(|numbers| numbers.len());
        let narrower = fewest.into_iter().flatten().copied();
        let narrower = narrower.filter(move |number| own(*number).is_some_and(|own| has_all(own, by)));
        let wider = labels().flat_map(move |label| of(&self.by_rarest, label)).copied();
        narrower.chain(wider.filter(move |number| own(*number).is_some_and(|own| has_all(by, own))))
    }
}
