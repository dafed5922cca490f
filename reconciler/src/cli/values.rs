//! Values of options.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use clap::builder::{OsStringValueParser, TypedValueParser};
use policies::language::ClusterDomain;

/// A path. An empty one stands for a variable that is set to an empty text.
pub(super) fn maybe_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// A duration within a range, which is said when it is not.
pub(super) fn duration(text: &str, range: RangeInclusive<Duration>, said: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok().filter(|duration| range.contains(duration));
    duration.ok_or_else(|| format!("must be a time {said}, as a number with its unit"))
}

/// An address with its port.
pub(super) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "must be an IP address and a port, such as [::]:8080 or 127.0.0.1:8080")
}

/// The domain of a mesh's services.
pub(super) fn cluster_domain(text: &str) -> Result<ClusterDomain, String> {
    ClusterDomain::try_from(text.to_owned()).map_err(|error| error.to_string())
}

/// A path within the repository, without leading and trailing slashes.
pub(super) fn inner_path(text: &str) -> Result<PathBuf, String> {
    let path: PathBuf = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if path.components().any(|part| part == std::path::Component::ParentDir) {
        return Err("must stay within the repository".to_owned());
    }
    Ok(path)
}
