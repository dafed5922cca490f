//! The patterns of the CRDs.

use crate::text::{dns_label, is_token, istio_label};

/// The patterns of the CRDs are these. A test says if there is another one.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let labels = |text: &str| text.split('.').all(dns_label);
    match pattern {
        SUBDOMAIN => text.is_empty() || labels(text),
        HEADER => {
            !text.is_empty()
                && text.bytes().all(|byte| byte == b'_' || byte == b'-' || byte.is_ascii_alphanumeric())
        }
        NAME => labels(text),
        LABEL => dns_label(text),
        HOSTNAME => labels(text.strip_prefix("*.").unwrap_or(text)),
        TOKEN => is_token(text),
        DURATION => is_duration(text),
        ORIGIN => text == "*" || is_origin(text),
        KIND => text.starts_with(|first: char| first.is_ascii_alphabetic()) && istio_label(text),
        _ => true,
    }
}

/// Up to four numbers of at most five digits, each with a unit.
fn is_duration(mut text: &str) -> bool {
    let mut numbers = 0;
    while !text.is_empty() {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (_, rest) = text.split_at(digits);
        let unit = ["ms", "h", "m", "s"].into_iter().find_map(|unit| rest.strip_prefix(unit));
        numbers += 1;
        match unit.filter(|_| (1..=5).contains(&digits) && numbers <= 4) {
            Some(rest) => text = rest,
            None => return false,
        }
    }
    numbers > 0
}

/// A scheme and a host, whose first label may be `*`, and which may have a port.
fn is_origin(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric())
    };
    let is_port =
        |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    (host == "*" || host.strip_prefix("*.").unwrap_or(host).split('.').all(is_label))
        && port.is_none_or(is_port)
}

const SUBDOMAIN: &str = r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
const HEADER: &str = r"^[-_A-Za-z0-9]+$";
const KIND: &str = r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$";

const NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
const LABEL: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
const HOSTNAME: &str = r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
const TOKEN: &str = r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$";
const DURATION: &str = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$";
const ORIGIN: &str =
    r"(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)";

#[cfg(test)]
pub(super) const PATTERNS: [&str; 9] =
    [SUBDOMAIN, HEADER, KIND, NAME, LABEL, HOSTNAME, TOKEN, DURATION, ORIGIN];

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::{PATTERNS, fits};

    #[test]
    fn each_pattern_means_what_its_regex_means() {
        let texts = [
            "",
            "a",
            "A",
            "a-b",
            "-a",
            "a.b",
            "a..b",
            "*.a.b",
            "*",
            "*a",
            "x-a",
            "x_a",
            ":a",
            "a b",
            "Kind1",
            "1Kind",
            "1s",
            "1500ms",
            "1h2m3s4ms",
            "1s1s1s1s1s",
            "123456s",
            "12345s",
            "s",
            "1",
            "1.5s",
            "https://a.example",
            "http://a:80",
            "https://*.a.b:443",
            "https://*",
            "https://*:1",
            "ftp://a",
            "https://a:",
            "https://a:123456",
            "https://a/b",
            "https://",
            "https://a_b",
        ];
        for pattern in PATTERNS {
            let regex = Regex::new(pattern).unwrap();
            for text in texts {
                assert_eq!(fits(pattern, text), regex.is_match(text), "{pattern}: {text}");
            }
        }
    }
}
