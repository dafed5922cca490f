//! The request to shut down, for everything that waits.

use tokio::sync::watch;

/// Receives the request to shut down.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Requests the shutdown when asked to, and when it is dropped.
#[derive(Debug)]
pub struct Trigger(watch::Sender<bool>);

/// A shutdown that is not requested yet.
pub fn channel() -> (Trigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Trigger(sender), Shutdown(receiver))
}

impl Trigger {
    pub fn request(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Waits until the shutdown is requested.
    pub async fn requested(&mut self) {
        // An error means that the trigger was dropped.
        let _ = self.0.wait_for(|requested| *requested).await;
    }
}
