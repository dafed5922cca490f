//! The rules of the election, as in client-go. A candidate uses only its own clock: a Lease is free once it
//! has not changed for its duration, whatever times it contains. Clocks that differ between nodes do no harm.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::LeaseSpec, apimachinery::pkg::apis::meta::v1::MicroTime, jiff::Timestamp,
};
use tokio::time::Instant;

/// The time for which a Lease stays held without a renewal.
pub(crate) const DURATION: Duration = Duration::from_secs(15);
/// The time without a renewal after which the holder stops leading: well before another one can start.
pub(crate) const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// The time between two tries of a candidate, or renewals of the holder.
pub(crate) const RETRY: Duration = Duration::from_secs(2);

/// A replica that competes for the Lease.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) identity: String,
    /// The Lease as last seen, and the time since which it has not changed.
    seen: Option<(LeaseSpec, Instant)>,
}

/// The state of a Lease for one candidate.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It is free or ours: to be written as this, unless it has changed meanwhile.
    Claim(LeaseSpec),
    /// Another replica leads.
    Held { by: String },
}

impl Candidate {
    pub(crate) fn new(identity: String) -> Self {
        Self { identity, seen: None }
    }

    /// Judges a Lease that was read at `now`.
    pub(crate) fn judge(&mut self, spec: Option<LeaseSpec>, now: Instant) -> Verdict {
        let spec = spec.unwrap_or_default();
        let since = match &self.seen {
            Some((seen, since)) if *seen == spec => *since,
            _ => now,
        };
        self.seen = Some((spec.clone(), since));
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder == self.identity {
            return Verdict::Claim(LeaseSpec { renew_time: Some(time()), ..spec });
        }
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let duration = seconds.map_or(DURATION, Duration::from_secs);
        if !holder.is_empty() && now < since + duration {
            return Verdict::Held { by: holder.to_owned() };
        }
        Verdict::Claim(LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: Some(time()),
            renew_time: Some(time()),
            lease_transitions: Some(spec.lease_transitions.unwrap_or(0).saturating_add(1)),
            ..spec
        })
    }

    /// The Lease without a holder, if it is ours: the next candidate may take it at once.
    pub(crate) fn release(&self, spec: Option<LeaseSpec>) -> Option<LeaseSpec> {
        let spec = spec.filter(|spec| spec.holder_identity.as_ref() == Some(&self.identity))?;
        Some(LeaseSpec { holder_identity: None, renew_time: Some(time()), ..spec })
    }
}

fn time() -> MicroTime {
    MicroTime(Timestamp::now())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::coordination::v1::LeaseSpec;
    use tokio::time::Instant;

    use super::{Candidate, DURATION, RETRY, Verdict};

    fn candidate(name: &str) -> Candidate {
        Candidate::new(name.to_owned())
    }

    fn claimed(verdict: Verdict) -> LeaseSpec {
        match verdict {
            Verdict::Claim(spec) => spec,
            Verdict::Held { by } => panic!("held by {by}"),
        }
    }

    #[test]
    fn a_lease_is_held_until_it_has_not_changed_for_as_long_as_its_holder_said() {
        let (mut a, mut b) = (candidate("a"), candidate("b"));
        let begin = Instant::now();
        let mut lease = claimed(a.judge(None, begin));
        for second in 0..60 {
            // However often it is looked at, it stays held while it is renewed.
            if second % 10 == 0 {
                lease = claimed(a.judge(Some(lease), begin));
            }
            let now = begin + RETRY / 2 * second;
            assert_eq!(b.judge(Some(lease.clone()), now), Verdict::Held { by: "a".to_owned() }, "{second}");
        }
        let last = begin + RETRY / 2 * 50;
        assert!(matches!(b.judge(Some(lease.clone()), last + DURATION * 9 / 10), Verdict::Held { .. }));
        let taken = claimed(b.judge(Some(lease), last + DURATION));
        assert_eq!((taken.holder_identity.as_deref(), taken.lease_transitions), (Some("b"), Some(2)));
    }

    #[test]
    fn what_a_holder_wrote_of_its_time_does_not_matter() {
        let now = Instant::now();
        for seconds in [-1_000_000, 1_000_000] {
            let mut lease = claimed(candidate("a").judge(None, now));
            let renewed = lease.renew_time.as_mut().expect("it was renewed");
            renewed.0 += k8s_openapi::jiff::SignedDuration::from_secs(seconds);
            let mut b = candidate("b");
            assert!(matches!(b.judge(Some(lease.clone()), now), Verdict::Held { .. }));
            assert!(matches!(b.judge(Some(lease), now + DURATION), Verdict::Claim(_)));
        }
    }

    #[test]
    fn one_that_is_given_up_is_free_at_once() {
        let (mut a, mut b) = (candidate("a"), candidate("b"));
        let now = Instant::now();
        let lease = claimed(a.judge(None, now));
        assert!(b.release(Some(lease.clone())).is_none(), "it is not b's");
        assert!(matches!(b.judge(Some(lease.clone()), now), Verdict::Held { .. }));
        let free = a.release(Some(lease)).expect("it is a's");
        assert_eq!(claimed(b.judge(Some(free), now)).holder_identity.as_deref(), Some("b"));
    }
}
