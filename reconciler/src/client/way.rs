//! A way to a server to which its URL does not lead.

use std::{fmt::Debug, path::Path};

/// A way to a server by a Unix socket. Others cannot read what is sent over it.
pub trait Way: Debug + Send + Sync {
    fn socket(&self) -> &Path;

    /// The reason why the last connection did not reach the server, if it did not.
    fn failure(&self) -> Option<WayFailure>;
}

/// The failure of a connection.
#[derive(Clone, Debug)]
pub struct WayFailure {
    pub reason: String,
    /// False if it is sure that no byte got through.
    pub may_have_arrived: bool,
}
