//! The proxies that the environment names, read as git and curl read them.

use std::env;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use crate::failure::Failure;

/// The port of an HTTP proxy whose URL has none; curl's.
const DEFAULT_PORT: u16 = 1080;

/// The proxies for http and https, and the hosts without one.
#[derive(Debug)]
pub(crate) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    /// Matches the hosts that need a proxy.
    others: Matcher,
}

/// A proxy, and the variable that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    pub(crate) url: Url,
    pub(crate) variable: &'static str,
}

impl Proxies {
    pub(crate) fn of_environment() -> Result<Self, Failure> {
        Self::of(|name| env::var(name).ok())
    }

    /// Git takes `https_proxy` before its name in capitals, `http_proxy` in small letters only (a CGI program could
    /// not tell the other from a header), and `all_proxy` where there is no other. One that is set to nothing turns
    /// proxies off.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let first = |names: &[&'static str]| {
            let found = names.iter().find_map(|name| variable(name).map(|value| (*name, value)));
            let named = found.filter(|(_, value)| !value.is_empty());
            named.map(|(variable, value)| {
                let url = proxy_url(&value).ok_or(Failure::ProxyUrl { variable })?;
                Ok(Proxy { url, variable })
            })
        };
        let no_proxy = variable("no_proxy").or_else(|| variable("NO_PROXY")).unwrap_or_default();
        // The matcher would take it for names only, and not for addresses.
        if no_proxy.trim() == "*" {
            return Ok(Self { http: None, https: None, others: Matcher::builder().build() });
        }
        Ok(Self {
            http: first(&["http_proxy", "all_proxy", "ALL_PROXY"]).transpose()?,
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]).transpose()?,
            others: Matcher::builder().all("http://proxy").no(entries(&no_proxy)).build(),
        })
    }

    /// The proxy by which this URL is reached.
    pub(crate) fn of_url(&self, url: &Url) -> Option<&Proxy> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        let is_other = url.as_str().parse().is_ok_and(|uri| self.others.intercept(&uri).is_some());
        proxy.as_ref().filter(|_| is_other)
    }
}

impl Proxy {
    /// The scheme, host and port, without credentials.
    pub(crate) fn origin(&self) -> String {
        let port = self.url.port().map_or(String::new(), |port| format!(":{port}"));
        format!("{}://{}{port}", self.url.scheme(), self.url.host_str().unwrap_or_default())
    }
}

/// The URL of a proxy; without a scheme it is http.
fn proxy_url(value: &str) -> Option<Url> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        // As for curl.
        "socks" => "socks4".to_owned(),
        known @ ("http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") => known.to_owned(),
        _ => return None,
    };
    let mut url = Url::parse(&format!("{scheme}://{rest}"))
        .ok()
        .filter(|url| url.host_str().is_some_and(|host| !host.is_empty()))?;
    if scheme != "https" && !names_port(rest) {
        url.set_port(Some(DEFAULT_PORT)).ok()?;
    }
    Some(url)
}

/// True if a port is written down; `Url` cannot tell whether it was the usual one of the scheme.
fn names_port(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.rsplit(']').next().unwrap_or_default().contains(':')
}

