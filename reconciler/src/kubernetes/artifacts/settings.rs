//! Where artifacts are, and under which URL.

use policies::language::ClusterDomain;

use crate::{client::ServerUrl, kubernetes::NAME};

/// The port of the Service.
const PORT: u16 = 8080;

/// The settings of `--istio-artifacts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The namespace of the archives, and of the artifacts unless tenants have their own.
    pub namespace: String,
    /// The artifact of a namespace is in that namespace.
    pub in_tenants: bool,
    /// The URL under which Flux reaches hfi; that of the Service if there is none.
    pub url: Option<ServerUrl>,
    /// The address of Flux's notification-controller for events.
    pub events: Option<ServerUrl>,
    /// The domain of Services.
    pub cluster_domain: ClusterDomain,
}

impl Settings {
    /// The namespace of the artifact of a namespace.
    pub(super) fn place<'a>(&'a self, namespace: &'a str) -> &'a str {
        if self.in_tenants { namespace } else { &self.namespace }
    }

    /// The URL of this server in the cluster, without a slash at its end. `namespace`: that of the Service.
    pub(super) fn url(&self, namespace: &str, tls: bool) -> String {
        let scheme = if tls { "https" } else { "http" };
        let url = match &self.url {
            Some(url) => url.to_string(),
            // The dot keeps resolvers from trying their search domains first.
            None => format!("{scheme}://{}.:{PORT}", self.cluster_domain.host(NAME, namespace)),
        };
        url.trim_end_matches('/').to_owned()
    }
}
