//! What istiod counts.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Result, ensure};
use harness::http_client;

/// Counters of what went wrong: a proxy refused configuration, or istiod could not make, send or accept some.
const WRONG: [&str; 5] = [
    "galley_validation_failed",
    "pilot_total_xds_internal_errors",
    "pilot_xds_write_timeout",
    "pilot_k8s_object_errors",
    "pilot_jwks_resolver_network_fetch_fail_total",
];

/// Where istiod answers with its metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    client: reqwest::Client,
    url: String,
}

impl Metrics {
    /// Those of the istiod at an address.
    pub(crate) fn of(address: Ipv4Addr) -> Result<Self> {
        let client = http_client()?.no_proxy().timeout(Duration::from_secs(10)).build()?;
        Ok(Self { client, url: format!("http://{address}:15014/metrics") })
    }

    /// The counters of what was rejected that are not 0.
    pub(crate) async fn rejected(&self) -> Result<Vec<String>> {
        Ok(rejected(&self.text().await?))
    }

    /// The number of proxies that are connected.
    pub(super) async fn connected(&self) -> Result<usize> {
        Ok(connected(&self.text().await?))
    }

    async fn text(&self) -> Result<String> {
        let text = self.client.get(&self.url).send().await?.error_for_status()?.text().await?;
        ensure!(text.contains("\npilot_"), "istiod shows no metrics of its own at {}", self.url);
        Ok(text)
    }
}

/// The sum over the versions of proxies.
fn connected(text: &str) -> usize {
    let samples = text.lines().filter(|line| line.starts_with("pilot_xds{"));
    samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok()).sum()
}

/// The lines of counters that should be 0 and are not.
fn rejected(text: &str) -> Vec<String> {
    let is_bad = |line: &&str| {
        let Some((series, value)) = line.rsplit_once(' ') else { return false };
        let name = series.split('{').next().unwrap_or(series);
        let counts = WRONG.contains(&name) || (name.starts_with("pilot_") && name.contains("reject"));
        counts && value.parse::<f64>().is_ok_and(|count| count > 0.0)
    };
    text.lines().filter(|line| !line.starts_with('#')).filter(is_bad).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_of_all_versions_are_counted() {
        let text = "pilot_xds{version=\"1.29.1\"} 3\npilot_xds{version=\"1.30.0\"} 1\npilot_xds_pushes{type=\"cds\"} 9\n";
        assert_eq!(connected(text), 4);
    }

    #[test]
    fn only_what_was_rejected_is_found() {
        let text = "# TYPE pilot_total_xds_rejects counter\n\
            pilot_total_xds_rejects{type=\"lds\"} 2\n\
            pilot_total_xds_rejects{type=\"cds\"} 0\n\
            pilot_xds_lds_reject{node=\"a\"} 1\n\
            pilot_xds 3\n\
            pilot_total_xds_internal_errors 0\n";
        assert_eq!(
            rejected(text),
            ["pilot_total_xds_rejects{type=\"lds\"} 2", "pilot_xds_lds_reject{node=\"a\"} 1"]
        );
    }
}
