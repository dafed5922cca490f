//! The plugin configuration, as Istio's `pluginConfig` or Envoy's `configuration` hands it over.

use std::time::Duration;

use serde::Deserialize;

/// What the filter needs to know; every value is usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `host:port` of the control plane: the `:authority` of a poll.
    pub authority: String,
    /// The Envoy cluster that leads there.
    pub cluster: String,
    /// How long a poll may be held by the server.
    pub poll_wait: Duration,
    /// For how long faults go on without word from the control plane; `None` is without limit.
    pub max_staleness: Option<Duration>,
    /// Names that go before the proxy's own.
    pub service: Option<String>,
    pub namespace: Option<String>,
    /// Whose policies a waypoint or a gateway runs, instead of its own namespace's.
    pub namespaces: Vec<String>,
    /// How many requests a worker thread holds at once; the next one passes untouched.
    pub max_active_faults: usize,
}

/// Why a configuration cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum ConfigError {
    Json(String),
    Address(String),
    PollWait(u64),
    MaxActiveFaults,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    control_plane_address: String,
    cluster: Option<String>,
    #[serde(default = "default_poll_wait")]
    poll_wait_seconds: u64,
    #[serde(default = "default_max_staleness")]
    max_staleness_seconds: u64,
    service: Option<String>,
    namespace: Option<String>,
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default = "default_max_active_faults")]
    max_active_faults: usize,
    /// Of the first generation, which polled at an interval; there is none any more.
    #[serde(default, rename = "poll_interval_ms")]
    _poll_interval_ms: serde::de::IgnoredAny,
}

fn default_poll_wait() -> u64 {
    30
}

fn default_max_staleness() -> u64 {
    900
}

/// As many as Envoy lets through to a cluster at once unless told otherwise (`max_requests`).
fn default_max_active_faults() -> usize {
    1024
}

impl Config {
    /// Reads the JSON.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let written: Written =
            serde_json::from_slice(json).map_err(|error| ConfigError::Json(error.to_string()))?;
        let authority = written.control_plane_address;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => {
                (host, port)
            }
            _ => return Err(ConfigError::Address(authority)),
        };
        if !(1..=300).contains(&written.poll_wait_seconds) {
            return Err(ConfigError::PollWait(written.poll_wait_seconds));
        }
        if written.max_active_faults == 0 {
            return Err(ConfigError::MaxActiveFaults);
        }
        let max_staleness =
            Some(written.max_staleness_seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs);
        // A poll that is held is no word from the control plane, so it must come twice in that time.
        let held_at_most = max_staleness.map_or(u64::MAX, |staleness| (staleness.as_secs() / 2).max(1));
        Ok(Self {
            cluster: written.cluster.unwrap_or_else(|| format!("outbound|{port}||{host}")),
            poll_wait: Duration::from_secs(written.poll_wait_seconds.min(held_at_most)),
            max_staleness,
            service: written.service,
            namespace: written.namespace,
            namespaces: written.namespaces,
            max_active_faults: written.max_active_faults,
            authority,
        })
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(error) => write!(f, "the plugin configuration is not the JSON expected: {error}"),
            Self::Address(address) => write!(f, "control_plane_address must be host:port, not `{address}`"),
            Self::PollWait(seconds) => write!(f, "poll_wait_seconds must be from 1 to 300, not {seconds}"),
            Self::MaxActiveFaults => f.write_str("max_active_faults must be at least 1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Config, ConfigError};

    #[test]
    fn an_address_alone_is_enough() {
        let config =
            Config::parse(br#"{"control_plane_address": "hfi-control-plane.boifi.svc.cluster.local:8080"}"#);
        let config = config.unwrap();
        assert_eq!(config.cluster, "outbound|8080||hfi-control-plane.boifi.svc.cluster.local");
        assert_eq!(config.authority, "hfi-control-plane.boifi.svc.cluster.local:8080");
        assert_eq!(config.poll_wait, Duration::from_secs(30));
        assert_eq!(config.max_staleness, Some(Duration::from_secs(900)));
        assert_eq!(config.max_active_faults, 1024);
    }

    #[test]
    fn a_configuration_of_the_first_generation_is_accepted() {
        let config = Config::parse(br#"{"control_plane_address": "a:1", "poll_interval_ms": 1000}"#);
        assert!(config.is_ok());
    }

    #[test]
    fn a_poll_comes_back_twice_before_faults_would_be_stale() {
        for (wait, staleness, granted) in [(30, 900, 30), (30, 30, 15), (5, 1, 1), (5, 3, 1), (300, 0, 300)] {
            let json = format!(
                r#"{{"control_plane_address": "a:1", "poll_wait_seconds": {wait}, "max_staleness_seconds": {staleness}}}"#
            );
            assert_eq!(
                Config::parse(json.as_bytes()).unwrap().poll_wait,
                Duration::from_secs(granted),
                "{json}"
            );
        }
    }

    #[test]
    fn everything_can_be_said() {
        let config = Config::parse(
            br#"{"control_plane_address": "a:1", "cluster": "c", "poll_wait_seconds": 5, "max_staleness_seconds": 0, "service": "s", "namespace": "n", "namespaces": ["a", "b"], "max_active_faults": 7}"#,
        );
        let config = config.unwrap();
        assert_eq!(
            (config.cluster.as_str(), config.poll_wait, config.max_staleness),
            ("c", Duration::from_secs(5), None)
        );
        assert_eq!((config.service.as_deref(), config.namespace.as_deref()), (Some("s"), Some("n")));
        assert_eq!((config.namespaces, config.max_active_faults), (vec!["a".to_owned(), "b".to_owned()], 7));
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_reason() {
        let error = |json: &str| Config::parse(json.as_bytes()).unwrap_err();
        for bad in ["a", "a:", ":1", "a:0", "a:65536", ""] {
            assert_eq!(
                error(&format!(r#"{{"control_plane_address": "{bad}"}}"#)),
                ConfigError::Address(bad.into())
            );
        }
        assert_eq!(
            error(r#"{"control_plane_address": "a:1", "poll_wait_seconds": 301}"#),
            ConfigError::PollWait(301)
        );
        assert_eq!(
            error(r#"{"control_plane_address": "a:1", "max_active_faults": 0}"#),
            ConfigError::MaxActiveFaults
        );
        assert!(error(r#"{"control_plane_adress": "a:1"}"#).to_string().contains("control_plane_adress"));
        assert!(matches!(error(""), ConfigError::Json(_)));
    }
}
