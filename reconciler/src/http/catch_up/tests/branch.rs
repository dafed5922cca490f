//! A branch, and all commits that ever were on it.

use std::sync::Arc;

use policies::{Catalog, File, Timestamp, repository::Sources};

use crate::{
    serving::published::Whole,
    source::{
        Revision,
        ancestry::{Ancestry, CommitId},
    },
};

/// The number of a commit, in the order in which they were made.
pub(super) type Commit = usize;

pub(super) struct Branch {
    commits: Vec<Made>,
    pub(super) tip: Commit,
}

struct Made {
    parent: Option<Commit>,
    content: u8,
}

impl Branch {
    /// A branch of one commit without a policy.
    pub(super) fn new() -> Self {
        Self { commits: vec![Made { parent: None, content: 0 }], tip: 0 }
    }

    pub(super) fn push(&mut self, content: u8) {
        self.commits.push(Made { parent: Some(self.tip), content });
        self.tip = self.commits.len() - 1;
    }

    /// Forces commits off the branch.
    pub(super) fn reset(&mut self, back: usize) {
        self.tip = self.history(self.tip).take(back + 1).last().unwrap();
    }

    /// A commit and those before it, the newest first.
    pub(super) fn history(&self, commit: Commit) -> impl Iterator<Item = Commit> {
        std::iter::successors(Some(commit), |commit| self.commits[*commit].parent)
    }

    /// True if `one` came before `other`.
    pub(super) fn is_before(&self, one: Commit, other: Commit) -> bool {
        self.history(other).skip(1).any(|commit| commit == one)
    }

    /// The content of a commit; `None` if it has no policy.
    pub(super) fn content(&self, commit: Commit) -> Option<u8> {
        Some(self.commits[commit].content).filter(|content| *content > 0)
    }

    pub(super) fn whole(&self, commit: Commit) -> Whole {
        let known = self.history(commit).map(|commit| CommitId([id(commit); 20]));
        Whole {
            revision: Revision::new(format!("grün@sha1:{}", format!("{:02x}", id(commit)).repeat(20))),
            ancestry: Ancestry::of(known.collect()),
            signed: None,
            catalog: Arc::new(catalog(self.content(commit))),
            at: Timestamp::from_millis(0),
        }
    }
}

/// The commit that a revision names.
pub(super) fn commit(revision: &str) -> Option<Commit> {
    CommitId::of_revision(revision).map(|CommitId([first, ..])| usize::from(first))
}

/// Each byte of a commit's id.
fn id(commit: Commit) -> u8 {
    u8::try_from(commit).unwrap()
}

/// A policy that holds every request, named by the content.
fn catalog(content: Option<u8>) -> Catalog {
    let text = |content| {
        format!(
            "metadata: {{name: p{content}}}\nspec: {{rules: [{{fault: {{percentage: 100, delay_ms: 1}}}}]}}"
        )
    };
    let (path, file) = ("a.yaml".into(), File::read(content.map(text).unwrap_or_default().as_bytes()));
    Catalog::new(&Sources { files: vec![(&path, &file)], ..Sources::default() }, |_, _| None)
}
