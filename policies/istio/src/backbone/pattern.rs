//! The patterns of the CRDs.

use crate::text::{dns_label, is_token, istio_label};

/// A pattern, what a text of it is in words, and the texts that fit.
struct Form {
    pattern: &'static str,
    words: &'static str,
    fits: fn(&str) -> bool,
}

/// The patterns of the CRDs are these. A test says if there is another one.
const FORMS: [Form; 9] = [
    Form {
        pattern: r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        words: "a DNS name in lower case without a port, or empty",
        fits: |text| text.is_empty() || are_labels(text),
    },
    Form {
        pattern: r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        words: "a DNS name in lower case without a port",
        fits: are_labels,
    },
    Form { pattern: r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", words: "a DNS label in lower case", fits: dns_label },
    Form {
        pattern: r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        words: "a DNS name in lower case without a port, which may begin with `*.`",
        fits: |text| are_labels(text.strip_prefix("*.").unwrap_or(text)),
    },
    Form {
        pattern: r"^[-_A-Za-z0-9]+$",
        words: "a name of letters, digits, `-` and `_`",
        fits: |text| {
            !text.is_empty()
                && text.bytes().all(|byte| byte == b'_' || byte == b'-' || byte.is_ascii_alphanumeric())
        },
    },
    Form {
        pattern: r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$",
        words: "a token of HTTP, which has no blank, no bracket, and none of `,:;=@/?`",
        fits: is_token,
    },
    Form {
        pattern: r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
        words: "a letter, and then letters, digits and `-`",
        fits: |text| text.starts_with(|first: char| first.is_ascii_alphabetic()) && istio_label(text),
    },
    Form {
        pattern: r"^([0-9]{1,5}(h|m|s|ms)){1,4}$",
        words: "a duration of up to four numbers, each of at most five digits and with `h`, `m`, `s` or `ms`",
        fits: is_duration,
    },
    Form {
        pattern: r"(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)",
        words: "`*`, or `http://` or `https://` and a host, which may have a port",
        fits: |text| text == "*" || is_origin(text),
    },
];

/// What a text of a pattern is, if this is none.
pub(super) fn misses(pattern: &str, text: &str) -> Option<&'static str> {
    let form = FORMS.iter().find(|form| form.pattern == pattern)?;
    (!(form.fits)(text)).then_some(form.words)
}

fn are_labels(text: &str) -> bool {
    text.split('.').all(dns_label)
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

#[cfg(test)]
pub(super) fn is_known(pattern: &str) -> bool {
    FORMS.iter().any(|form| form.pattern == pattern)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::{FORMS, misses};

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
        for pattern in FORMS.map(|form| form.pattern) {
            let regex = Regex::new(pattern).unwrap();
            for text in texts {
                assert_eq!(misses(pattern, text).is_none(), regex.is_match(text), "{pattern}: {text}");
            }
        }
    }
}
