//! The errors of requests in our words.

use std::{error::Error, io, iter, path::Path, time::Duration};

use crate::{failure::Failure, proxy::Proxy, tls_failure};

/// The circumstances of a request that failed.
#[derive(Debug)]
pub(crate) struct Circumstances<'a> {
    /// The host and port of the URL.
    pub(crate) server: String,
    /// The proxy in between.
    pub(crate) proxy: Option<&'a Proxy>,
    /// The file of the trusted authorities.
    pub(crate) authorities: Option<&'a Path>,
    /// The longest time to connect.
    pub(crate) patience: Duration,
}

impl Circumstances<'_> {
    /// The failure behind an error of `reqwest`.
    pub(crate) fn failure(&self, error: &reqwest::Error) -> Failure {
        if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref()) {
            return tls_failure::failure(tls, self.authorities);
        }
        // With a proxy it alone is connected to, and looked up.
        let peer =
            self.proxy.map_or_else(|| self.server.clone(), |proxy| format!("the proxy {}", proxy.origin()));
        if error.is_dns() {
            return Failure::Unresolved { peer };
        }
        if let Some(failure) = self.proxy.and_then(|proxy| refused_by(proxy, error)) {
            return failure;
        }
        if let Some(kind) = causes(error).find_map(kind) {
            return self.unreachable(peer, kind);
        }
        if error.is_timeout() {
            return self.unreachable(peer, io::ErrorKind::TimedOut);
        }
        let http = causes(error).find_map(|cause| cause.downcast_ref::<hyper::Error>());
        match http {
            Some(http) if http.is_parse() => Failure::NotHttp { peer },
            _ => Failure::Broken,
        }
    }

    fn unreachable(&self, peer: String, kind: io::ErrorKind) -> Failure {
        let how = match kind {
            io::ErrorKind::ConnectionRefused => "refuses connections".to_owned(),
            io::ErrorKind::TimedOut => format!("does not answer within {} s", self.patience.as_secs()),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                "cannot be reached over the network".to_owned()
            }
            io::ErrorKind::PermissionDenied => "may not be connected to from this machine".to_owned(),
            _ => return Failure::Broken,
        };
        Failure::Unreachable { peer, how }
    }
}

/// The error and everything that caused it. `io::Error` passes over what it wraps.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

/// The kind of an error of the operating system.
fn kind(cause: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    cause.downcast_ref::<io::Error>().filter(|error| error.raw_os_error().is_some()).map(io::Error::kind)
}

/// The answer of a proxy to `CONNECT`. Its type is not public, so its words must do; a test with a real proxy
/// notices other ones.
fn refused_by(proxy: &Proxy, error: &reqwest::Error) -> Option<Failure> {
    let said = causes(error).map(ToString::to_string).find(|said| said.starts_with("tunnel error: "))?;
    let origin = proxy.origin();
    match said.trim_start_matches("tunnel error: ") {
        "proxy authorization required" => {
            Some(Failure::ProxyAsks { proxy: origin, variable: proxy.variable })
        }
        "unsuccessful" | "unexpected end of file" | "proxy response headers too long" => {
            Some(Failure::ProxyRefuses { proxy: origin })
        }
        // The connection to the proxy itself.
        _ => None,
    }
}
