//! A stand-in for the programs of cert-manager, whose modules no registry has: answers probes, and admits every
//! object. The world issues the certificates.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use harness::{TlsFront, interruption, loopback};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The ports of the probes: the webhook's and the controller's.
const PROBES: [u16; 2] = [6080, 9403];

/// The port of the webhook.
const WEBHOOK: u16 = 10250;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let everywhere = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    for port in PROBES {
        serve(everywhere(port)).await?;
    }
    let webhook = serve(loopback()).await?;
    let (certificate, key) = (Path::new("/tls.pem"), Path::new("/tls.key"));
    let _front = TlsFront::start(everywhere(WEBHOOK), certificate, key, move |_| Some(webhook)).await?;
    interruption().await
}

async fn serve(address: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        // Only a listener that breaks ends this, and then every probe shows it.
        let _ = axum::serve(listener, Router::new().fallback(answer)).await;
    });
    Ok(address)
}

/// Admits what an AdmissionReview asks for.
async fn answer(body: Bytes) -> String {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": asked.pointer("/request/uid"), "allowed": true},
    });
    answer.to_string()
}
