//! The results of many requests, and the check that they are what a policy says.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::client::Answer;

/// A count of answers.
#[derive(Debug, Clone, Default)]
pub struct Results {
    statuses: BTreeMap<u16, usize>,
    latencies: Vec<Duration>,
    aborted: usize,
    delayed: usize,
    failed: usize,
}

impl Results {
    /// Counts one answer.
    pub fn add(&mut self, answer: &Answer) {
        *self.statuses.entry(answer.status.as_u16()).or_default() += 1;
        self.latencies.push(answer.took);
        self.aborted += usize::from(answer.aborted());
        self.delayed += usize::from(answer.delayed());
    }

    /// Counts one request that got no answer at all.
    pub fn add_failure(&mut self) {
        self.failed += 1;
    }

    /// The number of requests that were sent.
    pub fn requests(&self) -> usize {
        self.latencies.len() + self.failed
    }

    /// The number of requests that got this status.
    pub fn with_status(&self, status: u16) -> usize {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    /// The number of requests that the filter answered.
    pub fn aborted(&self) -> usize {
        self.aborted
    }

    /// The number of requests that the filter held before the workload got them.
    pub fn delayed(&self) -> usize {
        self.delayed
    }

    /// The number of requests without an answer.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// The latency that this share of the answers did not exceed (nearest rank); 0 without answers.
    pub fn percentile(&self, share: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

/// The numbers of `requests` that a fault of this probability may hit: all but the rarest at either
/// end, so that a draw falls inside with this `confidence`, such as 0.999.
pub fn expected(requests: usize, probability: f64, confidence: f64) -> RangeInclusive<usize> {
    let tail = (1.0 - confidence) / 2.0;
    if probability <= 0.0 {
        return 0..=0;
    }
    if probability >= 1.0 {
        return requests..=requests;
    }
    // The binomial distribution, each term from the one before; logarithms, for they get small.
    let odds = (probability / (1.0 - probability)).ln();
    let mut term = requests as f64 * (1.0 - probability).ln();
    let (mut below, mut low, mut high) = (0.0, None, requests);
    for count in 0..=requests {
        below += term.exp();
        if low.is_none() && below > tail {
            low = Some(count);
        }
        if below >= 1.0 - tail {
            high = count;
            break;
        }
        term += ((requests - count) as f64 / (count + 1) as f64).ln() + odds;
    }
    low.unwrap_or_default()..=high
}

/// The middle one of several values.
pub fn median<T: Copy + Default + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_unstable_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_faults_leave_no_room() {
        assert_eq!(expected(1000, 0.0, 0.999), 0..=0);
        assert_eq!(expected(1000, 1.0, 0.999), 1000..=1000);
    }

    #[test]
    fn the_bound_is_that_of_the_binomial_distribution() {
        // scipy.stats.binom.ppf([0.0005, 0.9995], 600, 0.3)
        assert_eq!(expected(600, 0.3, 0.999), 144..=218);
        assert_eq!(expected(1, 0.5, 0.999), 0..=1);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let results =
            Results { latencies: (1..=100).map(Duration::from_millis).collect(), ..Results::default() };
        assert_eq!(results.percentile(0.5), Duration::from_millis(50));
        assert_eq!(results.percentile(0.99), Duration::from_millis(99));
        assert_eq!(Results::default().percentile(0.5), Duration::ZERO);
    }
}
