//! A client for servers on this machine.

use std::sync::Arc;

use anyhow::Result;
use reqwest::ClientBuilder;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};

/// The beginning of a client that speaks clear text. `reqwest` wants to be told of a TLS all the same, since the
/// reconciler uses its TLS with a cryptography of its own choice; this one trusts nobody, and reads nothing.
pub fn http_client() -> Result<ClientBuilder> {
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?;
    let tls = tls.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls))
}
