//! A client that may leave before its answer.

use tokio::sync::watch;

/// Held while the client is there.
#[derive(Debug)]
pub struct Here(#[expect(dead_code, reason = "dropped, it tells")] watch::Sender<()>);

/// Tells that the client has left.
#[derive(Debug)]
pub struct Left(watch::Receiver<()>);

/// Both sides.
pub fn client() -> (Here, Left) {
    let (here, left) = watch::channel(());
    (Here(here), Left(left))
}

impl Left {
    /// True if the client has left.
    pub fn has_left(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// Waits until the client has left.
    pub async fn left(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
