//! The wall clock, which may be set at any moment. What passes is measured by [`Instant`]s, which nobody sets.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use policies::Timestamp;

/// The most by which the wall clock goes wrong before it counts as set, in milliseconds.
const SET: u64 = 1_000;

/// The time of the wall clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The seconds since then, to the millisecond.
pub(crate) fn seconds_since(then: Timestamp) -> f64 {
    now().millis_since(then) as f64 / 1_000.0
}

/// Tells the times of instants, by the wall clock as it is set now. An instant keeps its time until the clock is set.
pub(crate) fn times() -> impl Fn(Instant) -> Timestamp {
    static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
    let now = Known { instant: Instant::now(), time: now() };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let newest = known.filter(|known| known.is_right(now)).unwrap_or(now);
    *known = Some(newest);
    move |instant| newest.time_of(instant)
}

/// An instant and its time.
#[derive(Clone, Copy, Debug)]
struct Known {
    instant: Instant,
    time: Timestamp,
}

impl Known {
    /// False if the clock has been set since.
    fn is_right(self, now: Self) -> bool {
        let expected = self.time_of(now.instant);
        expected.millis_since(now.time) <= SET && now.time.millis_since(expected) <= SET
    }

    fn time_of(self, instant: Instant) -> Timestamp {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let after = instant.saturating_duration_since(self.instant);
        let before = self.instant.saturating_duration_since(instant);
        Timestamp::from_millis(
            self.time.plus_millis(millis(after)).as_millis().saturating_sub(millis(before)),
        )
    }
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use super::{Duration, Instant, Known, times};

    #[test]
    fn an_instant_keeps_its_time_until_the_clock_is_set() {
        let begin = Instant::now();
        let at = |second: u64| begin + Duration::from_secs(second);
        let known =
            |second: u64, time: u64| Known { instant: at(second), time: Timestamp::from_millis(time) };
        let first = known(60, 1_060_000);
        for second in [0, 60, 90] {
            assert_eq!(first.time_of(at(second)), Timestamp::from_millis(1_000_000 + second * 1_000));
        }
        assert!(first.is_right(known(90, 1_090_400)), "it drifts");
        assert!(!first.is_right(known(90, 1_330_000)) && !first.is_right(known(90, 850_000)), "it was set");
        assert_eq!(times()(begin), times()(begin));
    }
}
