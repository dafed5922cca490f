//! The trusted certificates.
//!
//! As for git, any certificate can be an anchor: a root, an intermediate, or the very certificate of the server,
//! even one that says that it is an authority, as those do that `openssl req -x509` makes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};

use crate::{failure::Failure, tls_failure};

/// TLS that trusts the certificates of a file, or the system's. They are read at once if they are `needed`, else when
/// a server shows its certificate.
pub(crate) fn configuration(authorities: Option<PathBuf>, needed: bool) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier { authorities, provider: Arc::clone(&provider), trusted: OnceLock::new() };
    if needed {
        verifier.trusted()?;
    }
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|_| Failure::Setup("TLS 1.2 and 1.3 are missing"))?.dangerous();
    Ok(builder.with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// The usual rules, and one more for the certificates that are trusted themselves.
#[derive(Debug)]
struct Verifier {
    authorities: Option<PathBuf>,
    provider: Arc<CryptoProvider>,
    trusted: OnceLock<Result<Trusted, Failure>>,
}

#[derive(Debug)]
struct Trusted {
    chains: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Verifier {
    fn trusted(&self) -> Result<&Trusted, Failure> {
        self.trusted.get_or_init(|| self.read()).as_ref().map_err(Clone::clone)
    }

    fn read(&self) -> Result<Trusted, Failure> {
        let (certificates, missing) = match &self.authorities {
            Some(file) => {
                let reason = "holds no certificate in PEM form".to_owned();
                (of_file(file)?, Failure::CaFile { file: file.clone(), reason })
            }
            None => (rustls_native_certs::load_native_certs().certs, Failure::NoAuthorities),
        };
        let mut anchors = RootCertStore::empty();
        anchors.add_parsable_certificates(certificates.iter().cloned());
        // It refuses to trust nobody.
        let chains =
            WebPkiServerVerifier::builder_with_provider(anchors.into(), Arc::clone(&self.provider)).build();
        Ok(Trusted { chains: chains.map_err(|_| missing)?, certificates })
    }
}

fn of_file(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let wrong = |reason: String| Failure::CaFile { file: file.to_owned(), reason };
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "cannot be read: it does not exist",
        io::ErrorKind::PermissionDenied => "cannot be read: permission is denied; check its owner and mode",
        _ => "cannot be read",
    };
    let text = fs::read(file).map_err(|error| wrong(unreadable(error).to_owned()))?;
    let all: Result<_, _> = CertificateDer::pem_slice_iter(&text).collect();
    all.map_err(|_| wrong("is damaged: it is not a list of certificates in PEM form".to_owned()))
}

/// True if nothing is wrong with a certificate but its chain. The rules look at its dates before they look at that.
fn is_of_chain(error: &Error) -> bool {
    let Error::InvalidCertificate(error) = error else { return false };
    let is_authority = |error: &webpki::Error| matches!(error, webpki::Error::CaUsedAsEndEntity);
    matches!(error, CertificateError::UnknownIssuer) || tls_failure::is(error, is_authority)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // It is found again behind the error of the handshake.
        let hidden = |failure| CertificateError::Other(OtherError(Arc::new(failure)));
        let Trusted { chains, certificates } = self.trusted().map_err(hidden)?;
        match chains.verify_server_cert(certificate, between, name, ocsp, now) {
            Err(error) if is_of_chain(&error) && certificates.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
