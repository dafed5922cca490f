//! Looks in the history for something of applications, and remembers it. While it is asked for again, only the commits that
//! came since are looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use crate::{
    istio::{guarded::Guarded, plan::ApplicationId},
    source::{SourceError, ancestry::CommitId, git::CommitLog},
};

/// The commits among which something is looked for.
const MOST: usize = 200;

/// What was found of applications.
#[derive(Debug)]
pub(super) struct Looked<T> {
    pub(super) found: BTreeMap<ApplicationId, T>,
    /// The reason why it is not known.
    pub(super) unknown: BTreeMap<ApplicationId, SourceError>,
}

/// What was found before a commit.
#[derive(Debug)]
pub(super) struct Lookback<T> {
    before: Option<CommitId>,
    /// The guardrails by which it was looked for.
    guarded: Guarded,
    /// What was found of each application; none if no commit has it.
    found: BTreeMap<ApplicationId, Option<T>>,
}

impl<T> Default for Lookback<T> {
    fn default() -> Self {
        Self { before: None, guarded: Guarded::default(), found: BTreeMap::new() }
    }
}

impl<T: Clone> Lookback<T> {
    /// The newest that commits before `head` have of these applications. `read` reads a file, and `find` finds something of
    /// the applications that are still wanted in the files of a commit. Blocks.
    ///
    /// A commit that cannot be read concerns the applications of which none that came after it has something.
    pub(super) fn look<F>(
        &mut self,
        head: CommitId,
        guarded: &Guarded,
        wanted: &BTreeSet<ApplicationId>,
        commits: &CommitLog,
        read: impl Fn(&[u8]) -> F,
        find: impl Fn(&BTreeSet<ApplicationId>, Vec<(Arc<str>, Arc<F>)>) -> BTreeMap<ApplicationId, T>,
    ) -> Looked<T> {
        if self.guarded != *guarded {
            *self = Self { guarded: guarded.clone(), ..Self::default() };
        }
        self.found.retain(|id, _| wanted.contains(id));
        let search = |mut wanted: BTreeSet<ApplicationId>, until: Option<CommitId>| {
            let mut found = BTreeMap::new();
            let visit = |files| {
                for (id, of_it) in find(&wanted, files) {
                    wanted.remove(&id);
                    found.insert(id, of_it);
                }
                if wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let is_met = commits.back(head, MOST, until, &read, visit);
            let end = is_met.map(|is_met| is_met || until.is_none() || wanted.is_empty());
            Searched { found, end }
        };
        let mut unknown = BTreeMap::new();
        let known: BTreeSet<_> = self.found.keys().cloned().collect();
        if !known.is_empty() && self.before != Some(head) {
            match search(known, self.before) {
                Searched { found, end: Ok(true) } => self.add(found),
                // These commits are no longer before this one.
                Searched { end: Ok(false), .. } => self.found.clear(),
                // Of the others, what was found before may not be the newest.
                Searched { found, end: Err(_) } => {
                    self.found.clear();
                    self.add(found);
                }
            }
        }
        let new: BTreeSet<_> = wanted.iter().filter(|id| !self.found.contains_key(*id)).cloned().collect();
        if !new.is_empty() {
            let Searched { mut found, end } = search(new.clone(), None);
            for id in new {
                match (found.remove(&id), &end) {
                    (None, Err(error)) => drop(unknown.insert(id, error.clone())),
                    (of_it, _) => drop(self.found.insert(id, of_it)),
                }
            }
        }
        self.before = Some(head);
        let found = self.found.iter();
        let found = found.filter_map(|(id, of_it)| Some((id.clone(), of_it.clone()?))).collect();
        Looked { found, unknown }
    }

    fn add(&mut self, found: BTreeMap<ApplicationId, T>) {
        self.found.extend(found.into_iter().map(|(id, of_it)| (id, Some(of_it))));
    }
}

/// What a search has found.
struct Searched<T> {
    found: BTreeMap<ApplicationId, T>,
    /// False if the commit at which it should end is not among those before; or the reason why it ended earlier.
    end: Result<bool, SourceError>,
}
