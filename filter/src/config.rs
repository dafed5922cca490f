//! Plugin configuration: Istio's `pluginConfig`, or Envoy's `configuration`.

mod json;
mod options;

use std::time::Duration;

use policies::language::{ClusterDomain, ClusterDomainError};

use self::options::Options;

/// Validated configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `host:port` of the control plane, the `:authority` of a poll.
    pub authority: String,
    /// Envoy cluster of the control plane.
    pub cluster: String,
    /// Time for which the server may hold a poll.
    pub poll_wait: Duration,
    /// The same while there is something to report; at most `poll_wait`.
    pub report_interval: Duration,
    /// Time for which faults continue without contact with the control plane; `None` for no limit.
    pub max_staleness: Option<Duration>,
    /// Service name instead of the proxy's own.
    pub service: Option<String>,
    /// Namespace instead of the proxy's own.
    pub namespace: Option<String>,
    /// Namespaces whose policies a waypoint or gateway runs, instead of its own namespace.
    pub namespaces: Vec<String>,
    /// Domain of the services of the mesh.
    pub cluster_domain: ClusterDomain,
    /// Number of requests that a worker thread holds at the same time. Further requests get no delay.
    pub max_active_faults: usize,
}

/// Reason why a configuration is invalid.
#[derive(Debug, PartialEq, Eq)]
pub enum ConfigError {
    Json(String),
    Address(String),
    PollWait(u64),
    ReportInterval(u64),
    ClusterDomain(String),
    MaxActiveFaults,
}

/// In seconds.
const POLL_WAIT: u64 = 30;
const REPORT_INTERVAL: u64 = 10;
const MAX_STALENESS: u64 = 900;
/// Envoy's default limit of parallel requests to a cluster (`max_requests`).
const MAX_ACTIVE_FAULTS: u64 = 1024;

