//! The options of the commands that send documents.

use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Documents {
    /// The directory of a new policy, below the policy directory of the repository
    #[arg(long, value_name = "DIR")]
    folder: Option<String>,

    /// Take a new policy that selects everything
    #[arg(long)]
    allow_wildcard: bool,

    /// Write a document anew that cannot be edited in place
    #[arg(long)]
    rewrite: bool,
}

impl Documents {
    /// The directory of new policies; empty for the policy directory itself.
    pub(super) fn folder(&self) -> &str {
        self.folder.as_deref().unwrap_or_default()
    }

    /// Their part of the query.
    pub(super) fn query(&self) -> Vec<(&'static str, &str)> {
        let switches = [("allowWildcard", self.allow_wildcard), ("rewrite", self.rewrite)];
        let switches = switches.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| (name, "true"));
        let folder = Some(self.folder()).filter(|folder| !folder.is_empty());
        switches.chain(folder.map(|folder| ("folder", folder))).collect()
    }
}
