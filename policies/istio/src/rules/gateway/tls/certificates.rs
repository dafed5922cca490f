//! The certificates of servers.

use super::blocks;
use crate::{
    field::Field,
    rules::subject::{Out, Subject},
};

/// The ways to give a certificate, by the fields that name it.
const SECRETS: [&str; 2] = ["credentialName", "credentialNames"];
const FILES: [&str; 3] = ["serverCertificate", "privateKey", "tlsCertificates"];

fn given<'n>(tls: &Field, names: &[&'n str]) -> Vec<&'n str> {
    names.iter().copied().filter(|name| !tls.get(name).is_empty()).collect()
}

fn mode<'a>(tls: &Field<'a>) -> &'a str {
    tls.word("mode")
}

pub(super) fn gw11(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject) {
        let verifies = matches!(mode(&tls), "MUTUAL" | "OPTIONAL_MUTUAL");
        if !(verifies || mode(&tls) == "SIMPLE") || !given(&tls, &SECRETS).is_empty() {
            continue;
        }
        if given(&tls, &["tlsCertificates"]).is_empty() {
            for name in ["serverCertificate", "privateKey"] {
                if tls.get(name).is_empty() {
                    let right = "write `credentialName`, the Secret with key and certificate";
                    out.error(&tls.get(name), format!("is missing, and {} needs it", mode(&tls)), right);
                }
            }
        }
        if verifies && given(&tls, &["caCertificates", "caCertCredentialName"]).is_empty() {
            out.error(
                &tls.get("caCertificates"),
                format!("is missing, and {} needs it", mode(&tls)),
                "write the file of the clients' CA",
            );
        }
    }
}

pub(super) fn gw12(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject) {
        let plain = given(&tls, &["serverCertificate", "privateKey"]);
        let others = given(&tls, &["credentialName", "credentialNames", "tlsCertificates"]);
        let several = others.len() > 1 || !(others.is_empty() || plain.is_empty());
        if let Some(first) = others.first().filter(|_| several) {
            out.error(&tls.get(first), "stands beside another source of certificates", "keep one of them");
        }
    }
}

pub(super) fn gw13(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject).filter(|tls| mode(tls) == "ISTIO_MUTUAL") {
        for name in given(&tls, &[&SECRETS[..], &FILES, &["caCertificates"]].concat()) {
            out.error(
                &tls.get(name),
                "stands beside ISTIO_MUTUAL, which takes the mesh's certificates",
                "leave it out",
            );
        }
    }
}

pub(super) fn gw14(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject).filter(|tls| matches!(mode(tls), "PASSTHROUGH" | "AUTO_PASSTHROUGH")) {
        for name in given(&tls, &[&SECRETS[..], &FILES, &["caCertificates"]].concat()) {
            out.warning(
                &tls.get(name),
                format!("is ignored with {}", mode(&tls)),
                "leave it out, or write the mode SIMPLE",
            );
        }
    }
}

pub(super) fn gw17(subject: &Subject, out: &mut Out) {
    for tls in blocks(subject).filter(|tls| !tls.get("caCrl").is_empty()) {
        if mode(&tls) == "SIMPLE" || !given(&tls, &SECRETS).is_empty() {
            out.error(
                &tls.get("caCrl"),
                "revokes clients' certificates, which are not read here",
                "write MUTUAL with files, or put it into the Secret",
            );
        }
    }
}
