//! What applications last had, where no artifact says what is in force.
//!
//! It is looked for once. While such an application stays invalid, only the commits that came since are looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use crate::{
    istio::{
        applications::{Applications, File},
        guarded::Guarded,
        plan::{ApplicationId, Resource, Setting, valid},
    },
    source::{SourceError, ancestry::CommitId, git::CommitLog},
};

/// The commits among which the last valid one of an application is looked for.
const MOST: usize = 200;

/// What invalid applications had last.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// The objects of those that were valid once.
    pub(super) found: Vec<(ApplicationId, Vec<Resource>)>,
    /// The reason why that is not known.
    pub(super) unknown: BTreeMap<ApplicationId, SourceError>,
}

/// What was found before a commit.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    before: Option<CommitId>,
    /// The guardrails by which applications were valid or not.
    guarded: Guarded,
    /// The objects of each application that was looked for; none if it was valid at no commit.
    found: BTreeMap<ApplicationId, Option<Vec<Resource>>>,
}

impl Earlier {
    /// The objects that these applications had at the newest commit before `head` at which they were valid. Blocks.
    ///
    /// A commit that cannot be read concerns the applications that were valid at none of those that came after it.
    pub(super) fn look(
        &mut self,
        head: CommitId,
        guarded: &Guarded,
        wanted: &BTreeSet<ApplicationId>,
        commits: &CommitLog,
        setting: &Setting,
    ) -> Looked {
        if self.guarded != *guarded {
            *self = Self { guarded: guarded.clone(), ..Self::default() };
        }
        self.found.retain(|id, _| wanted.contains(id));
        let search = |wanted: BTreeSet<ApplicationId>, until| {
            Search { wanted, until, guarded, commits, setting }.run(head)
        };
        let mut unknown = BTreeMap::new();
        let known: BTreeSet<_> = self.found.keys().cloned().collect();
        if !known.is_empty() && self.before != Some(head) {
            match search(known, self.before) {
                Searched { found, end: Ok(true) } => self.add(found),
                // These commits are no longer before this one.
                Searched { end: Ok(false), .. } => self.found.clear(),
                // Of the others, what was found before may not be what they had last.
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
                    (objects, _) => drop(self.found.insert(id, objects)),
                }
            }
        }
        self.before = Some(head);
        let found = self.found.iter();
        let found = found.filter_map(|(id, objects)| Some((id.clone(), objects.clone()?))).collect();
        Looked { found, unknown }
    }

    fn add(&mut self, found: BTreeMap<ApplicationId, Vec<Resource>>) {
        self.found.extend(found.into_iter().map(|(id, objects)| (id, Some(objects))));
    }
}

/// A search for the last valid commits of applications.
struct Search<'a> {
    wanted: BTreeSet<ApplicationId>,
    /// The commit at which it ends.
    until: Option<CommitId>,
    guarded: &'a Guarded,
    commits: &'a CommitLog,
    setting: &'a Setting,
}

/// What a search has found.
struct Searched {
    found: BTreeMap<ApplicationId, Vec<Resource>>,
    /// False if the commit at which it should end is not among those before; or the reason why it ended earlier.
    end: Result<bool, SourceError>,
}

impl Search<'_> {
    /// Searches before `head`.
    fn run(mut self, head: CommitId) -> Searched {
        let mut found = BTreeMap::new();
        let visit = |files| {
            let applications = Applications { files, guarded: self.guarded.clone() };
            for (id, objects) in valid(&self.wanted, &applications, self.setting) {
                self.wanted.remove(&id);
                found.insert(id, objects);
            }
            if self.wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let is_met = self.commits.back(head, MOST, self.until, File::read, visit);
        let end = is_met.map(|is_met| is_met || self.until.is_none() || self.wanted.is_empty());
        Searched { found, end }
    }
}
