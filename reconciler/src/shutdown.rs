//! The wish to end, which everything that waits can wait for.

use tokio::sync::watch;

/// Hears of the wish.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Utters it. Dropped, it has uttered it.
#[derive(Debug)]
pub struct Trigger(watch::Sender<bool>);

/// A wish that nobody has uttered yet.
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

    /// Waits until the end is wished for.
    pub async fn requested(&mut self) {
        // An error means that the trigger is gone, and with it whoever could still want to go on.
        let _ = self.0.wait_for(|requested| *requested).await;
    }
}
