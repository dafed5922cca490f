//! Texts as Istio reads them, which is more than documents may have: labels, hosts, addresses, regexes.

mod host;
mod re2;

use std::net::IpAddr;

pub(crate) use host::{LONGEST_HOST, ends, from_end, full_name, host_flaw, is_full_name};
pub(crate) use re2::regex_flaw;

use crate::values::IpBlock;

/// A DNS label as Kubernetes takes it: RFC 1123, in lower case.
pub(crate) fn dns_label(text: &str) -> bool {
    istio_label(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// A DNS label as Istio takes it, which knows upper case too.
pub(crate) fn istio_label(text: &str) -> bool {
    let inner = |byte: u8| byte == b'-' || byte.is_ascii_alphanumeric();
    (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The name of a header: a token of HTTP.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

pub(crate) fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// An IP address, or a block of them.
pub(crate) fn is_ip_or_block(text: &str) -> bool {
    IpBlock::try_from(text).is_ok()
}
