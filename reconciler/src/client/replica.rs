//! Requests from one replica to another.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};

use super::{exchange::Client, failure::Failure};
use crate::api::{
    filters::Filters,
    peers::{PeerAnswer, REPLICA},
};

impl Client {
    /// Reads what another replica knows. `mark` is that of this process.
    pub async fn ask_replica<T: DeserializeOwned + Send + 'static>(
        &self,
        mark: &str,
        resource: &str,
        time: Duration,
    ) -> Result<PeerAnswer<T>, Failure> {
        self.heard(self.request(Method::GET, &["v1", "peer", resource], &[]).header(REPLICA, mark), time)
            .await
    }

    /// Reads which filters another replica hears.
    pub async fn filters_of_replica(&self, time: Duration) -> Result<Filters, Failure> {
        self.answer(self.request(Method::GET, &["v1", "filters"], &[("own", "true")]), time).await
    }

    /// Tells another replica something.
    pub async fn tell_replica<T: DeserializeOwned + Send + 'static>(
        &self,
        mark: &str,
        resource: &str,
        told: &impl Serialize,
        time: Duration,
    ) -> Result<PeerAnswer<T>, Failure> {
        let body = serde_json::to_vec(told).map_err(|error| self.foreign(error.to_string()))?;
        let request = self.request(Method::POST, &["v1", "peer", resource], &[]).header(REPLICA, mark);
        self.heard(request.header(CONTENT_TYPE, "application/json").body(body), time).await
    }

    /// Sends a request, and reads its answer on a thread of its own: it may be long.
    async fn heard<T: DeserializeOwned + Send + 'static>(
        &self,
        request: RequestBuilder,
        time: Duration,
    ) -> Result<T, Failure> {
        let body = self.answer_bytes(request, time).await?;
        let parsed = tokio::task::spawn_blocking(move || serde_json::from_slice(&body)).await;
        let parsed = parsed.map_err(|_| self.foreign("its answer could not be read".to_owned()))?;
        parsed.map_err(|error| self.foreign(error.to_string()))
    }
}
