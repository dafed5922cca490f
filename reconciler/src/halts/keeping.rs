//! Keeps the file in Git as the book has it: adds halts that hold, and removes those that have ended.

use std::{
    future::pending,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::time::{sleep, sleep_until};
use tracing::info;

use super::{
    book::Book,
    document,
    halt::{Halt, HaltId},
};
use crate::{
    printable::printable,
    shutdown::Shutdown,
    writes::{
        file_change::{Before, Changed, Edited, FileChange},
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

/// The kinds of work. Neither waits for the other: one may fail for long.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Put,
    Remove,
}

/// The two requests to end: after the first the work is urgent, and after the second nobody halts any more.
#[derive(Debug)]
pub struct Ends {
    pub shutdown: Shutdown,
    /// The last request has been answered.
    pub drained: Shutdown,
}

/// Does the work that the book has in Git. What is left at the end is tried until nothing is written any more.
pub async fn keep(book: &Arc<Book>, writes: &Writes, ends: &Ends) {
    tokio::join!(repeat(Kind::Put, book, writes, ends), repeat(Kind::Remove, book, writes, ends));
}

/// Does one kind of work whenever there is some. After a failure it is tried again later.
async fn repeat(kind: Kind, book: &Arc<Book>, writes: &Writes, Ends { shutdown, drained }: &Ends) {
    let mut changed = book.watch();
    let mut pause = FIRST_PAUSE;
    loop {
        changed.borrow_and_update();
        // Before the look, so that a time in between is not lost.
        let (next_put, is_drained) = (book.next_put(), drained.is_requested());
        let work = book.work();
        let is_done = match kind {
            Kind::Put => work.put.is_empty(),
            Kind::Remove => work.remove.is_empty(),
        };
        if is_done {
            if is_drained {
                return;
            }
            pause = FIRST_PAUSE;
            tokio::select! {
                changed = changed.changed() => if changed.is_err() { return },
                () = until(next_put) => {}
                () = drained.requested() => {}
            }
            continue;
        }
        let done = match kind {
            Kind::Put => put(book, writes, work.put).await.inspect_err(|refusal| book.failed(refusal)),
            Kind::Remove => {
                let removed = remove(book, writes, work.remove).await;
                removed.inspect_err(|refusal| book.removal_failed(refusal))
            }
        };
        if done.is_ok() {
            pause = FIRST_PAUSE;
        } else if writes.has_ended() {
            return;
        } else if shutdown.is_requested() {
            sleep(FIRST_PAUSE).await;
        } else {
            // Whatever happens: nobody makes this one try without a pause.
            sleep(FIRST_PAUSE).await;
            tokio::select! {
                () = sleep(jittered(pause)) => {}
                // Another halt does not wait for the pause after the failure of this one.
                changed = changed.changed() => if changed.is_err() { return },
                () = shutdown.requested() => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant.into()).await,
        None => pending().await,
    }
}

/// Removes from the file what ended halts left there.
async fn remove(book: &Book, writes: &Writes, ids: Vec<HaltId>) -> Result<(), Refusal> {
    if let Changed::Pushed(commit) = writes.change_file(removal(ids.clone(), OURSELVES, Vec::new())).await? {
        info!(%commit, "removed from Git what halts that have ended left there");
    }
    book.removed(&ids);
    Ok(())
}

/// Puts halts into the file.
async fn put(book: &Arc<Book>, writes: &Writes, put: Vec<Halt>) -> Result<(), Refusal> {
    // Who halts here has shown who that is. Of others that is only said, and nobody signs in their names.
    let own = put.iter().find(|halt| book.is_own(&halt.id));
    let user = own.map_or(OURSELVES, |halt| halt.by.as_str()).to_owned();
    let Some(first) = own.or(put.first()) else { return Ok(()) };
    let subject = format!("Halt everything: {}", printable(&first.reason));
    let subject = subject.chars().take(MAX_SUBJECT).collect();
    // Those that are written: some may have ended since.
    let written = Arc::new(Mutex::new(Vec::new()));
    let (asked, taken) = (Arc::clone(book), Arc::clone(&written));
    let (last, sent) = (Arc::clone(book), Arc::clone(&written));
    let change = FileChange {
        path: document::FILE.to_owned(),
        user,
        subject,
        edit: Box::new(move |before| {
            let mut taken = lock(&taken);
            let mut put = Vec::new();
            for halt in asked.begin_put(&taken) {
                if is_removed(&asked, &halt.id, before)? {
                    info!(id = %halt.id, "the halt was removed from Git meanwhile, and is not put there again");
                } else {
                    put.push(halt);
                }
            }
            *taken = put;
            if taken.is_empty() { Ok(Edited::Dropped) } else { document::with(before.content, &taken) }
        }),
        is_wanted: Box::new(move || last.wants(&lock(&sent))),
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

/// True if the branch had a halt, and no longer has it. This replica may not have read that yet.
fn is_removed(book: &Book, id: &HaltId, Before { content, has }: Before<'_>) -> Result<bool, Refusal> {
    match book.commit_of(id) {
        Some(commit) if has(commit)? => Ok(document::lacks(content, id)),
        _ => Ok(false),
    }
}

fn lock(halts: &Mutex<Vec<Halt>>) -> MutexGuard<'_, Vec<Halt>> {
    halts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The change that removes halts from the file, and those that were written by hand for one of these reasons.
pub(super) fn removal(ids: Vec<HaltId>, user: &str, by_hand: Vec<String>) -> FileChange {
    FileChange {
        path: document::FILE.to_owned(),
        user: user.to_owned(),
        subject: "End the halt".to_owned(),
        edit: Box::new(move |before| document::without(before.content, &ids, &by_hand)),
        is_wanted: Box::new(|| true),
    }
}

/// Between half and all of a pause, so that replicas do not try again in step.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1_000;
    pause.mul_f64(0.5 + random as f64 / 2_000.0)
}
