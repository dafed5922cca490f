//! `hfi policy rollback`.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::changing::Changing;
use crate::{
    api::writes::{History, HistoryCommit},
    cli::{
        completions::{ArgValueCandidates, policy_names},
        console::{NOT_RIGHT, WRONG_USE, error, next, note},
        moment::{relative, short_revision},
        server::{failed, failed_change},
    },
    client::{Client, Failure, writing::Change},
    clock::now,
};

/// The fewest digits of a commit.
const FEWEST: usize = 4;

/// Put a policy back as it was at an earlier commit
///
/// A new commit writes what stood there. What that puts into force needs `--restart`, and so does a policy that was
/// deleted.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// The name of a policy, which may be deleted
    #[arg(add = ArgValueCandidates::new(policy_names))]
    name: String,

    /// A commit, as `hfi policy history` has it [default: the version before the present one]
    #[arg(long, value_name = "COMMIT")]
    to: Option<String>,

    /// The directory of the file if the policy was deleted, below the policy directory of the repository
    #[arg(long, value_name = "DIR")]
    folder: Option<String>,

    /// Take a policy that selects everything
    #[arg(long)]
    allow_wildcard: bool,

    /// Write the document anew if it cannot be edited in place
    #[arg(long)]
    rewrite: bool,

    #[command(flatten)]
    changing: Changing,
}

/// The reason why there is no commit to go back to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Nowhere {
    /// The option names none.
    Unknown(String),
    /// There is no version before the present one, or none that was looked at.
    First(String),
}

impl Rollback {
    pub(super) async fn run(self) -> ExitCode {
        let Self { name, to, folder, allow_wildcard, rewrite, changing } = self;
        let connected = match changing.connect().await {
            Ok(connected) => connected,
            Err(code) => return code,
        };
        let client = &connected.client;
        // First, so that a change made from here on, which the history may not have, is not overwritten.
        let etag = match present(client, &name).await {
            Ok(etag) => etag,
            Err(failure) => return failed(&failure),
        };
        let history: History = match client.get(&["v1", "policies", &name, "history"], &[]).await {
            Ok(history) => history,
            Err(failure) => return failed(&failure),
        };
        let commit = match target(&name, to.as_deref(), &history) {
            Ok(commit) => commit,
            Err(nowhere) => return nowhere.told(&name),
        };
        let document = match at(client, &name, &commit).await {
            Ok(document) => document,
            Err(failure) if failure.status() == Some(404) => {
                error(&failure);
                return see_history(&name, NOT_RIGHT);
            }
            Err(failure) => return failed(&failure),
        };
        if etag.is_none() && !connected.restart {
            error(format_args!(
                "there is no valid policy `{name}` now, so going back to commit {} may put it into force",
                short_revision(&commit)
            ));
            next("if that is what you want, add --restart");
            return ExitCode::from(NOT_RIGHT);
        }
        note(told(&history, &name, &commit));
        let subject = format!("Roll back {name} to {}", short_revision(&commit));
        let mut query = connected.query();
        if connected.message.is_none() {
            query.push(("message", &subject));
        }
        let switches = [("allowWildcard", allow_wildcard), ("rewrite", rewrite)];
        query.extend(switches.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| (name, "true")));
        query.extend(folder.as_deref().map(|folder| ("folder", folder)));
        let body = document.to_string();
        let change = Change::Replace { name: &name, etag: etag.as_deref(), body: body.as_bytes() };
        let written = client.change(change, &query).await;
        connected.end_or(written, |failure| refused(failure, &name, &commit))
    }
}

/// Tells why the policy was not rolled back. Without `--to` the same command may go back to the version that it has
/// just taken out of force.
fn refused(failure: &Failure, name: &str, commit: &str) -> ExitCode {
    let again = format!("run `hfi policy rollback {name} --to {commit}` with the same options");
    if failure.status() == Some(412) {
        error(failure);
        next(format_args!("{again}, if this version is still the right one"));
        return ExitCode::from(NOT_RIGHT);
    }
    failed_change(failure, &format!("{again}: it changes nothing if that was done already"))
}

/// The policy as it was written at a commit.
async fn at(client: &Client, name: &str, commit: &str) -> Result<Value, Failure> {
    client.get(&["v1", "policies", name], &[("all", "true"), ("commit", commit)]).await
}

