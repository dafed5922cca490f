//! TLS in front of servers that speak without it, for many hosts at one address.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct TlsFront {
    task: JoinHandle<()>,
}

impl TlsFront {
    /// Listens with a certificate, and leads each connection to the server that `route` finds for the name that
    /// the client asks for. It closes what has none.
    pub async fn start(
        address: SocketAddr,
        certificate: &Path,
        key: &Path,
        route: impl Fn(&str) -> Option<SocketAddr> + Send + Sync + 'static,
    ) -> Result<Self> {
        let certificates =
            CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates = certificates.with_context(|| certificate.display().to_string())?;
        let key = PrivateKeyDer::from_pem_file(key).with_context(|| key.display().to_string())?;
        let configuration = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates, key)?;
        let acceptor = TlsAcceptor::from(Arc::new(configuration));
        let listener = TcpListener::bind(address).await.with_context(|| format!("listening at {address}"))?;
        let route = Arc::new(route);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (acceptor, route) = (acceptor.clone(), Arc::clone(&route));
                tokio::spawn(async move {
                    // A connection that fails shows at the client.
                    let _ = lead(&acceptor, connection, &*route).await;
                });
            }
        });
        Ok(Self { task })
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn lead(
    acceptor: &TlsAcceptor,
    connection: TcpStream,
    route: &(dyn Fn(&str) -> Option<SocketAddr> + Send + Sync),
) -> Result<()> {
    let mut connection = acceptor.accept(connection).await?;
    let name = connection.get_ref().1.server_name().unwrap_or_default();
    let server = route(name).with_context(|| format!("no server for {name:?}"))?;
    copy_bidirectional(&mut connection, &mut TcpStream::connect(server).await?).await?;
    Ok(())
}
