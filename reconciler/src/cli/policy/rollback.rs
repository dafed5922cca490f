//! `hfi policy rollback`.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::{changing::Changing, documents::Documents, names::policy_name};
use crate::{
    api::writes::{History, HistoryCommit},
    cli::{
        completions::{ArgValueCandidates, policy_names},
        console::{NOT_RIGHT, WRONG_USE, error, next, note},
        moment::{relative, short_revision},
        server::{failed, failed_change},
    },
    client::{
        Client, Failure,
        exchange::Answered,
        writing::{Change, Condition},
    },
    clock::now,
    source::ancestry::CommitId,
};

/// The fewest digits of a commit.
const FEWEST: usize = 4;

/// Put a policy back as it was at an earlier commit
///
/// A new commit writes what stood there. One that was deleted comes back into the directory in which it stood, unless
/// `--folder` names another, as a file of its own. What that puts into force needs `--restart`, and so does a policy
/// that was deleted.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// The name of a policy, which may be deleted
    #[arg(value_parser = policy_name, add = ArgValueCandidates::new(policy_names))]
    name: String,

    /// A commit, as `hfi policy history` has it [default: the version before the present one]
    #[arg(long, value_name = "COMMIT")]
    to: Option<String>,

    #[command(flatten)]
    documents: Documents,

    #[command(flatten)]
    changing: Changing,
}

/// The policy, before it is rolled back.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Present {
    /// It has this entity tag.
    Valid(String),
    Invalid,
    Absent,
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
        let Self { name, to, documents, changing } = self;
        let connected = match changing.connect().await {
            Ok(connected) => connected,
            Err(code) => return code,
        };
        let client = &connected.client;
        let history = match client.get_answered(None, &["v1", "policies", &name, "history"], &[]).await {
            Ok(history) => history,
            Err(failure) => return failed(&failure),
        };
        let Answered::<History> { body: history, revision, .. } = history;
        let commit = match target(&name, to.as_deref(), &history) {
            Ok(commit) => commit,
            Err(nowhere) => return nowhere.told(&name),
        };
        // All of it is read as of this revision, and written only if the policy has not changed since.
        let reading = Reading { client, name: &name, revision: revision.unwrap_or_default() };
        let present = match reading.present().await {
            Ok(present) => present,
            Err(failure) => return failed(&failure),
        };
        let (document, folder) = match reading.at(&commit).await {
            Ok(Answered { body, folder, .. }) => (body, folder),
            Err(failure) if failure.status() == Some(404) => {
                error(&failure);
                return see_history(&name, NOT_RIGHT);
            }
            Err(failure) => return failed(&failure),
        };
        if !matches!(present, Present::Valid(_)) && !connected.restart {
            error(format_args!(
                "there is no valid policy `{name}` now, so going back to commit {} may put it into force",
                short_revision(&commit)
            ));
            next("if that is what you want, add --restart");
            return ExitCode::from(NOT_RIGHT);
        }
        let mut query = documents.query();
        // Where it stands it stays, and with `--folder` it goes elsewhere.
        let folder = folder.filter(|_| present == Present::Absent && documents.folder().is_empty());
        note(told(&history, &name, &commit, folder.as_deref()));
        query.extend(folder.as_deref().filter(|folder| !folder.is_empty()).map(|folder| ("folder", folder)));
        query.extend(connected.query());
        let subject = format!("Roll back {name} to {}", short_revision(&commit));
        if connected.message.is_none() {
            query.push(("message", &subject));
        }
        let body = document.to_string();
        let if_it = match &present {
            Present::Valid(etag) => Condition::Has(etag),
            Present::Invalid => Condition::Exists,
            Present::Absent => Condition::IsAbsent,
        };
        let written =
            client.change(Change::Replace { name: &name, if_it, body: body.as_bytes() }, &query).await;
        connected.end_or(written, |failure| refused(failure, &name, &commit))
    }
}

/// What is read of a policy, at one revision of the branch.
struct Reading<'a> {
    client: &'a Client,
    name: &'a str,
    revision: String,
}

impl Reading<'_> {
    /// The policy as it was written at a commit.
    async fn at(&self, commit: &str) -> Result<Answered<Value>, Failure> {
        let query = [("all", "true"), ("commit", commit)];
        self.client.get_answered(Some(&self.revision), &["v1", "policies", self.name], &query).await
    }

    /// The policy at the revision itself.
    async fn present(&self) -> Result<Present, Failure> {
        let commit = CommitId::of_revision(&self.revision).map(|commit| commit.to_string());
        match self.at(&commit.unwrap_or_default()).await {
            Ok(Answered { etag, .. }) => Ok(Present::Valid(etag.unwrap_or_default())),
            Err(Failure::Refused { problem, .. }) if problem.status == 404 => {
                Ok(if problem.errors.is_empty() { Present::Absent } else { Present::Invalid })
            }
            Err(failure) => Err(failure),
        }
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
fn told(history: &History, name: &str, commit: &str, folder: Option<&str>) -> String {
    let known = history.commits.iter().find(|known| known.id == commit);
    let of = known.map(|HistoryCommit { author, subject, time, .. }| {
        format!(" ({author}, {}: {subject})", relative(time.0, now()))
    });
    let into = folder.map(|folder| match folder {
        "" => " into the policy directory".to_owned(),
        folder => format!(" into the directory {folder}"),
    });
    let (into, of) = (into.unwrap_or_default(), of.unwrap_or_default());
    format!("putting policy/{name} back{into} as it was at commit {}{of}", short_revision(commit))
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
