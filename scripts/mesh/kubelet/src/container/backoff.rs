//! The pauses between restarts.

use std::time::Duration;

/// None after the first end, then twice as long each time, up to 30 times the first one.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    ends: u32,
}

impl Backoff {
    pub(super) fn new(first: Duration) -> Self {
        Self { first, ends: 0 }
    }

    /// The pause after a run of this length. A long one makes good for those before.
    pub(super) fn next(&mut self, ran: Duration) -> Duration {
        let longest = self.first.saturating_mul(30);
        if ran > longest.saturating_mul(2) {
            self.ends = 0;
        }
        let pause = match self.ends.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => self.first.saturating_mul(1 << doublings.min(10)).min(longest),
        };
        self.ends = self.ends.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn pauses_double_up_to_five_minutes_and_a_long_run_makes_good() {
        let mut backoff = Backoff::new(Duration::from_secs(10));
        let mut pauses = |ran: u64| backoff.next(Duration::from_secs(ran)).as_secs();
        let first: Vec<_> = std::iter::repeat_with(|| pauses(1)).take(8).collect();
        assert_eq!(first, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!([pauses(601), pauses(600)], [0, 10]);
    }
}
