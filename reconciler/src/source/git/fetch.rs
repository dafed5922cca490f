//! The newest commit of the branch, brought into the clone.

use git2::{AutotagOption, ErrorCode, FetchOptions, FetchPrune, Oid, Repository as Clone};

use super::{SourceError, failure};
use crate::source::location::Repository;

/// Fetches what is new and answers the branch's tip.
pub(super) fn tip(clone: &Clone, repository: &Repository, branch: &str) -> Result<Oid, SourceError> {
    let unreachable = |error| failure(&format!("cannot fetch from {repository}"), &error);
    let reference = format!("refs/heads/{branch}");
    let mut options = FetchOptions::new();
    // Without pruning, a branch that is gone would leave its old tip behind in silence.
    options.prune(FetchPrune::On).download_tags(AutotagOption::None).update_fetchhead(false);
    let mut remote = clone.remote_anonymous(&repository.url()).map_err(unreachable)?;
    // The `+` follows a force-push too, which otherwise would succeed and change nothing.
    let refspec = format!("+{reference}:{reference}");
    remote.fetch(&[refspec], Some(&mut options), None).map_err(unreachable)?;
    clone.refname_to_id(&reference).map_err(|error| match error.code() {
        ErrorCode::NotFound => SourceError(format!("{repository} has no branch `{branch}`")),
        _ => failure("cannot read the fetched branch", &error),
    })
}
