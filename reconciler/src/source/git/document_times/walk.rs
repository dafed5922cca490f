//! The walk back through the first-parent history of the policy directory.

use std::{path::Path, sync::Arc};

use git2::{Commit, Oid, Repository as BareClone};
use policies::{File, Policy, repository::Start};

use super::{
    Starts,
    arrivals::{Documents, Files},
    committed_at,
    deadline::{Deadline, TimesError},
};
use crate::source::{
    checkout::BlobId,
    git::{
        budget::{Cost, ReadError},
        directory::Directory,
        objects,
        tree::policy_directory,
    },
};

/// A clone to walk through, and what is known about it.
pub(in crate::source::git) struct Walk<'a> {
    pub(in crate::source::git) clone: &'a BareClone,
    /// The policy directory.
    pub(in crate::source::git) path: &'a Path,
    /// A commit whose starts are known: they need not be searched for behind it.
    pub(in crate::source::git) known: Option<(Oid, &'a Starts)>,
    pub(in crate::source::git) deadline: Deadline,
}

impl<'r> Walk<'r> {
    /// Walks back from a commit and its policy directory until the start of every wanted document is found.
    pub(in crate::source::git) fn starts(
        &self,
        (tip, mut directory): (Oid, Option<Arc<Directory>>),
        wanted: &[Arc<Policy>],
        known_file: impl Fn(&BlobId) -> Option<Arc<File>>,
    ) -> Result<Starts, TimesError> {
        let mut open: Documents<'_> = wanted.iter().map(|policy| (&policy.name, &**policy)).collect();
        let mut files = Files::new(self.clone, open.clone(), known_file, self.deadline);
        let mut starts = Starts::new();
        let mut commit = objects::commit(self.clone, tip)?;
        // The earliest date from the tip to here.
        let mut earliest = committed_at(&commit);
        while !open.is_empty() {
            earliest = earliest.min(committed_at(&commit));
            if let Some((_, known)) = self.known.filter(|(at, _)| *at == commit.id()) {
                open.retain(|name, _| {
                    let start = known.get(*name).map(|start| start.known_at(earliest));
                    starts.extend(start.map(|start| ((*name).clone(), start)));
                    start.is_none()
                });
            }
            let (parent, before) = self.readable_parent(&commit, directory.as_ref())?;
            for name in files.arrivals(before.as_deref(), directory.as_deref(), &open)? {
                open.remove(name);
                starts.insert(name.clone(), Start::from(committed_at(&commit)).known_at(earliest));
            }
            match parent {
                Some(parent) => (commit, directory) = (parent, before),
                None => break,
            }
        }
        Ok(starts)
    }

    /// The nearest commit before this one that is within the limits, and its policy directory. Others were never
    /// served.
    fn readable_parent(
        &self,
        commit: &Commit<'_>,
        directory: Option<&Arc<Directory>>,
    ) -> Result<(Option<Commit<'r>>, Option<Arc<Directory>>), TimesError> {
        let mut next = commit.parent_ids().next();
        while let Some(id) = next {
            self.deadline.check()?;
            let parent = match objects::commit(self.clone, id) {
                Err(ReadError::Over(_)) => {
                    self.deadline.check_none()?;
                    next = self.clone.find_commit(id)?.parent_ids().next();
                    continue;
                }
                parent => parent?,
            };
            let root = objects::root(self.clone, &parent);
            let before = root.and_then(|root| {
                policy_directory(self.clone, &root, self.path, directory, &mut Cost::default())
            });
            match before {
                Ok(before) => return Ok((Some(parent), before)),
                Err(ReadError::Over(_)) => next = parent.parent_ids().next(),
                Err(error) => return Err(error.into()),
            }
        }
        Ok((None, None))
    }
}
