//! The requests of the last minute.

use super::Millis;

/// The seconds that are shown.
pub const SECONDS: usize = 60;
/// The seconds that are kept: also the present one, which is not over.
const KEPT: u64 = SECONDS as u64 + 4;

/// Requests that a rule matched, and those of them that got a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Requests {
    pub(super) matched: f64,
    pub(super) faults: f64,
}

/// The requests in each of the last seconds: matched, and faults.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    slots: [[f32; 2]; KEPT as usize],
    /// The newest second that has a slot.
    newest: u64,
}

impl Default for Recent {
    fn default() -> Self {
        Self { slots: [[0.0; 2]; KEPT as usize], newest: 0 }
    }
}

impl Recent {
    /// Adds requests that came between two times: a report does not say when.
    pub(super) fn add(&mut self, requests: Requests, from: Millis, to: Millis) {
        let span = to.saturating_sub(from);
        if span == 0 || requests == Requests::default() {
            return;
        }
        self.advance(to / 1_000);
        let oldest = (self.newest + 1).saturating_sub(KEPT);
        for second in (from / 1_000).max(oldest)..=to / 1_000 {
            let (begin, end) = (second * 1_000, (second + 1) * 1_000);
            let overlap = end.min(to).saturating_sub(begin.max(from));
            let part = |requests: f64| (requests * overlap as f64 / span as f64) as f32;
            if let Some([matched, faults]) = self.slot(second) {
                *matched += part(requests.matched);
                *faults += part(requests.faults);
            }
        }
    }

    /// The requests in each of the 60 seconds before the present one, the oldest first.
    pub(super) fn last_minute(mut self, now: Millis) -> [Requests; SECONDS] {
        let present = now / 1_000;
        self.advance(present);
        let mut shown = [Requests::default(); SECONDS];
        for (age, shown) in (1..).zip(shown.iter_mut().rev()) {
            let second = present.checked_sub(age);
            let [matched, faults] = second.and_then(|second| self.slot(second).copied()).unwrap_or_default();
            *shown = Requests { matched: matched.into(), faults: faults.into() };
        }
        shown
    }

    /// Clears the slots of the seconds that have begun.
    fn advance(&mut self, second: u64) {
        let begun = (self.newest + 1).max((second + 1).saturating_sub(KEPT));
        for new in begun..=second {
            if let Some(slot) = self.slot(new) {
                *slot = [0.0; 2];
            }
        }
        self.newest = self.newest.max(second);
    }

    fn slot(&mut self, second: u64) -> Option<&mut [f32; 2]> {
        self.slots.get_mut((second % KEPT) as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Recent, Requests, SECONDS};

    /// As many faults, of twice as many requests.
    fn requests(faults: f64) -> Requests {
        Requests { matched: 2.0 * faults, faults }
    }

    #[test]
    fn faults_are_spread_over_the_time_between_two_reports() {
        let mut recent = Recent::default();
        recent.add(requests(30.0), 100_500, 103_500);
        let shown = recent.clone().last_minute(104_200);
        assert_eq!(shown[SECONDS - 5..], [0.0, 5.0, 10.0, 10.0, 5.0].map(requests));
        let later = recent.last_minute(163_000);
        assert_eq!(
            later.iter().map(|second| second.faults).sum::<f64>(),
            5.0,
            "older ones are no longer shown"
        );
    }

    proptest! {
        #[test]
        fn none_of_the_last_minute_is_lost_or_shown_twice(
            reports in prop::collection::vec((1..100_u32, 1..30_000_u64), 0..40), pause in 0..90_000_u64,
        ) {
            let (mut recent, mut now, mut all) = (Recent::default(), 0, Vec::new());
            for (faults, span) in reports {
                recent.add(requests(f64::from(faults)), now, now + span);
                all.push((f64::from(faults), now, now + span));
                now += span;
            }
            now += pause;
            let end = now / 1_000 * 1_000;
            let begin = end.saturating_sub(60_000);
            let within = |(faults, from, to): &(f64, u64, u64)| {
                let overlap = (*to).min(end).saturating_sub((*from).max(begin));
                faults * overlap as f64 / (to - from) as f64
            };
            let expected: f64 = all.iter().map(within).sum();
            let shown = recent.last_minute(now);
            let faults: f64 = shown.iter().map(|second| second.faults).sum();
            prop_assert!((expected - faults).abs() < 0.01 * expected.max(1.0), "{expected} {faults}");
            let matched: f64 = shown.iter().map(|second| second.matched).sum();
            prop_assert!((2.0 * faults - matched).abs() < 0.01 * expected.max(1.0), "{faults} {matched}");
        }
    }
}
