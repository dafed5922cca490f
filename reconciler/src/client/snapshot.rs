//! The snapshot that a server answers a filter with.

use policies::{
    Scope, Snapshot,
    wire::poll::{ACCEPT, PATH},
};

use super::{exchange::Client, failure::Failure};

impl Client {
    /// The snapshot of a scope, as it is now.
    pub async fn snapshot(&self, scope: &Scope) -> Result<Snapshot, Failure> {
        let path: Vec<_> = PATH.split('/').filter(|part| !part.is_empty()).collect();
        let body = self.get_bytes(&path, &scope.names().collect::<Vec<_>>(), ACCEPT).await?;
        Snapshot::decode(&body).map_err(|error| self.foreign(error.to_string()))
    }
}
