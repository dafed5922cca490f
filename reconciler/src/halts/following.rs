//! Follows what is served: the branch may have halts that are new here, or no longer have some.

use std::sync::Arc;

use super::book::Book;
use crate::{
    serving::{published::Publication, publisher::Publisher},
    shutdown::Shutdown,
};

/// Tells the book of each publication until shutdown. Some may be skipped: the newest says it all.
pub async fn follow(book: Arc<Book>, publisher: Arc<Publisher>, shutdown: Shutdown) {
    let mut newest = publisher.watch();
    loop {
        let publication = newest.borrow_and_update().clone();
        if let Publication::Serving(published) = publication {
            book.read(&published);
        }
        tokio::select! {
            changed = newest.changed() => if changed.is_err() { return },
            () = shutdown.requested() => return,
        }
    }
}
