//! The errors of TLS in our words.

use std::{
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use httpdate::fmt_http_date;
use rustls::{
    AlertDescription, CertificateError, Error,
    pki_types::{ServerName, UnixTime},
};

use crate::failure::Failure;

/// The number of names of a certificate that an error shows.
const NAMED: usize = 5;

/// The failure behind an error. `authorities` is the file of the trusted authorities, if they are not the system's.
pub(crate) fn failure(error: &Error, authorities: Option<&Path>) -> Failure {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) if other.0.is::<Failure>() => {
            other.0.downcast_ref().cloned().unwrap_or(Failure::NoAuthorities)
        }
        _ => Failure::Tls(sentence(error, authorities)),
    }
}

fn sentence(error: &Error, authorities: Option<&Path>) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error, authorities),
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server asks for a client certificate, which hfi does not have".to_owned()
        }
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "the server has no certificate for the host of the URL".to_owned()
        }
        Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure)
        | Error::PeerIncompatible(_) => {
            "the server and hfi have no version or cipher suite of TLS in common; hfi speaks TLS 1.2 and 1.3"
                .to_owned()
        }
        Error::InvalidMessage(_) => {
            "the server does not speak TLS at this port; should the URL begin with http://?".to_owned()
        }
        Error::AlertReceived(alert) => format!("the server ended the TLS handshake with the alert {alert:?}"),
        _ => "the TLS handshake with the server failed".to_owned(),
    }
}

fn certificate(error: &CertificateError, authorities: Option<&Path>) -> String {
    let reason = match error {
        CertificateError::NotValidForNameContext { expected, presented } => {
            return for_another_name(expected, presented);
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            return format!("the server's certificate expired on {}", date(*not_after));
        }
        CertificateError::Expired => return "the server's certificate has expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            let date = date(*not_before);
            return format!("the server's certificate is valid from {date} on; is the clock of this machine right?");
        }
        CertificateError::UnknownIssuer => match authorities {
            Some(file) => format!(
                "no certificate in {} has signed it, or the server does not send the certificates in between",
                file.display()
            ),
            None => "no authority that this system trusts has signed it; if its authority is your own, give it with \
                     --ca-file"
                .to_owned(),
        },
        CertificateError::BadSignature => match authorities {
            Some(file) => format!("{} has an authority of the same name with another key", file.display()),
            None => "its signature is not that of the authority that it names".to_owned(),
        },
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not made for servers (extended key usage)".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed with an algorithm that is not secure or not known, such as SHA-1".to_owned()
        }
        CertificateError::UnhandledCriticalExtension => "it has a critical extension that is not known".to_owned(),
        CertificateError::Other(_) if is(error, |error| matches!(error, webpki::Error::UnsupportedCertVersion)) => {
            "it is of X.509 version 1; it must be of version 3, with its host names in subjectAltName".to_owned()
        }
        CertificateError::Other(_) if is(error, |error| matches!(error, webpki::Error::CaUsedAsEndEntity)) => {
            "it is that of an authority (CA:TRUE); if it is right, give it with --ca-file".to_owned()
        }
        _ => "it is damaged, or has a form that hfi does not read".to_owned(),
    };
    format!("the server's certificate is not trusted: {reason}")
}

/// True if this error of `webpki` is behind it.
pub(crate) fn is(error: &CertificateError, of: impl Fn(&webpki::Error) -> bool) -> bool {
    let CertificateError::Other(other) = error else { return false };
    other.0.downcast_ref().is_some_and(of)
}

fn for_another_name(expected: &ServerName<'_>, presented: &[String]) -> String {
    let expected = expected.to_str();
    // Such as `DnsName("localhost")`.
    let plain = |name: &String| {
        let inside = name.split_once('(').map_or(name.as_str(), |(_, inside)| inside);
        inside.trim_matches(['"', ')']).escape_debug().to_string()
    };
    match presented {
        [] => format!(
            "the server's certificate is not for {expected}: it has no subjectAltName; a common name does not count"
        ),
        names => {
            let shown: Vec<_> = names.iter().take(NAMED).map(plain).collect();
            let more = match names.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("the server's certificate is not for {expected}, but for {}{more}", shown.join(", "))
        }
    }
}

fn date(time: UnixTime) -> String {
    // Years that HTTP cannot write are those of a broken certificate.
    let last = Duration::from_secs(253_402_300_799);
    fmt_http_date(UNIX_EPOCH + Duration::from_secs(time.as_secs()).min(last))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;

    use super::for_another_name;

    #[test]
    fn of_many_names_some_are_shown() {
        let expected = ServerName::try_from("git.example").unwrap();
        let names: Vec<_> = (0..2_000).map(|n| format!("DnsName(\"n{n}.example\")")).collect();
        let two = for_another_name(&expected, &names[..2]);
        assert!(two.ends_with("is not for git.example, but for n0.example, n1.example"), "{two}");
        let many = for_another_name(&expected, &names);
        assert!(many.ends_with("n4.example and 1995 more"), "{many}");
    }
}
