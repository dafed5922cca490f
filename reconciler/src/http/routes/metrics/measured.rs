//! The requests that proxies count for each policy, as metrics.

use crate::{api::measured::Measured, http::fault_reports::Reports, telemetry::exposition::Exposition};

/// The most policies that have metrics of their own, by name.
const MOST_POLICIES: usize = 500;

pub(super) fn expose(reports: &Reports, metrics: &mut Exposition) {
    let all = reports.all();
    let is_partial = all.iter().any(|(_, measured)| measured.partial);
    let all = || all.iter().take(MOST_POLICIES);
    let of = |name: &str| ("policy", name.to_owned());
    let share = all().filter_map(|(name, measured)| Some(([of(name)], measured.share?)));
    let help =
        "Requests that the percentage of a rule chose, of those that it matched, since the proxies started";
    metrics.values("measured_share", help, share);
    let requests = all().flat_map(|(name, measured)| {
        counts(measured).map(|(counted, count)| ([of(name), ("counted", counted.to_owned())], count as f64))
    });
    metrics.values("measured_requests", "Requests that proxies counted for a policy", requests);
    let rate = all().map(|(name, measured)| ([of(name)], measured.per_second));
    metrics.values("measured_faults_per_second", "Faults a second, by policy", rate);
    let help = "1 if reports of proxies are missing in what is measured";
    metrics.gauge("measured_partial", help, usize::from(is_partial));
}

fn counts(measured: &Measured) -> [(&'static str, u64); 6] {
    let Measured { matched, chosen, aborts, delays, shadow, overflow, .. } = *measured;
    [
        ("matched", matched),
        ("chosen", chosen),
        ("aborts", aborts),
        ("delays", delays),
        ("shadow", shadow),
        ("overflow", overflow),
    ]
}
