//! The ways from commits to a newer one. One walk finds them all: however many ways lead over a commit, it is read once.

#[cfg(test)]
mod tests;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use git2::{ErrorCode, Oid};

use self::walk::Walk;
use super::{
    CommitLog,
    budget::ReadError,
    commit_log::{HISTORY, unread},
};
use crate::source::{ancestry::CommitId, error::SourceError};

/// The way from one commit to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way<T> {
    /// The second leads to the first, by commits with messages that say this.
    On(T),
    /// The first leads to the second.
    Back,
    /// Neither is known to lead to the other: a push was forced, the clone does not have the first one, or it lies too far
    /// back.
    Apart,
}

/// The way from each of some commits, or the reason why it cannot be read.
pub type Ways<T> = BTreeMap<CommitId, Result<Way<T>, SourceError>>;

impl CommitLog {
    /// The ways from these commits to another one. `said` takes what a message says, and `add` what of that matters on the
    /// way from a commit. A message that is over the limit of a commit says nothing. Blocks.
    pub fn ways<S: Default + PartialEq, T: Default>(
        &self,
        from: &BTreeSet<CommitId>,
        to: CommitId,
        said: impl Fn(&str) -> S,
        add: impl Fn(CommitId, &S, &mut T),
    ) -> Result<Ways<T>, SourceError> {
        self.read(HISTORY, |clone| {
            let says = |message: &str| said(message) != S::default();
            let mut walk = Walk::new(Oid::from_bytes(&to.0)?, clone, &says)?;
            let (mut begun, mut ways) = (Vec::new(), Ways::new());
            for commit in from {
                match walk.begin(Oid::from_bytes(&commit.0)?) {
                    Ok(begin) => begun.push((*commit, begin, T::default())),
                    Err(ReadError::Git(error)) if error.code() == ErrorCode::NotFound => {
                        ways.insert(*commit, Ok(Way::Apart));
                    }
                    Err(error) => {
                        ways.insert(*commit, Err(unread(HISTORY, error)));
                    }
                }
            }
            walk.run();
            // What they say is not kept while they are walked: it may take much memory.
            for (message, marks) in walk.messages() {
                let said = said(&message?);
                let on_way = begun.iter_mut().filter(|(_, begin, _)| !marks.has(begin.number));
                on_way.for_each(|(from, _, sum)| add(*from, &said, sum));
            }
            for (commit, begin, said) in begun {
                let way = match walk.damage_from(&begin) {
                    Some(damage) => Err(damage),
                    None if walk.leads_from(&begin) => Ok(Way::On(said)),
                    None if walk.leads_back(&begin) => Ok(Way::Back),
                    None => Ok(Way::Apart),
                };
                ways.insert(commit, way);
            }
            Ok(ways)
        })
    }
}
