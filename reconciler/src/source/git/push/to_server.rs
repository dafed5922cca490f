//! A push to a server, in the child process.

use std::cell::{Cell, RefCell};

use git2::{Direction, Error, ErrorCode, Oid, PushOptions, Remote, RemoteHead, Repository as BareClone};

use super::{
    forge_words::ForgeWords,
    job::{PushJob, commit_id, oid},
    outcome::PushOutcome,
};
use crate::source::git::{
    begun::tell_begun,
    connection::{Connection, Diagnosis, PUSH},
    server::Server,
};

/// Parts of what servers say when another push was faster, or is under way.
const LOST: [&str; 9] = [
    "fetch first",
    "non-fast-forward",
    "stale info",
    "failed to update ref",
    "cannot lock ref",
    "lock fail",
    "incorrect old value",
    "reference already exists",
    "but expected",
];

/// The part of what servers say when there is a branch of the name of a new one.
const EXISTS: &str = "already exists";

/// The beginning of what servers say of a ref whose pack they could not store.
const UNPACKER: &str = "unpacker error";
/// The error of libgit2 for such a pack, if the server says nothing of the ref.
const NOT_STORED: &str = "unpacking the sent packfile failed on the remote";

/// Pushes, and tells the parent before the first byte of the pack is sent.
pub(super) fn push(clone: &BareClone, server: &Server, job: &PushJob) -> Result<PushOutcome, String> {
    let connection = server.connection()?;
    Ok(Push { clone, server, job, connection }.run())
}

/// The commit that a ref of a server is at, as the service says that takes pushes.
pub(super) fn tip(clone: &BareClone, server: &Server, reference: &str) -> Result<Option<Oid>, String> {
    let connection = server.connection()?;
    ask(clone, server, reference, &connection)
        .map_err(|error| connection.explain(PUSH, &server.repository, &error).0)
}

fn ask(
    clone: &BareClone,
    server: &Server,
    reference: &str,
    connection: &Connection<'_>,
) -> Result<Option<Oid>, Error> {
    let mut remote = clone.remote_anonymous(&server.repository)?;
    let connected = remote.connect_auth(Direction::Push, Some(connection.callbacks()), None)?;
    Ok(at(connected.list()?, reference))
}

fn at(heads: &[RemoteHead<'_>], reference: &str) -> Option<Oid> {
    heads.iter().find(|head| head.name() == reference).map(RemoteHead::oid)
}

struct Push<'a> {
    clone: &'a BareClone,
    server: &'a Server,
    job: &'a PushJob,
    connection: Connection<'a>,
}

/// What was heard during a push.
#[derive(Default)]
struct Heard {
    has_begun: Cell<bool>,
    words: RefCell<ForgeWords>,
    /// The result for the ref: nothing yet, good, or the reason why not.
    result: RefCell<Option<Result<(), String>>>,
}

