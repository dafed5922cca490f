//! Keeps the halts on disk as the book has them.

use std::{sync::Arc, time::Duration};

use tokio::{task::spawn_blocking, time::sleep};

use super::book::Book;

/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// Stores each change until it is dropped. Nobody else waits for a disk that hangs.
pub(super) async fn store(book: Arc<Book>) {
    let mut changed = book.watch();
    loop {
        changed.borrow_and_update();
        let saved = Arc::clone(&book);
        // A panic there is logged, and leaves the book whole.
        if spawn_blocking(move || saved.save()).await.unwrap_or(false) {
            if changed.changed().await.is_err() {
                return;
            }
        } else {
            sleep(PAUSE).await;
        }
    }
}
