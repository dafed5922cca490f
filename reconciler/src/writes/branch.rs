//! The branch as it was read, and as it would be with a change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use policies::{
    Catalog, File, Timestamp,
    language::{Guardrail, PolicyName},
    reading::{Place, Problem},
    repository::{LocatedPolicy, RegexCost, RegexExcess, Sources, Start},
};

use crate::{
    source::{CheckoutFile, ancestry::CommitId, reading::StartTimes},
    sync::loader::ParsedCheckout,
};

/// The files of some commit, read, and the policies that they make.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    /// The commit that it is of, or that a change of it stands on.
    pub(super) commit: CommitId,
    /// True if it was not fetched: others may have pushed since.
    pub(super) is_assumed: bool,
    pub(super) catalog: Arc<Catalog>,
    files: BTreeMap<Arc<str>, Arc<File>>,
    /// The policy directory, as the paths have it.
    directory: Arc<str>,
    guards: Arc<BTreeMap<Arc<str>, Arc<File>>>,
    starts: Arc<StartTimes>,
    server: Guardrail,
}

/// Files by their path in the repository; without content they are removed.
pub(super) type Changes = BTreeMap<String, Option<Vec<u8>>>;

impl Branch {
    /// The branch at a commit, with the guardrail of the server itself.
    pub(super) fn new(commit: CommitId, read: ParsedCheckout, server: &Guardrail) -> Self {
        let ParsedCheckout { checkout, files, guards, starts } = read;
        let by_path = |checked: &[CheckoutFile], parsed: Vec<Arc<File>>| -> BTreeMap<_, _> {
            checked.iter().map(|file| Arc::clone(&file.path)).zip(parsed).collect()
        };
        let mut branch = Self {
            commit,
            is_assumed: false,
            catalog: Arc::default(),
            files: by_path(&checkout.files, files),
            directory: checkout.directory.into(),
            guards: Arc::new(by_path(&checkout.above, guards)),
            starts: Arc::new(starts),
            server: server.clone(),
        };
        branch.catalog = Arc::new(branch.load(None));
        branch
    }

    /// The branch with these files changed at `now`.
    pub(super) fn with(&self, changes: &Changes, now: Timestamp) -> Result<Self, RegexExcess> {
        let mut changed = self.clone();
        for (path, content) in changes {
            match content {
                Some(content) => changed.files.insert(path.as_str().into(), Arc::new(File::read(content))),
                None => changed.files.remove(path.as_str()),
            };
        }
        let mut cost = RegexCost::default();
        changed.files.values().chain(changed.guards.values()).try_for_each(|file| cost.add(file))?;
        changed.catalog = Arc::new(changed.load(Some(now)));
        Ok(changed)
    }

    /// Puts the files together. Documents without a start have got their content at `now`.
    fn load(&self, now: Option<Timestamp>) -> Catalog {
        fn with_paths(files: &BTreeMap<Arc<str>, Arc<File>>) -> Vec<(&Arc<str>, &File)> {
            files.iter().map(|(path, file)| (path, &**file)).collect()
        }
        let sources = Sources {
            files: with_paths(&self.files),
            ancestors: with_paths(&self.guards),
            directory: &self.directory,
            server: self.server.clone(),
        };
        Catalog::new(&sources, |path, policy| self.starts.of(path, policy).or_else(|| now.map(Start::from)))
    }

    /// The places of these names, also of documents that are not valid.
    pub(super) fn places_of(&self, names: &[PolicyName]) -> BTreeMap<PolicyName, Vec<(Arc<str>, u32)>> {
        let wanted: BTreeSet<_> = names.iter().collect();
        let mut places = BTreeMap::<_, Vec<_>>::new();
        for (path, file) in &self.files {
            for (name, place) in file.policy_names().filter(|(name, _)| wanted.contains(name)) {
                places.entry(name.clone()).or_default().push((Arc::clone(path), place.line));
            }
        }
        places
    }

    /// The valid policy of this name.
    pub(super) fn policy(&self, name: &PolicyName) -> Option<&LocatedPolicy> {
        self.catalog.policies().iter().find(|located| located.entry.policy.name == *name)
    }

    /// The place of a field of a policy, in a file that need not be valid.
    pub(super) fn place_in(&self, file: &str, name: &PolicyName, field: &str) -> Option<Place> {
        let documents = &self.files.get(file)?.documents;
        documents.iter().find(|parsed| parsed.policy.name == *name).map(|parsed| parsed.place_of(field))
    }

    /// The problems of a file.
    pub(super) fn problems_of<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a Problem> {
        self.catalog.problems().iter().filter(move |problem| &*problem.file == file)
    }
}
