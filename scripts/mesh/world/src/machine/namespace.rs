//! Network namespaces that a thread enters.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// Moves the calling thread into a network namespace.
pub(super) fn enter(namespace: &File) -> Result<()> {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
        .context("entering a namespace")
}

/// Does work in a network namespace, on a thread of its own. The calling thread stays where it is.
pub(crate) async fn inside<T: Send + 'static>(
    namespace: &Path,
    work: impl AsyncFnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let file = File::open(namespace).with_context(|| format!("opening {}", namespace.display()))?;
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let outcome = enter(&file)
            .and_then(|()| Ok(Builder::new_current_thread().enable_all().build()?))
            .and_then(|runtime| runtime.block_on(work()));
        // Whoever asked may have gone.
        let _ = sender.send(outcome);
    });
    receiver.await.context("the work in a namespace has panicked")?
}
