//! The patterns of the CRDs.

use crate::text::{dns_label, istio_label};

/// The patterns of the CRDs are these three. A test says if there is another one.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let labels = |text: &str| text.split('.').all(dns_label);
    match pattern {
        SUBDOMAIN => text.is_empty() || labels(text),
        HEADER => {
            !text.is_empty()
                && text.bytes().all(|byte| byte == b'_' || byte == b'-' || byte.is_ascii_alphanumeric())
        }
        KIND => text.starts_with(|first: char| first.is_ascii_alphabetic()) && istio_label(text),
        _ => true,
    }
}

const SUBDOMAIN: &str = r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
const HEADER: &str = r"^[-_A-Za-z0-9]+$";
const KIND: &str = r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$";

#[cfg(test)]
pub(super) const PATTERNS: [&str; 3] = [SUBDOMAIN, HEADER, KIND];
