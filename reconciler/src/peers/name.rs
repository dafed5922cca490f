//! A name of all replicas.

use std::{
    fmt::{self, Display, Formatter},
    net::{Ipv6Addr, SocketAddr},
    str::FromStr,
};

use crate::client::ServerUrl;

/// The longest name, in bytes (RFC 1035).
const LONGEST: usize = 253;

/// `NAME:PORT`: a DNS name that has the addresses of all replicas, or the address of one, and their port. A name that
/// ends with a dot is whole: no search domain completes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerName {
    /// An IPv6 address has its brackets.
    host: String,
    port: u16,
}

impl PeerName {
    /// The URL that its replicas serve.
    pub(super) fn url(&self, tls: bool) -> Result<ServerUrl, String> {
        let (scheme, port) = (if tls { "https" } else { "http" }, self.port);
        // Certificates name it without the last dot.
        let host = self.host.strip_suffix('.').unwrap_or(&self.host);
        format!("{scheme}://{host}:{port}")
            .parse()
            .map_err(|_| format!("`{self}` is not the name of a server"))
    }

    /// The addresses that it has now.
    pub(super) async fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        Ok(tokio::net::lookup_host((host, self.port)).await?.collect())
    }
}

impl FromStr for PeerName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "must be NAME:PORT, such as hfi-peers:8080";
        let (host, port) = text.rsplit_once(':').ok_or(wrong)?;
        let port = port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(wrong)?;
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_name = (1..=LONGEST).contains(&host.len()) && host.bytes().all(is_name_byte);
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_address = inner.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok());
        if is_name || is_address { Ok(Self { host: host.to_owned(), port }) } else { Err(wrong) }
    }
}

impl Display for PeerName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::PeerName;

    #[test]
    fn a_name_has_a_port_and_nothing_else() {
        for (text, url) in [
            ("hfi-peers:8080", "https://hfi-peers:8080"),
            ("hfi-peers.boifi.svc.cluster.local:443", "https://hfi-peers.boifi.svc.cluster.local"),
            ("hfi-peers.boifi.svc.cluster.local.:8080", "https://hfi-peers.boifi.svc.cluster.local:8080"),
            ("127.0.0.2:8080", "https://127.0.0.2:8080"),
            ("[::1]:8080", "https://[::1]:8080"),
        ] {
            let name: PeerName = text.parse().unwrap();
            assert_eq!((name.to_string(), name.url(true).unwrap().to_string()), (text.into(), url.into()));
        }
        for text in [
            "",
            "hfi-peers",
            ":8080",
            "hfi-peers:",
            "hfi-peers:0",
            "hfi-peers:65536",
            "http://hfi-peers:8080",
            "hfi-peers:8080/",
            "me@hfi-peers:8080",
            "hfi peers:8080",
            "::1:8080",
            "[::g]:8080",
            "[hfi]:8080",
        ] {
            assert!(text.parse::<PeerName>().is_err(), "{text}");
        }
    }
}
