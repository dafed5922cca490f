//! Ctrl-C at a command that has something to say then.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The wish of the user to end the command. Without one of these, Ctrl-C ends it at once.
#[derive(Debug)]
pub(crate) struct Interrupt(Option<Signal>);

impl Interrupt {
    /// Notes every Ctrl-C from now on.
    pub(crate) fn new() -> Self {
        Self(signal(SignalKind::interrupt()).ok())
    }

    /// The value of a future; `None` if the user wishes to end first.
    pub(crate) async fn unless<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        let Some(signal) = &mut self.0 else { return Some(future.await) };
        tokio::select! {
            value = future => Some(value),
            Some(()) = signal.recv() => None,
        }
    }
}
