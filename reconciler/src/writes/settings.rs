//! The settings of writes.

use policies::language::Guardrail;

pub use super::branch_pattern::BranchPattern;

use crate::source::writing::{Author, WriterSettings};

/// The settings of writes.
#[derive(Clone, Debug)]
pub struct Settings {
    pub writer: WriterSettings,
    /// The author of all commits; absent: the user.
    pub author: Option<Author>,
    /// The names of new branches, where the served branch takes no commits.
    pub write_branch: Option<BranchPattern>,
    /// The guardrail of the server itself.
    pub server: Guardrail,
}
