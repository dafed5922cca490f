//! A socket on this machine, whose connections are carried to a replica.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

use super::{
    ForwardError,
    replicas::{Reached, Replicas},
};
use crate::client::Way;

/// A way to the replicas of a Service. Each connection goes to a replica that is ready then, so a client whose replica
/// is gone connects again and reaches another. Ends when it is dropped.
pub struct Tunnel {
    replicas: Arc<Replicas>,
    socket: PathBuf,
    failure: Failure,
    accepting: JoinHandle<()>,
    _directory: TempDir,
}

/// The reason why the last connection reached no replica.
type Failure = Arc<Mutex<Option<String>>>;

impl Tunnel {
    /// Connects to a replica, and begins to listen.
    pub(super) async fn start(replicas: Replicas) -> Result<Self, ForwardError> {
        let mut first = Some(replicas.connect().await?);
        // Only its owner can enter it.
        let directory = tempfile::tempdir()?;
        let socket = directory.path().join("hfi");
        let listener = UnixListener::bind(&socket)?;
        let (replicas, failure) = (Arc::new(replicas), Failure::default());
        let (of_tasks, failed) = (Arc::clone(&replicas), Arc::clone(&failure));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, first.take(), Arc::clone(&of_tasks), Arc::clone(&failed)));
            }
        });
        Ok(Self { replicas, socket, failure, accepting, _directory: directory })
    }

    /// The URL by which the Service is known in the cluster.
    pub fn url(&self) -> &str {
        &self.replicas.url
    }
}

/// Carries a connection to a replica, until either side ends it.
async fn carry(mut stream: UnixStream, reached: Option<Reached>, replicas: Arc<Replicas>, failure: Failure) {
    let reached = match reached {
        Some(reached) => Ok(reached),
        None => replicas.connect().await,
    };
    let Reached { pod, mut forward } = match reached {
        Ok(reached) => reached,
        Err(why) => return note(&failure, Some(why.to_string())),
    };
    note(&failure, None);
    let Some(mut there) = forward.stream() else { return };
    tokio::select! {
        // Either side may end without a farewell.
        ended = copy_bidirectional(&mut stream, &mut there) => {
            if matches!(ended, Ok((1.., 0)) | Err(_)) {
                replicas.avoid(pod);
            }
        }
        why = forward.failure() => {
            note(&failure, Some(format!("the pod {pod} cannot be reached: {}", why.trim())));
            replicas.avoid(pod);
        }
    }
}

fn note(failure: &Failure, why: Option<String>) {
    *failure.lock().unwrap_or_else(PoisonError::into_inner) = why;
}

impl Way for Tunnel {
    fn socket(&self) -> &Path {
        &self.socket
    }

    fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").field("url", &self.url()).finish_non_exhaustive()
    }
}
