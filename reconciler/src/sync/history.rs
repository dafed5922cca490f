//! The results of the syncs so far.

use policies::Timestamp;

/// The syncs so far, numbered from 1, and their results.
#[derive(Clone, Debug, Default)]
pub struct Attempts {
    begun: u64,
    succeeded: u64,
    /// The time when the source was last read from end to end.
    pub read_at: Option<Timestamp>,
    /// True while the served policies are those that an earlier process stored.
    pub restored: bool,
    /// The failures since then, if there were any.
    pub failure: Option<Failure>,
}

/// A source that cannot be read.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The time of the first failed sync.
    pub since: Timestamp,
    /// The time of the last failed sync.
    pub at: Timestamp,
    /// The reason of the last failure; free of secrets.
    pub reason: String,
}

impl Attempts {
    /// The number of the sync that began last.
    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    /// The number of the last sync that succeeded.
    pub(super) fn succeeded(&self) -> u64 {
        self.succeeded
    }

    /// A sync begins.
    pub(super) fn begin(&mut self) {
        self.begun += 1;
    }

    /// The sync that began last has succeeded, and its result is published.
    pub(super) fn succeed(&mut self, at: Timestamp) {
        let begun = self.begun;
        *self = Self { begun, succeeded: begun, read_at: Some(at), restored: false, failure: None };
    }

    /// The sync that began last has failed.
    pub(super) fn fail(&mut self, at: Timestamp, reason: String) {
        let since = self.failure.as_ref().map_or(at, |failure| failure.since);
        self.failure = Some(Failure { since, at, reason });
    }

    /// The state of an earlier process is served.
    pub(super) fn restore(&mut self) {
        self.restored = true;
    }
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use super::Attempts;

    #[test]
    fn failures_count_from_the_first_one_since_the_last_success() {
        let at = Timestamp::from_millis;
        let mut attempts = Attempts::default();
        attempts.restore();
        for time in [1, 2] {
            attempts.begin();
            attempts.fail(at(time), time.to_string());
        }
        let failure = attempts.failure.clone().unwrap();
        assert_eq!((failure.since, failure.at, &*failure.reason), (at(1), at(2), "2"));
        assert!(attempts.restored && attempts.read_at.is_none());
        attempts.begin();
        attempts.succeed(at(3));
        assert_eq!((attempts.begun(), attempts.succeeded(), attempts.read_at), (3, 3, Some(at(3))));
        assert!(attempts.failure.is_none() && !attempts.restored);
        attempts.begin();
        attempts.fail(at(4), String::new());
        assert_eq!(attempts.failure.unwrap().since, at(4));
        assert_eq!((attempts.succeeded, attempts.read_at), (3, Some(at(3))), "it is as old as before");
    }
}
