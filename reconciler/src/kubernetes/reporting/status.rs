//! The status of the `PolicySource`, made of what is observed.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp as Moment,
};
use policies::Timestamp;

use super::{
    observation::Observation,
    policy_source::{Inactive, MOST_ERRORS, MOST_LISTED, Rejected, Silent, Status},
    truncate::truncate,
};
use crate::api::kubernetes::SilentProxy;

/// The longest error, in bytes.
const LONGEST_ERROR: usize = 500;
/// The longest message of a condition, in bytes.
const LONGEST_MESSAGE: usize = 2_000;

impl Status {
    /// The status for an observation. Transition times, and lists that are unknown now, come from the status
    /// before.
    pub(crate) fn new(seen: &Observation, leader: &str, before: Option<&Self>) -> Self {
        let version = seen.served.as_ref();
        let errors = |errors: &[String]| {
            errors.iter().take(MOST_ERRORS).map(|error| truncate(error, LONGEST_ERROR)).collect()
        };
        let rejected = seen.rejected.as_ref().map(|files| {
            let rejected =
                |(file, all): &(String, Vec<String>)| Rejected { file: file.clone(), errors: errors(all) };
            files.iter().map(rejected).collect()
        });
        let inactive = seen.inactive.as_ref().map(|policies| {
            let inactive = |(policy, reason): &(String, String)| Inactive {
                policy: policy.clone(),
                reason: reason.clone(),
            };
            policies.iter().map(inactive).collect()
        });
        let silent = |silent: &SilentProxy| Silent {
            pod: format!("{}/{}", silent.namespace, silent.pod),
            plugins: silent.plugins.clone(),
            since: String::from(silent.since),
        };
        let silent_proxies = seen.proxies.as_ref().map(|proxies| {
            let first = proxies.silent.iter().take(MOST_LISTED);
            first.map(silent).collect()
        });
        let before_or_none = before.cloned().unwrap_or_default();
        Self {
            leader: leader.to_owned(),
            revision: version.map(|version| version.revision.to_string()),
            digest: version.map(|version| version.digest.to_string()),
            halted: seen.halted,
            withdrawn: seen.withdrawn.clone(),
            summary: seen.counts,
            rejected: rejected.unwrap_or(before_or_none.rejected),
            inactive: inactive.unwrap_or(before_or_none.inactive),
            silent_proxies,
            last_read_time: seen.read_at.map(Timestamp::to_rfc3339),
            conditions: conditions(seen, before),
        }
    }

    /// Equal apart from the time of the last read.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let timeless = |status: &Self| Self { last_read_time: None, ..status.clone() };
        timeless(self) == timeless(other)
    }
}

pub(crate) const READY: &str = "Ready";
pub(crate) const SOURCE_REACHABLE: &str = "SourceReachable";
pub(crate) const POLICIES_VALID: &str = "PoliciesValid";

fn conditions(seen: &Observation, before: Option<&Status>) -> Vec<Condition> {
    let counts = &seen.counts;
    let ready = match &seen.served {
        None => ("False", "NothingToServe", seen.reason.clone()),
        Some(_) if seen.halted => (
            "False",
            "Halted",
            "the replica that leads is halted, and serves empty snapshots only; `hfi doctor` asks all"
                .to_owned(),
        ),
        Some(_) if seen.withdrawn.is_some() => {
            ("False", "Withdrawn", seen.withdrawn.clone().unwrap_or_default())
        }
        Some(_) => {
            let policies: usize = counts.states().iter().map(|(_, count)| count).sum();
            ("True", "Serving", format!("active policies: {} of {policies}", counts.active))
        }
    };
    let source = match (&seen.failure, seen.read_at) {
        (Some(reason), _) => ("False", "Unreadable", reason.clone()),
        (None, Some(_)) => ("True", "Read", "the source was read".to_owned()),
        (None, None) => ("Unknown", "NotReadYet", "the source has not been read yet".to_owned()),
    };
    let valid = match counts.rejected_files {
        0 => ("True", "Valid", "no file is rejected".to_owned()),
        files => ("False", "Rejected", format!("rejected files: {files}, errors: {}", counts.errors)),
    };
    let condition = |(kind, (status, reason, message)): (&str, (&str, &str, String))| {
        let known = before.and_then(|before| before.condition(kind)).filter(|known| known.status == status);
        Condition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: truncate(&message, LONGEST_MESSAGE),
            last_transition_time: known.map_or_else(this_second, |known| known.last_transition_time.clone()),
            observed_generation: None,
        }
    };
    [(READY, ready), (SOURCE_REACHABLE, source), (POLICIES_VALID, valid)].map(condition).into()
}

/// Now, in whole seconds, as the API server stores it.
fn this_second() -> Time {
    Time(Moment::from_second(Moment::now().as_second()).unwrap_or(Moment::UNIX_EPOCH))
}
