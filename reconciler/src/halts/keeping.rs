//! Keeps the file in Git as the book has it: adds halts that hold, and removes those that have ended.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::sleep;
use tracing::info;

use super::{
    book::{Book, Work},
    document,
    halt::{Halt, HaltId},
};
use crate::{
    access::rights::UserName,
    printable::printable,
    shutdown::Shutdown,
    writes::{
        file_change::{Changed, Edited, FileChange},
        outcome::Refusal,
        queue::Writes,
    },
};

/// The pause after the first failure. It doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The author of what nobody asked for.
const OURSELVES: &str = "hfi";
/// The longest subject, in characters.
const MAX_SUBJECT: usize = 200;

/// Does the work that the book has in Git until shutdown.
pub async fn keep(book: Arc<Book>, writes: Arc<Writes>, shutdown: Shutdown) {
    let mut changed = book.watch();
    let mut pause = FIRST_PAUSE;
    loop {
        changed.borrow_and_update();
        let work = book.work();
        if work == Work::default() {
            pause = FIRST_PAUSE;
            tokio::select! {
                changed = changed.changed() => if changed.is_err() { return },
                () = shutdown.requested() => return,
            }
            continue;
        }
        let done = tokio::select! {
            done = step(&book, &writes, work) => done,
            () = shutdown.requested() => return,
        };
        match done {
            Ok(()) => pause = FIRST_PAUSE,
            Err(refusal) => {
                book.failed(&refusal);
                tokio::select! {
                    () = sleep(jittered(pause)) => {}
                    () = shutdown.requested() => return,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Tries once. What ended halts left behind goes first.
async fn step(book: &Arc<Book>, writes: &Writes, Work { put, remove }: Work) -> Result<(), Refusal> {
    if !remove.is_empty() {
        let change = removal(remove.clone(), OURSELVES, false);
        if let Changed::Pushed(commit) = writes.change_file(change).await? {
            info!(%commit, "removed from Git what halts that have ended left there");
        }
        book.removed(&remove);
        return Ok(());
    }
    let Some(first) = put.first() else { return Ok(()) };
    // A halt may come from elsewhere.
    let user = UserName::parse(&first.by).map_or(OURSELVES, |_| first.by.as_str()).to_owned();
    let subject = format!("Halt everything: {}", printable(&first.reason));
    let subject = subject.chars().take(MAX_SUBJECT).collect();
    // Those that are written: some may have ended since.
    let written = Arc::new(Mutex::new(Vec::new()));
    let (asked, taken, last) = (Arc::clone(book), Arc::clone(&written), Arc::clone(book));
    let change = FileChange {
        path: document::FILE.to_owned(),
        user,
        subject,
        edit: Box::new(move |content| {
            let halts = asked.work().put;
            lock(&taken).clone_from(&halts);
            Ok(if halts.is_empty() { Edited::Dropped } else { document::with(content, &halts) })
        }),
        is_wanted: Box::new(move || !last.work().put.is_empty()),
    };
    let changed = writes.change_file(change).await?;
    let written = std::mem::take(&mut *lock(&written));
    match changed {
        Changed::Already(commit) | Changed::Pushed(commit) => {
            info!(%commit, "the halt is in Git");
            book.pushed(&written, commit);
        }
        Changed::Proposed { branch } => book.proposed(&written, &branch),
        Changed::Dropped => {}
    }
    Ok(())
}

fn lock(halts: &Mutex<Vec<Halt>>) -> MutexGuard<'_, Vec<Halt>> {
    halts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The change that removes halts from the file.
pub(super) fn removal(ids: Vec<HaltId>, user: &str, by_hand: bool) -> FileChange {
    FileChange {
        path: document::FILE.to_owned(),
        user: user.to_owned(),
        subject: "End the halt".to_owned(),
        edit: Box::new(move |content| document::without(content, &ids, by_hand)),
        is_wanted: Box::new(|| true),
    }
}

/// Between half and all of a pause, so that replicas do not try again in step.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1_000;
    pause.mul_f64(0.5 + random as f64 / 2_000.0)
}
