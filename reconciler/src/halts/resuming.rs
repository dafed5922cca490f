//! The end of all halts by HTTP.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::{info, warn};

use super::{
    book::Book,
    halt::HaltId,
    keeping::removal,
    standing::{beside, standing},
};
use crate::{
    serving::{published::Publication, publisher::Publisher},
    source::ancestry::CommitId,
    writes::{file_change::Changed, outcome::Refusal, queue::Writes},
};

/// The time for which the removal may take to be fetched. After that the halts end when the branch is read.
const FETCHED: Duration = Duration::from_secs(10 * 60);

/// Ends all halts that hold. What was committed of them is removed from the branch first, and that is fetched. A
/// refusal says where the halt stands: nothing is resumed then.
///
/// It is to be run to its end, whoever waits for it.
pub async fn resume(
    book: Arc<Book>,
    writes: Arc<Writes>,
    publisher: Arc<Publisher>,
    user: String,
) -> Result<(), Refusal> {
    let mut by_hand = Vec::new();
    if let Publication::Serving(published) = publisher.publication() {
        // One that somebody writes from now on is another one.
        by_hand = beside(&published, &book);
        let standing = standing(&published, &book);
        if !standing.is_empty() {
            let reason = format!("everything stays halted by {}; remove that first", standing.join(", "));
            return Err(Refusal::Conflict(reason));
        }
    }
    let ids = book.begin_end();
    // Those that have ended as well: somebody may have put them back.
    let removed = ids.iter().cloned().chain(book.ended()).collect();
    let changed = writes.change_file(removal(removed, &user, by_hand)).await;
    if let Ok(Changed::Pushed(commit) | Changed::Already(commit)) = changed {
        book.lacks_ended(commit);
    }
    let commit = match changed {
        Ok(Changed::Pushed(commit)) => Some(commit),
        Ok(Changed::Already(commit)) => (book.has_in_git(&ids) || book.awaits()).then_some(commit),
        Ok(Changed::Proposed { branch }) => {
            let reason = format!("until the branch `{branch}`, which removes the halt, is merged");
            return Err(stays(&book, &ids, Refusal::Conflict(still_halted(&reason))));
        }
        Ok(Changed::Dropped) => {
            return Err(stays(&book, &ids, Refusal::Unavailable(still_halted("for now"))));
        }
        // They end if it is in, and another halt does not.
        Err(Refusal::Unknown { commit }) => {
            warn!(%commit, "it is not known whether the removal of the halt is in the branch");
            book.end_is_unknown(&ids);
            return Err(Refusal::Unavailable(still_halted(&format!(
                "until it is known whether commit {commit}, which removes the halt, is in the branch; send this again"
            ))));
        }
        Err(Refusal::Unavailable(reason)) => {
            let reason = still_halted(&format!("since the halt cannot be removed from Git now: {reason}"));
            return Err(stays(&book, &ids, Refusal::Unavailable(reason)));
        }
        Err(refusal) => {
            let reason = format!("since the halt cannot be removed from Git: {}", refusal.reason());
            return Err(stays(&book, &ids, Refusal::Conflict(still_halted(&reason))));
        }
    };
    if let Some(commit) = commit {
        fetched(&book, &ids, &writes, commit).await?;
    }
    book.end(&ids, commit);
    info!(user, "resumed");
    // What the disk does not have after that, the next process reads in Git.
    book.until_saved().await;
    Ok(())
}

/// Waits until a commit is served.
async fn fetched(book: &Book, ids: &[HaltId], writes: &Writes, commit: CommitId) -> Result<(), Refusal> {
    if writes.until_served(commit, Instant::now() + FETCHED).await {
        return Ok(());
    }
    book.end_is_unknown(ids);
    let reason = format!("until commit {commit}, which removes the halt, is fetched; see /v1/ready");
    Err(Refusal::Unavailable(still_halted(&reason)))
}

fn still_halted(why: &str) -> String {
    format!("everything stays halted {why}")
}

/// The halts go on as before.
fn stays(book: &Book, ids: &[HaltId], refusal: Refusal) -> Refusal {
    book.cancel_end(ids);
    refusal
}
