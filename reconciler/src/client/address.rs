//! The URL of a server.

use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
};

use reqwest::Url;

/// The URL of an `hfi serve`, such as `https://faults.example/hfi`: http or https, without credentials, query and
/// fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(Url);

/// The reason why a text is not the URL of a server. It does not repeat the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerUrlError {
    #[error("must be a URL such as https://faults.example or http://localhost:8080")]
    NotAUrl,
    #[error("must not hold credentials; put the token into a file and name it with --token-file")]
    Credentials,
    #[error("must end with its path: a query or a fragment has no meaning here")]
    Query,
}

impl ServerUrl {
    /// The URL of a resource, from the segments of its path.
    pub(super) fn resource(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        // Never refused: the scheme is http or https.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// The origin of its pages, as browsers write it.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// True if it names more than a host and a port.
    pub fn has_path(&self) -> bool {
        self.0.path() != "/"
    }

    /// True if what is sent cannot be read on the way: with TLS, or without leaving this machine.
    pub fn is_confidential(&self) -> bool {
        self.0.scheme() == "https" || self.is_loopback()
    }

    /// True if the server is on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let url = Url::parse(text).map_err(|_| ServerUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(ServerUrlError::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ServerUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ServerUrlError::Query);
        }
        Ok(Self(url))
    }
}

impl Display for ServerUrl {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ServerUrl, ServerUrlError};

    #[test]
    fn a_url_leads_to_the_resources_below_it() {
        for (text, shown) in [
            ("http://localhost:8080", "http://localhost:8080"),
            ("https://faults.example/hfi/", "https://faults.example/hfi"),
        ] {
            let url: ServerUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            let one = url.resource(&["v1", "policies", "a/../b?c"], &[("all", "true")]);
            assert_eq!(one.as_str(), format!("{shown}/v1/policies/a%2F..%2Fb%3Fc?all=true"));
        }
    }

    #[test]
    fn what_is_no_server_is_refused_without_being_repeated() {
        for (text, error) in [
            ("localhost:8080", ServerUrlError::NotAUrl),
            ("", ServerUrlError::NotAUrl),
            ("ftp://faults.example", ServerUrlError::NotAUrl),
            ("https://me:secret@faults.example", ServerUrlError::Credentials),
            ("https://faults.example/?a=b", ServerUrlError::Query),
        ] {
            assert_eq!(text.parse::<ServerUrl>(), Err(error), "{text}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn plain_http_is_confidential_on_this_machine_only() {
        for (text, is_confidential) in [
            ("http://localhost:8080", true),
            ("http://127.3.2.1", true),
            ("http://[::1]:8080", true),
            ("https://faults.example", true),
            ("http://faults.example", false),
            ("http://localhost.faults.example", false),
            ("http://10.0.0.1:8080", false),
            ("http://[::ffff:10.0.0.1]", false),
        ] {
            assert_eq!(text.parse::<ServerUrl>().unwrap().is_confidential(), is_confidential, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_name_leads_out_of_its_resource(name: String) {
            let url: ServerUrl = "https://faults.example/hfi".parse().unwrap();
            let one = url.resource(&["v1", "policies", &name], &[]);
            prop_assert!(one.as_str().starts_with("https://faults.example/hfi/v1/policies"));
            prop_assert!(one.query().is_none() && one.fragment().is_none());
        }
    }
}
