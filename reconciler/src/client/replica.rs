//! Requests from one replica to another.

use std::time::Duration;

use reqwest::{Method, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};

use super::{exchange::Client, failure::Failure};
use crate::api::{
    filters::Filters,
    peers::{PeerAnswer, REPLICA},
};

impl Client {
    /// Reads what another replica knows. `id` is that of this process.
    pub async fn ask_replica<T: DeserializeOwned>(
        &self,
        id: &str,
        resource: &str,
        time: Duration,
    ) -> Result<PeerAnswer<T>, Failure> {
        self.answer(self.request(Method::GET, &["v1", "peer", resource], &[]).header(REPLICA, id), time).await
    }

    /// Reads which filters another replica hears.
    pub async fn filters_of_replica(&self, time: Duration) -> Result<Filters, Failure> {
        self.answer(self.request(Method::GET, &["v1", "filters"], &[("own", "true")]), time).await
    }

    /// Tells another replica something.
    pub async fn tell_replica<T: DeserializeOwned>(
        &self,
        id: &str,
        resource: &str,
        told: &impl Serialize,
        time: Duration,
    ) -> Result<PeerAnswer<T>, Failure> {
        let body = serde_json::to_vec(told).map_err(|error| self.foreign(error.to_string()))?;
        let request = self.request(Method::POST, &["v1", "peer", resource], &[]).header(REPLICA, id);
        self.answer(request.header(CONTENT_TYPE, "application/json").body(body), time).await
    }
}
