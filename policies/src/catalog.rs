//! All files of a repository together.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    file::File,
    name::PolicyName,
    policy::Policy,
    problem::{Finding, Place, Problem},
    scope::Scope,
    snapshot::{Entry, Snapshot},
    time::Timestamp,
};

/// Every policy of a repository, in the order in which they decide, and every problem.
///
/// A pure function of the files and of when their documents got their content: the same commit gives
/// the same catalog on every replica.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    policies: Vec<Placed>,
    problems: Vec<Problem>,
    passed_over: usize,
}

/// A policy, and the place it comes from.
#[derive(Clone, Debug)]
pub struct Placed {
    pub file: Arc<str>,
    pub place: Place,
    pub entry: Entry,
}

impl Catalog {
    /// Puts files together. `started_at` says when a policy's document, in the file of that path, got
    /// its present content; it is asked only for policies whose duration counts from then.
    pub fn new<'a>(
        files: impl IntoIterator<Item = (&'a Arc<str>, &'a File)>,
        started_at: impl Fn(&str, &Policy) -> Option<Timestamp>,
    ) -> Self {
        let mut catalog = Self::default();
        let mut uses = BTreeMap::<PolicyName, Vec<(Arc<str>, Place)>>::new();
        for (path, file) in files {
            catalog.passed_over += file.passed_over;
            for (place, name) in &file.names {
                uses.entry(name.clone()).or_default().push((Arc::clone(path), *place));
            }
            catalog.problems.extend(
                file.findings
                    .iter()
                    .map(|finding| Problem { file: Arc::clone(path), finding: finding.clone() }),
            );
            catalog.policies.extend(file.policies().iter().map(|(place, policy)| Placed {
                file: Arc::clone(path),
                place: *place,
                entry: Entry { policy: Arc::clone(policy), started_at: None },
            }));
        }
        catalog.refuse_shared_names(&uses);
        for Placed { file, entry, .. } in &mut catalog.policies {
            if entry.policy.has_duration() {
                entry.started_at = started_at(file, &entry.policy);
            }
        }
        catalog.policies.sort_by(|a, b| a.entry.policy.name.cmp(&b.entry.policy.name));
        catalog.problems.sort();
        catalog
    }

    /// A name used twice takes every document with that name out of force: none of them can be
    /// known to be the one that was meant.
    fn refuse_shared_names(&mut self, uses: &BTreeMap<PolicyName, Vec<(Arc<str>, Place)>>) {
        for (name, places) in uses.iter().filter(|(_, places)| places.len() > 1) {
            self.policies.retain(|placed| placed.entry.policy.name != *name);
            for (i, (file, place)) in places.iter().enumerate() {
                let others: Vec<_> = places.iter().enumerate().filter(|(j, _)| i != *j).collect();
                let others: Vec<_> =
                    others.iter().map(|(_, (file, place))| format!("{file}:{}", place.line)).collect();
                let message = format!("`{name}` is also the name of {}; rename one", others.join(", "));
                let finding = Finding { place: *place, field: "metadata.name".to_owned(), message };
                self.problems.push(Problem { file: Arc::clone(file), finding });
            }
        }
    }

    /// Every valid policy, whether or not it is in force.
    pub fn policies(&self) -> &[Placed] {
        &self.policies
    }

    /// Everything that is wrong, by file and place.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many documents belong to somebody else.
    pub fn passed_over(&self) -> usize {
        self.passed_over
    }

    /// The policies in force at `now`.
    pub fn in_force(&self, now: Timestamp) -> impl Iterator<Item = &Placed> {
        self.policies
            .iter()
            .filter(move |placed| placed.entry.ends().any(|end| end.is_none_or(|end| now < end)))
    }

    /// What a filter of this scope is to run at `now`.
    pub fn snapshot(&self, scope: &Scope, now: Timestamp) -> Snapshot {
        let selected =
            self.in_force(now).filter(|placed| scope.is_selected_by(&placed.entry.policy.selector));
        Snapshot { policies: selected.map(|placed| placed.entry.clone()).collect() }
    }

    /// The next instant after `now` at which a policy stops being in force.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let last_end = |placed: &Placed| placed.entry.ends().try_fold(now, |last, end| Some(last.max(end?)));
        self.in_force(now).filter_map(last_end).min()
    }
}

impl Entry {
    fn ends(&self) -> impl Iterator<Item = Option<Timestamp>> {
        self.policy.rules.iter().map(|rule| self.end_of(rule.fault.duration_seconds))
    }
}
