//! Keeps halts where they outlive the process: on disk, and in Git where that is possible.

use std::sync::Arc;

use super::{
    book::Book,
    keeping::{self, Ends},
    storing,
};
use crate::writes::queue::Writes;

/// Runs until nobody halts any more, and until all halts are where they belong.
pub async fn run(book: Arc<Book>, writes: Option<Arc<Writes>>, ends: Ends) {
    let keeping = async {
        match writes {
            Some(writes) => keeping::keep(&book, &writes, &ends).await,
            None => ends.drained.requested().await,
        }
        book.until_saved().await;
    };
    tokio::select! {
        () = storing::store(Arc::clone(&book)) => {}
        () = keeping => {}
    }
}
