//! The connection of another client to a server that is not a Git server: it trusts the same certificates, uses the
//! same proxies, and its errors get the same words.

use std::{path::PathBuf, sync::Arc, time::Duration};

use reqwest::{ClientBuilder, Proxy, Url};

use crate::{address::host, exchange_failure::Circumstances, failure::Failure, proxy::Proxies, trust};

/// The trusted certificates, the proxy and the longest time to connect, for one URL.
#[derive(Debug)]
pub struct Connection {
    url: Url,
    authorities: Option<PathBuf>,
    proxies: Option<Arc<Proxies>>,
    patience: Duration,
}

impl Connection {
    /// A connection to the server of a URL. Certificates come from the file, or are the system's. No proxy is used
    /// if it `is_direct`.
    pub fn new(
        url: Url,
        authorities: Option<PathBuf>,
        is_direct: bool,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let proxies = if is_direct { None } else { Some(Arc::new(Proxies::of_environment()?)) };
        Ok(Self { url, authorities, proxies, patience })
    }

    /// Gives a client the certificates, the proxy and the time to connect.
    pub fn configure(&self, client: ClientBuilder) -> Result<ClientBuilder, Failure> {
        let tls = trust::configuration(self.authorities.clone(), self.url.scheme() == "https")?;
        let client = client.tls_backend_preconfigured(tls).connect_timeout(self.patience);
        Ok(match self.proxies.clone() {
            Some(known) => {
                client.proxy(Proxy::custom(move |url| known.of_url(url).map(|proxy| proxy.url.clone())))
            }
            None => client.no_proxy(),
        })
    }

    /// The failure behind an error of that client.
    pub fn failure(&self, error: &reqwest::Error) -> Failure {
        let circumstances = Circumstances {
            server: host(&self.url),
            proxy: self.proxies.as_ref().and_then(|proxies| proxies.of_url(&self.url)),
            authorities: self.authorities.as_deref(),
            patience: self.patience,
        };
        circumstances.failure(error)
    }
}
