//! The URL under which browsers reach this server.

use std::str::FromStr;

use crate::client::ServerUrl;

/// A scheme, a host and a port, as browsers write them in an `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// True if this is the `Origin` of its pages.
    pub(super) fn is_origin(&self, origin: &str) -> bool {
        self.0 == origin
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = "must be an http or https URL without a path, such as https://hfi.example: browsers name no path \
                     in an `Origin`";
        let url: ServerUrl = text.parse().map_err(|_| wrong)?;
        if url.has_path() { Err(wrong.to_owned()) } else { Ok(Self(url.origin())) }
    }
}

#[cfg(test)]
mod tests {
    use super::PublicUrl;

    #[test]
    fn it_is_the_origin_that_browsers_send() {
        for (given, origin) in [
            ("https://hfi.example", "https://hfi.example"),
            ("https://HFI.example:443/", "https://hfi.example"),
            ("http://hfi.example:443", "http://hfi.example:443"),
            ("http://[2001:DB8:0::1]:8080", "http://[2001:db8::1]:8080"),
            ("https://hfi.example:65535", "https://hfi.example:65535"),
            ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example"),
        ] {
            assert!(given.parse::<PublicUrl>().unwrap().is_origin(origin), "{given}");
        }
        for bad in [
            "",
            "hfi.example",
            "ftp://hfi.example",
            "https://me@hfi.example",
            "https://hfi.example/hfi",
            "https://a/?b",
            "https://a/#b",
            "https://hfi.example:84430",
            "https://hfi.example:8443x",
            "https://hfi.example:443:443",
            "https://me:secret@hfi.example",
        ] {
            let reason = bad.parse::<PublicUrl>().unwrap_err();
            assert!(reason.contains("without a path") && !reason.contains("secret"), "{bad}: {reason}");
        }
    }
}
