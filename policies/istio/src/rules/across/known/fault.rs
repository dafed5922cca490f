//! Of resources that cannot be together, those at fault.

use std::collections::BTreeMap;

use crate::{in_force::InForce, resource::Kind, rules::subject::Subject};

/// What applications have in force, by namespace, application and kind.
#[derive(Debug, Default)]
pub(in crate::rules::across) struct Before<'a>(BTreeMap<(&'a str, &'a str, Kind), Vec<Subject<'a>>>);

impl<'a> Before<'a> {
    pub(in crate::rules::across) fn new(in_force: &'a InForce) -> Self {
        let mut before = BTreeMap::<_, Vec<_>>::new();
        for ((namespace, name), resources) in in_force.applications() {
            for resource in resources {
                let key = (namespace.as_str(), name.as_str(), resource.kind);
                before.entry(key).or_default().push(Subject::new(resource));
            }
        }
        Self(before)
    }

    /// True if a resource is at fault beside another one that claims the same. The one whose application has the claim
    /// in force is not; where both have it, or none, nobody knows which was meant. `claims` says for a resource that is
    /// in force, and one as it is now, if the former makes the claim too.
    pub(in crate::rules::across) fn is_at_fault(
        &self,
        subject: &Subject,
        other: &Subject,
        claims: impl Fn(&Subject<'a>, &Subject) -> bool,
    ) -> bool {
        let has = |now: &Subject| match now.resource.application() {
            Some((namespace, name)) => {
                let before = self.0.get(&(namespace, name, now.kind()));
                before.into_iter().flatten().any(|before| claims(before, now))
            }
            // What is written by hand is there.
            None => true,
        };
        !has(subject) || has(other)
    }
}