impl Push<'_> {
    fn run(&self) -> PushOutcome {
        let Self { clone, server, job, connection } = self;
        let unreachable = |error| self.not_begun(&error);
        let mut remote = match clone.remote_anonymous(&server.repository) {
            Ok(remote) => remote,
            Err(error) => return unreachable(error),
        };
        let callbacks = connection.callbacks();
        let mut connected = match remote.connect_auth(Direction::Push, Some(callbacks), None) {
            Ok(connected) => connected,
            Err(error) => return unreachable(error),
        };
        let there = match connected.list() {
            Ok(heads) => at(heads, &job.reference),
            Err(error) => return unreachable(error),
        };
        if there == Some(oid(job.tip)) {
            return PushOutcome::Pushed { link: None };
        }
        if !there.map_or(job.from.is_none(), |there| job.is_on_the_way(clone, there)) {
            return PushOutcome::LostRace { head: there.map(commit_id) };
        }
        let heard = Heard::default();
        let sent = self.send(connected.remote(), &heard);
        drop(connected);
        self.judge(sent, &heard, there)
    }

    fn send(&self, remote: &mut Remote<'_>, heard: &Heard) -> Result<(), Error> {
        let mut callbacks = self.connection.callbacks();
        callbacks.push_negotiation(|_| {
            tell_begun().map_err(|_| Error::from_str("the parent process has ended"))?;
            heard.has_begun.set(true);
            Ok(())
        });
        callbacks.sideband_progress(|bytes| {
            heard.words.borrow_mut().add(bytes);
            true
        });
        callbacks.push_update_reference(|name, reason| {
            if name == self.job.reference {
                heard.result.replace(Some(reason.map_or(Ok(()), |reason| Err(reason.to_owned()))));
            }
            Ok(())
        });
        let mut options = PushOptions::new();
        options.remote_callbacks(callbacks);
        // Without a plus: nothing is forced.
        remote.push(&[format!("{}:{}", self.job.tip, self.job.reference)], Some(&mut options))
    }

    fn judge(&self, sent: Result<(), Error>, heard: &Heard, there: Option<Oid>) -> PushOutcome {
        let words = heard.words.borrow();
        match (sent, heard.result.borrow().as_ref()) {
            (_, Some(Ok(()))) => PushOutcome::Pushed { link: words.link(&self.server.repository) },
            (_, Some(Err(reason))) => self.refused(&words, reason, there),
            (Ok(()), None) => self.unknown("the server did not say what became of it".to_owned()),
            (Err(error), None) if error.code() == ErrorCode::NotFastForward => {
                PushOutcome::LostRace { head: there.map(commit_id) }
            }
            (Err(error), None) if !heard.has_begun.get() => self.not_begun(&error),
            (Err(error), None) if error.message() == NOT_STORED => self.not_stored(&words),
            (Err(error), None) => {
                let Diagnosis { error, said, is_denied } = self.diagnose(&error);
                match said {
                    Some(said) if is_denied => PushOutcome::Refused { words: words.with_reason(&said) },
                    None if is_denied => PushOutcome::Unreachable { reason: error.0 },
                    _ => self.unknown(error.0),
                }
            }
        }
    }

    /// The server has not updated the ref. If it is no longer where it was, another push was faster.
    fn refused(&self, words: &ForgeWords, reason: &str, there: Option<Oid>) -> PushOutcome {
        let now = ask(self.clone, self.server, &self.job.reference, &self.connection.again());
        let now = now.unwrap_or(there);
        if reason.starts_with(UNPACKER) {
            self.not_stored(words)
        } else if now == Some(oid(self.job.tip)) {
            PushOutcome::Pushed { link: None }
        } else if now != there || self.is_taken(reason) {
            PushOutcome::LostRace { head: now.map(commit_id) }
        } else if self.job.from.is_some() && LOST.iter().any(|said| reason.contains(said)) {
            // The lock of another push, or one that a server left when it was killed: only its words tell.
            PushOutcome::NotUpdated { words: words.with_reason(reason) }
        } else {
            PushOutcome::Refused { words: words.with_reason(reason) }
        }
    }

    /// True if there is a branch of the name of a new one.
    fn is_taken(&self, reason: &str) -> bool {
        self.job.from.is_none() && reason.contains(EXISTS)
    }

    fn not_stored(&self, words: &ForgeWords) -> PushOutcome {
        let (repository, words) = (&self.server.repository, words.with_reason(UNPACKER));
        PushOutcome::Unreachable {
            reason: format!("{PUSH} {repository}: the server cannot store it: {words}"),
        }
    }

    fn not_begun(&self, error: &Error) -> PushOutcome {
        let Diagnosis { error, said, .. } = self.diagnose(error);
        match said {
            Some(said) => PushOutcome::Refused { words: ForgeWords::default().with_reason(&said) },
            None => PushOutcome::Unreachable { reason: error.0 },
        }
    }

    fn unknown(&self, reason: String) -> PushOutcome {
        PushOutcome::Unknown { commit: self.job.tip, reason }
    }

    fn diagnose(&self, error: &Error) -> Diagnosis {
        self.connection.diagnose(PUSH, &self.server.repository, error)
    }
}
