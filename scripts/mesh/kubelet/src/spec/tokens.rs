//! The tokens of service accounts that a Pod's volumes ask for.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Pod, ServiceAccountTokenProjection};

/// A token for an audience. None is the API server.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct WantedToken {
    pub(crate) audience: Option<String>,
    pub(crate) seconds: i64,
}

/// Tokens as they are now.
pub(crate) type Tokens = BTreeMap<WantedToken, String>;

impl WantedToken {
    pub(super) fn of(source: &ServiceAccountTokenProjection) -> Self {
        let audience = source.audience.clone().filter(|audience| !audience.is_empty());
        Self { audience, seconds: source.expiration_seconds.unwrap_or(3600) }
    }
}

/// All tokens that the volumes of a Pod ask for.
pub(crate) fn wanted(pod: &Pod) -> BTreeSet<WantedToken> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let sources = volumes.filter_map(|volume| volume.projected.as_ref()?.sources.as_ref()).flatten();
    sources.filter_map(|source| source.service_account_token.as_ref()).map(WantedToken::of).collect()
}
