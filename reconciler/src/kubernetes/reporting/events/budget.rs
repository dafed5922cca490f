//! The limit on how many Events are sent.

use std::time::Duration;

use tokio::time::Instant;

/// A token bucket: 25 Events at once, then one every 10 seconds.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u32,
    since: Instant,
}

impl Budget {
    /// The most Events at once.
    const FULL: u32 = 25;
    /// The time until one more is allowed.
    const REFILL: Duration = Duration::from_secs(10);

    pub(crate) fn new(now: Instant) -> Self {
        Self { left: Self::FULL, since: now }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.since).as_secs() / Self::REFILL.as_secs();
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        self.since += Self::REFILL.saturating_mul(earned);
        self.left = self.left.saturating_add(earned).min(Self::FULL);
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Budget;

    #[test]
    fn however_much_there_is_to_tell_it_stays_bounded() {
        let begin = Instant::now();
        let mut budget = Budget::new(begin);
        let told = |budget: &mut Budget, now| (0..1_000).filter(|_| budget.take(now)).count();
        assert_eq!(told(&mut budget, begin), 25);
        assert_eq!(told(&mut budget, begin + Duration::from_secs(9)), 0);
        assert_eq!(told(&mut budget, begin + Duration::from_secs(35)), 3);
        assert_eq!(told(&mut budget, begin + Duration::from_secs(40)), 1);
        assert_eq!(told(&mut budget, begin + Duration::from_secs(100_000)), 25);
    }
}
