//! The URL under which browsers reach this server.

use std::str::FromStr;

use axum::http::Uri;

/// A scheme and an authority, as browsers write an origin: in lower case, without a default port.
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
        let wrong = || {
            format!("must be an http or https URL without a path, such as https://hfi.example, not `{text}`")
        };
        let url: Uri = text.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
            return Err(wrong());
        };
        let default = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(wrong()),
        };
        if authority.as_str().contains('@') || url.path() != "/" || url.query().is_some() {
            return Err(wrong());
        }
        let host = authority.host().to_ascii_lowercase();
        let port = authority.port_u16().filter(|port| *port != default);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self(format!("{scheme}://{host}{port}")))
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
            ("http://[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
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
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
