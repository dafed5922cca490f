//! `tlsSettings`.

use policies::reading::{Cursor, word};

use crate::written::fields::text;

/// The way in which calls are encrypted. Certificates are paths of files at the caller's proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    Disable,
    /// The callee proves who it is. Without a file its certificate is of a public authority.
    Simple {
        ca_certificates: Option<String>,
    },
    /// Both prove who they are.
    Mutual {
        certificate: String,
        private_key: String,
        ca_certificates: Option<String>,
    },
    /// The same with the certificates of the mesh.
    IstioMutual,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Disable,
    Simple,
    Mutual,
    IstioMutual,
}

const MODES: [(&str, Mode); 4] = [
    ("DISABLE", Mode::Disable),
    ("SIMPLE", Mode::Simple),
    ("MUTUAL", Mode::Mutual),
    ("ISTIO_MUTUAL", Mode::IstioMutual),
];

pub(super) fn read(field: &Cursor<'_>) -> Option<Tls> {
    let mut fields = field.clone().fields()?;
    let mode = fields.read("mode", |field| word(Some(field.clone()), &MODES)).optional();
    let certificate = fields.read("clientCertificate", text).optional();
    let private_key = fields.read("clientPrivateKey", text).optional();
    let ca_certificates = fields.read("caCertificates", text).optional();
    fields.finish();
    let (mode, certificate, private_key, ca_certificates) =
        (mode?, certificate?, private_key?, ca_certificates?);
    let has_client = certificate.is_some() || private_key.is_some();
    let mode = match mode {
        Some(mode) => mode,
        None if has_client => Mode::Mutual,
        None if ca_certificates.is_some() => Mode::Simple,
        None => {
            field.report("has no `mode`, which Istio takes for DISABLE; write `mode`, or the certificates");
            return None;
        }
    };
    if has_client && mode != Mode::Mutual {
        field.report("has a certificate of the client, which only MUTUAL presents; take it out, or write `mode: MUTUAL`");
        return None;
    }
    if ca_certificates.is_some() && matches!(mode, Mode::Disable | Mode::IstioMutual) {
        field.report("has `caCertificates`, which only SIMPLE and MUTUAL read; take it out");
        return None;
    }
    match (mode, certificate, private_key) {
        (Mode::Disable, ..) => Some(Tls::Disable),
        (Mode::IstioMutual, ..) => Some(Tls::IstioMutual),
        (Mode::Simple, ..) => Some(Tls::Simple { ca_certificates }),
        (Mode::Mutual, Some(certificate), Some(private_key)) => {
            Some(Tls::Mutual { certificate, private_key, ca_certificates })
        }
        (Mode::Mutual, certificate, _) => {
            let missing = if certificate.is_none() { "clientCertificate" } else { "clientPrivateKey" };
            field.report(format_args!("lacks `{missing}`, which MUTUAL needs; write the path of its file"));
            None
        }
    }
}
