//! TLS: the certificate of the server, which may be renewed on disk at any time. The one file that names
//! `rustls`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use policies::Digest;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, InconsistentKeys, ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};
use tracing::{info, warn};

use crate::{io_reason::io_reason, shutdown::Shutdown};

/// The time between two reads of the files. They are not watched: the events depend on how they are mounted.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// The files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and its intermediate certificates, in PEM.
    pub certificates: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// Secures connections with the last good certificate.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
    files: CertificateFiles,
    /// The files as they were read last.
    seen: Digest,
}

/// The certificate that clients are shown.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

/// The reason why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{path}: cannot be read: {reason}", reason = io_reason(error))]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{0}: holds no certificate in PEM")]
    NoCertificate(PathBuf),
    #[error("{0}: holds no private key in PEM that is not encrypted")]
    NoKey(PathBuf),
    #[error("{key}: is not the key of the certificate in {certificates}")]
    Mismatch { key: PathBuf, certificates: PathBuf },
    #[error("{certificates}: cannot be used")]
    Unusable { certificates: PathBuf, source: rustls::Error },
}

impl Tls {
    /// Reads the files. Any problem at the start is an error.
    pub fn open(files: CertificateFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let content = files.read()?;
        let shown = Arc::new(Shown(RwLock::new(content.certified(&files, &provider)?)));
        let unusable = |source| TlsError::Unusable { certificates: files.certificates.clone(), source };
        let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let resolver = Arc::clone(&shown);
        let mut config = versions.map_err(unusable)?.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let (acceptor, seen) = (TlsAcceptor::from(Arc::new(config)), content.digest());
        Ok(Self { acceptor, shown, files, seen })
    }

    /// Secures connections; it follows the certificate.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Follows the files, and uses each new good pair.
    pub async fn follow(mut self, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(CHECK_INTERVAL) => {}
                () = shutdown.requested() => return,
            }
            // A disk may hang.
            let checked = tokio::task::spawn_blocking(move || {
                self.check();
                self
            });
            let Ok(tls) = checked.await else { return };
            self = tls;
        }
    }

    fn check(&mut self) {
        let provider = self.acceptor.config().crypto_provider();
        let renewed = self.files.read().map(|content| (content.digest(), content));
        let renewed = match renewed {
            Ok((digest, _)) if digest == self.seen => return,
            Ok((digest, content)) => {
                self.seen = digest;
                content.certified(&self.files, provider)
            }
            Err(error) => {
                // Once: until there is something to read again.
                let gone = Digest::of(b"");
                if std::mem::replace(&mut self.seen, gone) == gone {
                    return;
                }
                Err(error)
            }
        };
        match renewed {
            Ok(certified) => {
                *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
                info!(file = %self.files.certificates.display(), "the certificate was renewed");
            }
            Err(error) => warn!(
                "the certificate stays what it was: {:#}",
                anyhow::Error::new(error).context("its renewal is refused")
            ),
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The content of the files.
struct Content {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl CertificateFiles {
    fn read(&self) -> Result<Content, TlsError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|error| TlsError::Unreadable { path: path.to_owned(), error })
        };
        Ok(Content { certificates: read(&self.certificates)?, key: read(&self.key)? })
    }
}

impl Content {
    fn digest(&self) -> Digest {
        Digest::of_parts([self.certificates.as_slice(), &self.key])
    }

    /// The pair, if certificate and key belong together. A parser's error may quote the files, so it is not shown.
    fn certified(
        &self,
        files: &CertificateFiles,
        provider: &CryptoProvider,
    ) -> Result<Arc<CertifiedKey>, TlsError> {
        let CertificateFiles { certificates, key } = files;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificates).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| TlsError::NoCertificate(certificates.clone()))?;
        let secret = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| TlsError::NoKey(key.clone()))?;
        let certified = CertifiedKey::from_der(chain, secret, provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::Mismatch { key: key.clone(), certificates: certificates.clone() }
            }
            source => TlsError::Unusable { certificates: certificates.clone(), source },
        });
        certified.map(Arc::new)
    }
}