/// The entity tag of the policy as it is now; `None` if there is no valid one.
async fn present(client: &Client, name: &str) -> Result<Option<String>, Failure> {
    let tagged: Result<(Value, _), _> =
        client.get_tagged(&["v1", "policies", name], &[("all", "true")]).await;
    match tagged {
        Ok((_, etag)) => Ok(Some(etag)),
        Err(failure) if failure.status() == Some(404) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The whole id of the commit to go back to.
fn target(name: &str, to: Option<&str>, history: &History) -> Result<String, Nowhere> {
    let Some(to) = to else {
        let before = history.commits.get(1).map(|commit| commit.id.clone());
        return before.ok_or_else(|| {
            Nowhere::First(if history.partial {
                format!("the version of `{name}` before the present one is older than the commits looked at")
            } else {
                format!("the policy `{name}` has no version before the present one")
            })
        });
    };
    let to = to.to_ascii_lowercase();
    let is_id = (FEWEST..=40).contains(&to.len()) && to.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        return Err(Nowhere::Unknown(format!(
            "--to must be the id of a commit, of {FEWEST} to 40 hex digits"
        )));
    }
    let mut known = history.commits.iter().filter(|commit| commit.id.starts_with(&to));
    match (known.next(), known.next()) {
        (Some(commit), None) => Ok(commit.id.clone()),
        (Some(_), Some(_)) => Err(Nowhere::Unknown(format!("`{to}` is the beginning of several commits"))),
        (None, _) if to.len() == 40 => Ok(to),
        (None, _) => Err(Nowhere::Unknown(format!(
            "`{to}` is none of the commits that changed `{name}`; another one needs all of its 40 digits"
        ))),
    }
}

impl Nowhere {
    fn told(self, name: &str) -> ExitCode {
        match self {
            Self::Unknown(reason) => {
                error(reason);
                see_history(name, WRONG_USE)
            }
            Self::First(reason) => {
                error(reason);
                see_history(name, NOT_RIGHT)
            }
        }
    }
}

fn see_history(name: &str, code: u8) -> ExitCode {
    next(format_args!("`hfi policy history {name}` lists the commits that changed it"));
    ExitCode::from(code)
}

/// The version that the policy goes back to, in words.
fn told(history: &History, name: &str, commit: &str) -> String {
    let known = history.commits.iter().find(|known| known.id == commit);
    let of = known.map(|HistoryCommit { author, subject, time, .. }| {
        format!(" ({author}, {}: {subject})", relative(time.0, now()))
    });
    format!(
        "putting policy/{name} back as it was at commit {}{}",
        short_revision(commit),
        of.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{History, HistoryCommit, Nowhere, target};
    use crate::api::time::Time;

    fn history(ids: &[&str], partial: bool) -> History {
        let commit = |id: &&str| HistoryCommit {
            author: "a".to_owned(),
            id: id.repeat(10),
            subject: "s".to_owned(),
            time: Time(policies::Timestamp::from_millis(0)),
        };
        History { commits: ids.iter().map(commit).collect(), partial }
    }

    #[test]
    fn without_a_commit_it_is_the_version_before() {
        let one = |ids: &[&str], partial| target("a", None, &history(ids, partial));
        assert_eq!(one(&["4f1d", "abcd"], false), Ok("abcd".repeat(10)));
        assert!(matches!(one(&["4f1d"], false), Err(Nowhere::First(why)) if why.contains("no version")));
        assert!(matches!(one(&["4f1d"], true), Err(Nowhere::First(why)) if why.contains("older")));
    }

    #[test]
    fn a_commit_is_named_by_its_first_digits() {
        let history = history(&["4f1d", "4f1e", "abcd"], false);
        let to = |to| target("a", Some(to), &history);
        assert_eq!(to("4F1D4"), Ok("4f1d".repeat(10)));
        let other = "0".repeat(40);
        assert_eq!(to(&other), Ok(other.clone()));
        for bad in ["4f1", "main", "", "0000", &"0".repeat(41)] {
            assert!(matches!(to(bad), Err(Nowhere::Unknown(_))), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_named_is_a_whole_id(to in "\\PC{0,45}") {
            if let Ok(id) = target("a", Some(&to), &history(&["4f1d"], false)) {
                prop_assert_eq!(id.len(), 40);
            }
        }
    }
}
