//! A request to change policies.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use tokio::sync::OwnedSemaphorePermit;

use policies::{
    Digest,
    editing::{Document, Folder, How},
    language::PolicyName,
};

use super::{etag::Condition, outcome::Refusal};
use crate::access::rights::Rights;

/// A request to change policies, all or none of it.
#[derive(Clone, Debug)]
pub struct Order {
    /// Told to the client, and to all who read the commit and the log.
    pub id: String,
    /// Equal for the same request of the same user.
    pub fingerprint: Digest,
    pub rights: Arc<Rights>,
    pub action: Action,
    pub options: Options,
    pub deadline: Instant,
    /// Its share of the memory for documents that wait.
    pub room: Option<Arc<OwnedSemaphorePermit>>,
}

/// The change.
#[derive(Clone, Debug)]
pub enum Action {
    /// Create or update these. At least one.
    Put(Vec<Document>),
    /// Remove it, from this file if it stands in several.
    Delete { name: PolicyName, file: Option<String> },
}

/// The options of a change.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only say what would be done.
    pub dry_run: bool,
    /// The subject of the commit.
    pub message: Option<String>,
    /// The directory of new files, below the policy directory.
    pub directory: Option<String>,
    /// Another directory, of the files of these policies; empty for the policy directory itself.
    pub directories: BTreeMap<PolicyName, Folder>,
    /// Put into force again what had ended.
    pub restart: bool,
    /// Take a new policy that selects everything.
    pub allow_wildcard: bool,
    pub how: How,
    pub condition: Condition,
}

impl Options {
    /// The directory of the file of a new policy, if the request names one.
    pub(super) fn directory_of(&self, name: &PolicyName) -> Option<&str> {
        let folder = self.directories.get(name).map(|folder| &folder.directory);
        folder.or(self.directory.as_ref()).map(String::as_str)
    }
}

impl Order {
    /// The names of the policies that it is about.
    pub fn names(&self) -> Vec<PolicyName> {
        match &self.action {
            Action::Put(documents) => documents.iter().filter_map(Document::name).cloned().collect(),
            Action::Delete { name, .. } => vec![name.clone()],
        }
    }

    /// True if it may undo a change that its sender does not know of. A condition and a dry run are judged by the branch
    /// as it is.
    pub(super) fn is_blind(&self) -> bool {
        !self.options.dry_run && self.options.condition == Condition::Always
    }

    /// Refuses what is late. A request of many documents takes long, and others wait.
    pub(super) fn in_time(&self) -> Result<(), Refusal> {
        if self.deadline > Instant::now() {
            return Ok(());
        }
        Err(Refusal::Unavailable("it was not done in time; nothing was written".to_owned()))
    }

    /// The change in a word.
    pub fn verb(&self) -> &'static str {
        match &self.action {
            Action::Put(_) => "Apply",
            Action::Delete { .. } => "Delete",
        }
    }
}
