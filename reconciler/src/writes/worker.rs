//! The one thread that writes.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use policies::language::PolicyName;

use super::{
    branch::Branch, file_change::Waiting, memory::Memory, outcome::Refusal, pending::Pending,
    settings::Settings, unsettled::Unsettled,
};
use crate::{
    serving::publisher::Publisher,
    source::{
        SourceError,
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
    pub(super) settings: Settings,
    pub(super) syncs: Arc<Syncs>,
    pub(super) unsettled: Unsettled,
    pub(super) memory: Memory,
    /// The policies that this round of requests has written.
    pub(super) written: BTreeSet<PolicyName>,
    pub(super) publisher: Arc<Publisher>,
    /// True while nobody else seems to push: the last fetch found the branch where this replica had left it, and no push
    /// has lost a race since.
    pub(super) is_alone: bool,
    pub(super) loader: Loader,
    /// The branch as it was read last.
    pub(super) branch: Option<Branch>,
    /// The policy directory.
    pub(super) directory: String,
}

impl Worker {
    pub(super) fn new(
        settings: Settings,
        publisher: Arc<Publisher>,
        syncs: Arc<Syncs>,
        memory: Memory,
    ) -> Result<Self, SourceError> {
        let writer = Writer::open(settings.writer.clone())?;
        Ok(Self {
            writer,
            directory: settings.writer.path.to_string_lossy().into_owned(),
            loader: Loader::new(settings.server.clone()),
            settings,
            syncs,
            publisher,
            is_alone: false,
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