/// The entries of `no_proxy`, with commas between them. Git and curl take blanks as well, and a dot at the end of a
/// name; a star among others means nothing.
fn entries(no_proxy: &str) -> String {
    let parts = no_proxy.split([',', ' ', '\t']).map(|part| part.trim_end_matches('.'));
    parts.filter(|part| !part.is_empty() && *part != "*").collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use reqwest::Url;

    use super::Proxies;
    use crate::failure::Failure;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, Failure> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Proxies::of(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    fn origin(variables: &[(&str, &str)], url: &str) -> Option<String> {
        proxies(variables).unwrap().of_url(&url.parse().unwrap()).map(|proxy| proxy.origin())
    }

    #[test]
    fn a_variable_is_taken_as_git_takes_it() {
        let (plain, safe) = ("http://git.example/p.git", "https://git.example/p.git");
        for (variables, http, https) in [
            (&[][..], None, None),
            (&[("http_proxy", "http://a:1")], Some("http://a:1"), None),
            (&[("HTTP_PROXY", "http://a:1")], None, None),
            (&[("https_proxy", "a:1")], None, Some("http://a:1")),
            (&[("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:2")], None, Some("http://b:2")),
            (&[("ALL_PROXY", "socks5h://a")], Some("socks5h://a:1080"), Some("socks5h://a:1080")),
            (&[("all_proxy", "http://a:1"), ("https_proxy", "")], Some("http://a:1"), None),
            (
                &[("http_proxy", "http://a"), ("https_proxy", "http://a:80/")],
                Some("http://a:1080"),
                Some("http://a"),
            ),
            (&[("https_proxy", "https://me:secret@a")], None, Some("https://a")),
        ] {
            let found = [plain, safe].map(|url| origin(variables, url));
            assert_eq!(found, [http, https].map(|proxy| proxy.map(str::to_owned)), "{variables:?}");
        }
    }

    #[test]
    fn a_proxy_that_is_not_valid_is_told_by_its_variable() {
        for bad in ["http://me:secret-3@", "http://", "ftp://a:1", "http://a:port", ":1"] {
            let failure = proxies(&[("https_proxy", bad)]).unwrap_err();
            assert_eq!(failure, Failure::ProxyUrl { variable: "https_proxy" }, "{bad}");
        }
    }

    #[test]
    fn hosts_without_a_proxy_are_written_in_many_ways() {
        for (no_proxy, host, goes_directly) in [
            ("git.example", "git.example", true),
            (".example", "git.example", true),
            ("example", "git.example", true),
            ("EXAMPLE.", "git.example", true),
            ("other git.example", "git.example", true),
            ("other,\tgit.example ,x", "git.example", true),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("::1", "[::1]", true),
            (" * ", "git.example", true),
            ("*", "10.0.0.1", true),
            ("*", "[::1]", true),
            ("a, *", "git.example", false),
            ("it.example", "git.example", false),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("git.example.org", "git.example", false),
            ("", "git.example", false),
        ] {
            let variables = [("http_proxy", "http://a:1"), ("no_proxy", no_proxy)];
            let is_direct = origin(&variables, &format!("http://{host}/p.git")).is_none();
            assert_eq!(is_direct, goes_directly, "{no_proxy} {host}");
        }
    }

    proptest! {
        #[test]
        fn a_host_and_its_subdomains_are_found_in_any_list(
            others in vec("[a-z]{1,8}\\.test", 0..4),
            host in "[a-z]{1,8}\\.example",
            at in 0..5_usize,
            between in vec("[ \t]{0,2},[ \t]{0,2}|[ \t]{1,3}", 5),
        ) {
            let mut list: Vec<_> = others.iter().map(String::as_str).collect();
            list.insert(at.min(list.len()), &host);
            let text: String = list.iter().zip(&between).flat_map(|(host, between)| [*host, between]).collect();
            let proxies = proxies(&[("all_proxy", "http://a:1"), ("no_proxy", &text)]).unwrap();
            let goes_directly = |url: &str| proxies.of_url(&Url::parse(url).unwrap()).is_none();
            prop_assert!(goes_directly(&["https://", &host, "/"].concat()));
            prop_assert!(goes_directly(&["https://git.", &host, "/"].concat()));
            prop_assert!(!goes_directly(&["https://git", &host, "/"].concat()));
        }

        #[test]
        fn any_text_is_read(proxy: String, no_proxy: String) {
            if let Ok(proxies) = proxies(&[("all_proxy", &proxy), ("no_proxy", &no_proxy)]) {
                proxies.of_url(&Url::parse("https://git.example/").unwrap());
            }
        }
    }
}
