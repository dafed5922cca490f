//! The other replicas, over time: since when none of them has gone.

use std::collections::BTreeSet;

use policies::Digest;
use tokio::time::{Duration, Instant};

/// The replicas that are known, and the last time that this changed for the worse.
///
/// The filters of a replica that has gone poll another one only after a while. Until then nobody hears them, and what
/// all replicas know is not all.
#[derive(Debug)]
pub struct Roster {
    /// The marks of those that answered or should have, or their addresses while they never answered.
    present: BTreeSet<String>,
    /// The last time that one of them was gone, or that one asked which is none of them.
    unsteady: Instant,
    /// The replicas that answered the last question, and those that did not.
    pub counts: Option<(usize, usize)>,
}

/// The mark of the replica with this id, which it sends when it asks. Only its own answer has the id itself.
pub fn mark(id: &str) -> String {
    Digest::of(id.as_bytes()).to_string()
}

/// True for a text that can be the mark of a replica.
pub fn is_mark(text: &str) -> bool {
    Digest::from_etag(&format!("\"{text}\"")).is_some()
}

impl Roster {
    pub fn new(now: Instant) -> Self {
        Self { present: BTreeSet::new(), unsteady: now, counts: None }
    }

    /// Takes over who is there now. A replica that started anew is another one.
    pub fn learn(&mut self, present: BTreeSet<String>, now: Instant) {
        if !self.present.is_subset(&present) {
            self.unsteady = now;
        }
        self.present = present;
    }

    /// True if the replica with this mark is there.
    pub fn has(&self, mark: &str) -> bool {
        self.present.contains(mark)
    }

    /// Notes the mark of a replica that asks. DNS may lead to it later than filters find it.
    pub fn asked_by(&mut self, mark: &str, now: Instant) {
        if !self.has(mark) {
            self.unsteady = now;
        }
    }

    /// The time for which none has gone, and none has asked that is not known.
    pub fn steady(&self, now: Instant) -> Duration {
        now - self.unsteady
    }
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, Duration, Instant, Roster};

    /// The seconds for which these replicas were steady at the end: each second another exchange, of those who are there.
    fn steady(exchanges: &[&[&str]]) -> u64 {
        let begin = Instant::now();
        let at = |second: usize| begin + Duration::from_secs(second as u64);
        let mut roster = Roster::new(begin);
        for (second, present) in exchanges.iter().enumerate() {
            roster.learn(present.iter().map(|name| (*name).to_owned()).collect(), at(second));
        }
        roster.steady(at(exchanges.len())).as_secs()
    }

    #[test]
    fn a_replica_that_goes_or_starts_anew_begins_the_time_and_one_that_comes_does_not() {
        assert_eq!(steady(&[]), 0);
        assert_eq!(steady(&[&["a"], &["a"], &["a", "b"], &["a", "b"]]), 4);
        assert_eq!(steady(&[&["a", "b"], &["a"], &["a"]]), 2);
        assert_eq!(steady(&[&["a"], &["b"], &["b"]]), 2);
        assert_eq!(steady(&[&["10.0.0.1:80"], &["a"], &["a"], &[]]), 1);
    }

    #[test]
    fn one_that_asks_and_is_not_known_begins_the_time() {
        let begin = Instant::now();
        let at = |second| begin + Duration::from_secs(second);
        let mut roster = Roster::new(begin);
        roster.learn(BTreeSet::from(["a".to_owned()]), at(1));
        roster.asked_by("a", at(2));
        assert_eq!(roster.steady(at(3)), Duration::from_secs(3));
        roster.asked_by("b", at(4));
        assert_eq!(roster.steady(at(5)), Duration::from_secs(1));
    }
}
