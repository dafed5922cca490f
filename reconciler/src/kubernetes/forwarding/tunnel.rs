//! A socket on this machine, whose connections are carried to a replica.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
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
use crate::client::{Way, WayFailure};

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
type Failure = Arc<Mutex<Option<WayFailure>>>;

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
        // The connections that are carried now.
        let open = Arc::new(AtomicUsize::new(0));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (replicas, failed) = (Arc::clone(&of_tasks), Arc::clone(&failed));
                tokio::spawn(carry(stream, first.take(), replicas, failed, Arc::clone(&open)));
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
async fn carry(
    mut stream: UnixStream,
    reached: Option<Reached>,
    replicas: Arc<Replicas>,
    failure: Failure,
    open: Arc<AtomicUsize>,
) {
    let reached = match reached {
        Some(reached) => Ok(reached),
        None => replicas.connect().await,
    };
    let Reached { pod, mut forward } = match reached {
        Ok(reached) => reached,
        // The request may be on another connection.
        Err(why) => {
            let may_have_arrived = open.load(Ordering::SeqCst) > 0;
            return note(&failure, Some(WayFailure { reason: why.to_string(), may_have_arrived }));
        }
    };
    note(&failure, None);
    let Some(mut there) = forward.stream() else { return };
    let others = open.fetch_add(1, Ordering::SeqCst);
    tokio::select! {
        // Either side may end without a farewell.
        ended = copy_bidirectional(&mut stream, &mut there) => {
            if matches!(ended, Ok((1.., 0)) | Err(_)) {
                replicas.avoid(pod);
            }
        }
        why = forward.failure() => {
            // Later reasons are of a connection that was there.
            let may_have_arrived = others > 0 || !why.contains("connection refused");
            let reason = format!("the pod {pod} cannot be reached: {}", why.trim());
            note(&failure, Some(WayFailure { reason, may_have_arrived }));
            replicas.avoid(pod);
        }
    }
    open.fetch_sub(1, Ordering::SeqCst);
}

fn note(failure: &Failure, why: Option<WayFailure>) {
    *failure.lock().unwrap_or_else(PoisonError::into_inner) = why;
}

impl Way for Tunnel {
    fn socket(&self) -> &Path {
        &self.socket
    }

    fn failure(&self) -> Option<WayFailure> {
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