impl Config {
    /// Parses and validates the JSON.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let mut options = Options::parse(json)?;
        let authority = options.text("control_plane_address")?;
        let cluster = options.text("cluster")?;
        let poll_wait_seconds = options.number("poll_wait_seconds")?.unwrap_or(POLL_WAIT);
        let report_interval_seconds = options.number("report_interval_seconds")?.unwrap_or(REPORT_INTERVAL);
        let max_staleness_seconds = options.number("max_staleness_seconds")?.unwrap_or(MAX_STALENESS);
        let service = options.text("service")?;
        let namespace = options.text("namespace")?;
        let namespaces = options.texts("namespaces")?;
        let cluster_domain = options.text("cluster_domain")?;
        let max_active_faults = options.number("max_active_faults")?.unwrap_or(MAX_ACTIVE_FAULTS);
        // An option of the first generation. It is accepted, and has no effect.
        options.take("poll_interval_ms");
        options.end()?;
        let authority =
            authority.ok_or_else(|| ConfigError::Json("`control_plane_address` is missing".into()))?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => {
                (host, port)
            }
            _ => return Err(ConfigError::Address(authority)),
        };
        if !(1..=300).contains(&poll_wait_seconds) {
            return Err(ConfigError::PollWait(poll_wait_seconds));
        }
        if !(1..=300).contains(&report_interval_seconds) {
            return Err(ConfigError::ReportInterval(report_interval_seconds));
        }
        let cluster_domain = cluster_domain.map(ClusterDomain::try_from).transpose();
        let cluster_domain = cluster_domain
            .map_err(|error: ClusterDomainError| ConfigError::ClusterDomain(error.to_string()))?;
        if max_active_faults == 0 {
            return Err(ConfigError::MaxActiveFaults);
        }
        let max_staleness =
            Some(max_staleness_seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs);
        // A held poll is no contact, so two polls must end within the limit.
        let max_wait = max_staleness.map_or(u64::MAX, |staleness| (staleness.as_secs() / 2).max(1));
        let poll_wait = Duration::from_secs(poll_wait_seconds.min(max_wait));
        Ok(Self {
            cluster: cluster.unwrap_or_else(|| format!("outbound|{port}||{host}")),
            poll_wait,
            report_interval: Duration::from_secs(report_interval_seconds).min(poll_wait),
            max_staleness,
            service,
            namespace,
            namespaces,
            cluster_domain: cluster_domain.unwrap_or_default(),
            max_active_faults: usize::try_from(max_active_faults).unwrap_or(usize::MAX),
            authority,
        })
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(error) => write!(f, "not the expected JSON: {error}"),
            Self::Address(address) => write!(f, "control_plane_address must be host:port, not `{address}`"),
            Self::PollWait(seconds) => write!(f, "poll_wait_seconds must be from 1 to 300, not {seconds}"),
            Self::ReportInterval(seconds) => {
                write!(f, "report_interval_seconds must be from 1 to 300, not {seconds}")
            }
            Self::ClusterDomain(error) => write!(f, "cluster_domain: {error}"),
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
        assert_eq!(config.report_interval, Duration::from_secs(10));
        assert_eq!(config.max_staleness, Some(Duration::from_secs(900)));
        assert_eq!(config.max_active_faults, 1024);
        assert!(config.cluster_domain.service("a.b.svc.cluster.local").is_some());
    }

    #[test]
    fn a_configuration_of_the_first_generation_is_accepted() {
        let config = Config::parse(br#"{"control_plane_address": "a:1", "poll_interval_ms": 1000}"#);
        assert!(config.is_ok());
    }

    #[test]
    fn two_polls_end_before_faults_are_stale() {
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
    fn a_report_is_no_later_than_the_end_of_a_poll() {
        let json =
            br#"{"control_plane_address": "a:1", "poll_wait_seconds": 5, "report_interval_seconds": 60}"#;
        assert_eq!(Config::parse(json).unwrap().report_interval, Duration::from_secs(5));
    }

    #[test]
    fn every_option_is_read() {
        let config = Config::parse(
            br#"{"control_plane_address": "a:1", "cluster": "c", "poll_wait_seconds": 5, "report_interval_seconds": 2, "max_staleness_seconds": 0, "service": "s", "namespace": "n", "namespaces": ["a", "b"], "cluster_domain": "mesh.example", "max_active_faults": 7}"#,
        );
        let config = config.unwrap();
        assert_eq!(
            (config.cluster.as_str(), config.poll_wait, config.max_staleness),
            ("c", Duration::from_secs(5), None)
        );
        assert_eq!(config.report_interval, Duration::from_secs(2));
        assert_eq!((config.service.as_deref(), config.namespace.as_deref()), (Some("s"), Some("n")));
        assert_eq!((config.namespaces, config.max_active_faults), (vec!["a".to_owned(), "b".to_owned()], 7));
        assert_eq!(config.cluster_domain.service("a.b.svc.mesh.example"), Some(("a", "b")));
    }

    #[test]
    fn an_invalid_option_is_refused_with_the_reason() {
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
            error(r#"{"control_plane_address": "a:1", "report_interval_seconds": 0}"#),
            ConfigError::ReportInterval(0)
        );
        assert_eq!(
            error(r#"{"control_plane_address": "a:1", "max_active_faults": 0}"#),
            ConfigError::MaxActiveFaults
        );
        assert!(
            error(r#"{"control_plane_address": "a:1", "cluster_domain": "*.local"}"#)
                .to_string()
                .contains("`*.local`")
        );
        assert!(error(r#"{"control_plane_adress": "a:1"}"#).to_string().contains("control_plane_adress"));
        for (json, reason) in [
            ("", "line 1, column 1 is not JSON"),
            ("[]", "it must be an object"),
            ("{}", "`control_plane_address` is missing"),
            (r#"{"control_plane_address": null}"#, "`control_plane_address` is missing"),
            (r#"{"control_plane_address": 1}"#, "`control_plane_address` must be a text"),
            (r#"{"service": "a", "service": "b"}"#, "`service` occurs twice"),
            (r#"{"poll_wait_seconds": 1.5}"#, "`poll_wait_seconds` must be a whole number, 0 or greater"),
            (r#"{"poll_wait_seconds": null}"#, "`poll_wait_seconds` must be a whole number, 0 or greater"),
            (r#"{"namespaces": "a"}"#, "`namespaces` must be a list of texts"),
            (r#"{"namespaces": ["a", 1]}"#, "`namespaces` must be a list of texts"),
        ] {
            assert_eq!(error(json), ConfigError::Json(reason.into()), "{json}");
        }
    }
}
