//! The options about TLS.

use std::path::PathBuf;

use clap::Args;

use crate::http::tls::CertificateFiles;

#[derive(Debug, Args)]
pub(crate) struct TlsArgs {
    /// The file with the certificate (PEM) for HTTPS, followed by its intermediate certificates; read again when it
    /// changes. Without it, HTTP is served in clear text.
    #[arg(long, env = "HFI_TLS_CERT_FILE", value_name = "FILE", value_parser = crate::cli::values::maybe_path())]
    tls_cert_file: Option<PathBuf>,

    /// The file with the private key (PEM) of that certificate.
    #[arg(long, env = "HFI_TLS_KEY_FILE", value_name = "FILE", value_parser = crate::cli::values::maybe_path())]
    tls_key_file: Option<PathBuf>,
}

impl TlsArgs {
    /// Both files, or none. A variable that is set to an empty text counts as not set.
    pub(crate) fn resolve(self) -> Result<Option<CertificateFiles>, &'static str> {
        let set = |path: &PathBuf| !path.as_os_str().is_empty();
        match (self.tls_cert_file.filter(set), self.tls_key_file.filter(set)) {
            (None, None) => Ok(None),
            (Some(certificates), Some(key)) => Ok(Some(CertificateFiles { certificates, key })),
            (Some(_), None) => {
                Err("--tls-cert-file needs the key as well; give --tls-key-file (HFI_TLS_KEY_FILE)")
            }
            (None, Some(_)) => {
                Err("--tls-key-file needs the certificate as well; give --tls-cert-file (HFI_TLS_CERT_FILE)")
            }
        }
    }
}
