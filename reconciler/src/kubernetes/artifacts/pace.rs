//! The namespaces that a release moves: few in a minute, so that somebody notices before all have moved.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// The namespaces that move in a minute.
const MOST: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// The namespaces that moved during the last minute.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<Instant>);

impl Pace {
    /// True if one more may move now; then it counts.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        while self.0.front().is_some_and(|moved| now.saturating_duration_since(*moved) >= MINUTE) {
            self.0.pop_front();
        }
        let may_move = self.0.len() < MOST;
        if may_move {
            self.0.push_back(now);
        }
        may_move
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::{MINUTE, MOST, Pace};

    #[test]
    fn ten_namespaces_move_in_a_minute() {
        let (mut pace, begun) = (Pace::default(), Instant::now());
        let moved = |pace: &mut Pace, now| (0..30).filter(|_| pace.take(now)).count();
        assert_eq!(moved(&mut pace, begun), MOST);
        assert_eq!(moved(&mut pace, begun + MINUTE / 2), 0);
        assert_eq!(moved(&mut pace, begun + MINUTE), MOST);
    }
}
