//! The identity of a rule, which outlives the snapshot that it came with.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The identity of a rule that holds requests. It is the same in every snapshot in which the rule and the
/// selector, direction and mode of its policy are unchanged. Times do not count: a rule that ends later is still
/// the same rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleId(u64);

impl RuleId {
    /// The identity of a rule that is, but for its times, this.
    pub(crate) fn of(content: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        Self(hasher.finish())
    }
}
