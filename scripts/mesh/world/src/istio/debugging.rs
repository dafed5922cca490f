//! What istiod shows on its node of what it knows and sends.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::http_client;
use serde_json::Value;

/// Its own default is the port that a reader of our documentation forwards, on the same node.
pub(super) const ADDRESS: &str = "127.0.0.1:15008";

/// The answer of `/debug/PAGE`.
pub(crate) async fn shows(page: &str) -> Result<Value> {
    let client = http_client()?.no_proxy().timeout(Duration::from_secs(10)).build()?;
    let answer = client.get(format!("http://{ADDRESS}/debug/{page}")).send().await?.error_for_status()?;
    serde_json::from_str(&answer.text().await?).with_context(|| format!("/debug/{page} is no JSON"))
}
