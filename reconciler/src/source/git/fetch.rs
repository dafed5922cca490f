//! Fetches the followed ref from a server into the clone: the objects only.
//!
//! Refs are written after all objects have arrived, so a fetch that is killed leaves nothing wrong behind. The
//! server's list of refs alone decides what the tip is: a deleted branch is gone, and a force-pushed branch is
//! where it was pushed to.

use std::collections::HashSet;

use git2::{
    AutotagOption, CredentialType, ErrorCode, FetchOptions, Oid, ProxyOptions, RemoteCallbacks, RemoteHead,
    RemoteRedirect, Repository as BareClone,
};

use super::{credentials::Credentials, failure};
use crate::source::{error::SourceError, location::Transport, target::Target};

/// The number of branches that an error names.
const NAMED: usize = 5;

/// Fetches what is new in `repository`, and returns the commit that `target` leads to.
pub(super) fn tip(
    clone: &BareClone,
    repository: &str,
    transport: Transport,
    target: &Target,
    credentials: &Credentials<'_>,
) -> Result<Oid, SourceError> {
    if let Some(known) = known_commit(clone, target) {
        return Ok(known);
    }
    let mut callbacks = RemoteCallbacks::new();
    callbacks.credentials(|_, user, allowed: CredentialType| credentials.answer(user, allowed));
    let mut proxy = ProxyOptions::new();
    match transport {
        Transport::Ssh => {
            callbacks.certificate_check(|certificate, _| credentials.look_at(certificate));
        }
        Transport::Https => {
            proxy.auto();
        }
        // libgit2 would connect to the server, and speak to it as if it were the proxy.
        Transport::Http => {}
    }
    let mut options = FetchOptions::new();
    options.remote_callbacks(callbacks).proxy_options(proxy).download_tags(AutotagOption::None);
    // Within the host they are still followed; elsewhere the credentials would go along.
    options.follow_redirects(RemoteRedirect::None);

    let unreachable = |error| credentials.explain(repository, &error);
    let mut remote = clone.remote_anonymous(repository).map_err(unreachable)?;
    // Few servers hand out a commit by its id, all of them their refs.
    let everything = || ["heads", "tags"].map(|kind| format!("refs/{kind}/*:refs/{kind}/*")).to_vec();
    let wanted = target.reference().map_or_else(everything, |reference| vec![reference]);
    remote.download(&wanted, Some(&mut options)).map_err(unreachable)?;

    let there = remote.list().map_err(unreachable)?;
    let found = match target.reference() {
        None => known_commit(clone, target),
        Some(reference) => match there.iter().find(|head| head.name() == reference) {
            None => None,
            Some(head) => {
                Some(commit(clone, head.oid()).map_err(|error| astray(repository, target, &error))?)
            }
        },
    };
    if found.is_none() && target.reference().is_none() {
        remember_all(clone, there);
    }
    let branches = there.iter().filter_map(|head| head.name().strip_prefix("refs/heads/"));
    found.ok_or_else(|| absent(repository, target, &branches.collect::<Vec<_>>()))
}

/// The followed commit, if the clone has it.
pub(super) fn known_commit(clone: &BareClone, target: &Target) -> Option<Oid> {
    let Target::Commit(id) = target else { return None };
    clone.find_commit(Oid::from_str(id.as_str()).ok()?).ok().map(|commit| commit.id())
}

/// The commit behind an object, which may be an annotated tag.
fn commit(clone: &BareClone, id: Oid) -> Result<Oid, git2::Error> {
    clone.find_object(id, None)?.peel_to_commit().map(|commit| commit.id())
}

/// The error for a ref that exists and does not lead to a commit.
pub(super) fn astray(repository: &str, target: &Target, error: &git2::Error) -> SourceError {
    failure(&format!("{target} of {repository} does not lead to a commit"), error)
}

/// The error for a readable repository that lacks the ref.
pub(super) fn absent(repository: &str, target: &Target, branches: &[&str]) -> SourceError {
    if branches.is_empty() {
        return SourceError(format!("{repository} has no {target}, nor any branch: it is empty"));
    }
    let named: Vec<_> = branches.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = match branches.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = match target {
        Target::Commit(_) => "no branch or tag that leads to",
        Target::Branch(_) | Target::Tag(_) => "no",
    };
    SourceError(format!("{repository} has {what} {target}; its branches are {}{more}", named.join(", ")))
}

/// Stores refs to everything that was fetched in search of a commit, because the search is repeated. A ref that
/// cannot be stored is fetched again.
fn remember_all(clone: &BareClone, there: &[RemoteHead<'_>]) {
    let names: HashSet<_> = there.iter().map(RemoteHead::name).collect();
    // One that is gone could stand in the way: there is either `a` or `a/b`.
    for mut known in clone.references().into_iter().flatten().flatten() {
        if !known.name().is_ok_and(|name| names.contains(name)) {
            let _ = known.delete();
        }
    }
    let is_wanted = |name: &str| name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
    for head in there.iter().filter(|head| is_wanted(head.name()) && !head.name().ends_with("^{}")) {
        let _ = commit(clone, head.oid()).and_then(|id| clone.reference(head.name(), id, true, "fetch"));
    }
}

/// Stores a ref to the fetched commit, so that the next fetch asks only for what is new.
pub(super) fn remember(clone: &BareClone, target: &Target, tip: Oid) -> Result<(), SourceError> {
    let Some(reference) = target.reference() else { return Ok(()) };
    match clone.refname_to_id(&reference) {
        Ok(known) if known == tip => return Ok(()),
        Err(error) if error.code() != ErrorCode::NotFound => {
            return Err(failure("cannot read the clone", &error));
        }
        _ => {}
    }
    let written = clone.reference(&reference, tip, true, "fetch");
    written.map(drop).map_err(|error| failure("cannot write to the clone", &error))
}
