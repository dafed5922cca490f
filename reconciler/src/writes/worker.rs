//! The one thread that writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use policies::language::PolicyName;
use tracing::debug;

use super::{
    branch::Branch,
    edit::{Draft, Edit, Plan},
    file_change::Waiting,
    memory::Memory,
    outcome::Refusal,
    pending::Pending,
    settings::Settings,
    standing::Standing,
    unsettled::Unsettled,
};
use crate::{
    clock::now,
    source::{
        SourceError,
        ancestry::CommitId,
        git::DocumentHistory,
        writing::{Author, Writer},
    },
    sync::{loader::Loader, requests::Syncs},
};

/// The most requests that share a push.
const MAX_BATCH: usize = 64;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Message {
    Write(Box<Pending>),
    Change(Box<Waiting>),
    /// Nothing more comes.
    Stop,
}

/// The writer, and what it knows of the branch.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) writer: Writer,
    pub(super) history: DocumentHistory,
    pub(super) settings: Settings,
    pub(super) syncs: Arc<Syncs>,
    pub(super) unsettled: Unsettled,
    pub(super) memory: Memory,
    /// The policies that this round of requests has written.
    pub(super) written: BTreeSet<PolicyName>,
    loader: Loader,
    branch: Option<Branch>,
    /// The policy directory.
    directory: String,
}

impl Worker {
    pub(super) fn new(settings: Settings, syncs: Arc<Syncs>, memory: Memory) -> Result<Self, SourceError> {
        let writer = Writer::open(settings.writer.clone())?;
        Ok(Self {
            history: writer.history(),
            writer,
            directory: settings.writer.path.to_string_lossy().into_owned(),
            loader: Loader::new(settings.server.clone()),
            settings,
            syncs,
            unsettled: Unsettled::default(),
            memory,
            written: BTreeSet::new(),
            branch: None,
        })
    }

    /// Writes what comes, until the end.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let first = match self.unsettled.next_look() {
                Some(pause) => messages.recv_timeout(pause),
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let (mut pending, mut changes) = (Vec::new(), Vec::new());
            match first {
                Ok(Message::Write(first)) => pending.push(*first),
                Ok(Message::Change(first)) => changes.push(*first),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let mut is_last = false;
            while pending.len() < MAX_BATCH {
                match messages.try_recv() {
                    Ok(Message::Write(more)) => pending.push(*more),
                    Ok(Message::Change(more)) => changes.push(*more),
                    Ok(Message::Stop) => {
                        is_last = true;
                        break;
                    }
                    Err(_) => break,
                }
            }
            // First, since they are few, and stop things.
            changes.into_iter().for_each(|change| self.change_file(change));
            self.written.clear();
            let mut again = self.settle(&pending);
            again.extend(self.still_unknown(pending));
            self.batch(again);
            if is_last {
                return;
            }
            if self.unsettled.next_look().is_none() {
                // It may take long, so not while somebody waits; who comes now waits for little.
                self.writer.tidy();
            }
        }
    }

    /// The newest state of the branch.
    pub(super) fn read(&mut self) -> Result<Branch, SourceError> {
        let Self { writer, loader, branch, settings, .. } = self;
        if let Some(reading) = writer.read(|blob| loader.knows(blob))? {
            let read = loader.read(reading)?;
            let commit = CommitId::of_revision(read.checkout.revision.as_str());
            let commit = commit.ok_or_else(|| SourceError("the branch has no commit".to_owned()))?;
            debug!(%commit, "read the branch to write to it");
            *branch = Some(Branch::new(commit, read, &settings.server));
        }
        branch.clone().ok_or_else(|| SourceError("the branch was not read".to_owned()))
    }

    /// The plan of a request, on the branch with the changes of those before it. If in `head`, the branch as it was read,
    /// the policies that it concerns are no longer as they were when it was planned first, somebody else has changed
    /// them.
    pub(super) fn plan(
        &self,
        head: &Branch,
        branch: &Branch,
        pending: &mut Pending,
    ) -> Result<Plan, Refusal> {
        let order = &pending.order;
        order.in_time()?;
        let names = order.names();
        let standing = Standing::of(&self.writer, head, &names)?;
        let prints: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), standing.print(name))).collect();
        let first_seen = &mut pending.first_seen;
        let changed =
            prints.iter().find(|(name, now)| first_seen.get(name).is_some_and(|first| first != *now));
        let changed = changed.map(|(name, _)| name.clone());
        for (name, now) in prints {
            first_seen.entry(name).or_insert(now);
        }
        let standing = match branch.commit == head.commit {
            true => standing,
            false => Standing::of(&self.writer, branch, &names)?,
        };
        let edit = Edit {
            writer: &self.writer,
            history: &self.history,
            directory: &self.directory,
            branch,
            standing: &standing,
            order: &pending.order,
            now: now(),
            draft: Draft::default(),
        };
        let plan = edit.plan();
        match plan {
            // It is already as it was asked for.
            Ok(plan) if plan.is_nothing() => Ok(plan),
            plan => match changed {
                Some(name) => Err(self.changed_meanwhile(head, &name)),
                None => plan,
            },
        }
    }

    fn changed_meanwhile(&self, branch: &Branch, name: &PolicyName) -> Refusal {
        let by = super::history::last_change(&self.history, branch.commit, name);
        let by = by.map(|commit| format!(" by {commit}")).unwrap_or_default();
        Refusal::Conflict(format!(
            "the policy `{name}` was changed meanwhile{by}; look at it, and send it again"
        ))
    }

    /// The author of the commit of a user.
    pub(super) fn author(&self, user: &str) -> Result<Author, Refusal> {
        match &self.settings.author {
            Some(author) => Ok(author.clone()),
            // A name that begins or ends with a dash is one that Git keeps.
            None => Author::new(user, &format!("{user}@hfi")).map_err(Refusal::Unprocessable),
        }
    }

    /// The path in the repository of a file below the policy directory.
    pub(super) fn below_directory(&self, path: &str) -> String {
        if self.directory.is_empty() { path.to_owned() } else { format!("{}/{path}", self.directory) }
    }
}

/// The pause before an attempt, between half and all of a time that doubles.
pub(super) fn jittered(attempt: u32) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let most = 20_u64.saturating_mul(1 << attempt.min(5));
    let random = RandomState::new().hash_one(attempt) % (most / 2 + 1);
    Duration::from_millis(most / 2 + random)
}
