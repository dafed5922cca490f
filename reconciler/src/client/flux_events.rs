//! Events for Flux's notification-controller: no Event of Kubernetes reaches an Alert.

use std::time::Duration;

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::Value;

use super::{exchange::Client, failure::Failure};

/// The longest time for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Client {
    /// Tells of an event, to the URL of the server itself.
    pub async fn tell_flux(&self, event: &Value) -> Result<(), Failure> {
        let request = self.request(Method::POST, &[], &[]).header(CONTENT_TYPE, "application/json");
        self.answer_bytes(request.body(event.to_string()), PATIENCE).await.map(drop)
    }
}
