//! The time of the next read of the source, if nothing else causes one. It has no clock of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::cause::Cause;

/// The time from the creation of a directory to a second read: files written into it before it was watched were not
/// noticed.
const RECHECK_DELAY: Duration = Duration::from_millis(250);
/// The time from the first failure to the next read. It doubles with each further failure, up to the interval.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The largest number of doublings, far above the longest interval.
const MOST_DOUBLINGS: u32 = 16;

/// The next read, and what it follows from.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    /// The number of failures since the last success.
    failures: u32,
    next: Instant,
    recheck: Option<Instant>,
}

impl Schedule {
    /// A schedule whose first read is due now.
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self { interval, failures: 0, next: now, recheck: None }
    }

    /// The time of the next read.
    pub(super) fn next(&self) -> Instant {
        self.recheck.map_or(self.next, |recheck| recheck.min(self.next))
    }

    /// The cause of the read that is due at [`next`](Self::next).
    pub(super) fn take(&mut self) -> Cause {
        if self.recheck.take_if(|recheck| *recheck <= self.next).is_some() {
            Cause::Recheck
        } else if self.failures > 0 {
            Cause::Retry
        } else {
            Cause::Interval
        }
    }

    /// A directory was created: one more read follows.
    pub(super) fn directory_created(&mut self, now: Instant) {
        self.recheck = Some(now + RECHECK_DELAY);
    }

    /// A read has succeeded. Returns the number of failures before it.
    pub(super) fn succeeded(&mut self) -> u32 {
        std::mem::take(&mut self.failures)
    }

    /// A read has failed.
    pub(super) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Sets the time of the read after the one that is finished now. `random`, from 0 to 1, spreads it, so that
    /// replicas do not fetch in step.
    pub(super) fn finished(&mut self, now: Instant, random: f64) {
        let pause = match self.failures {
            0 => self.interval,
            failures => {
                let doublings = (failures - 1).min(MOST_DOUBLINGS);
                FIRST_RETRY.saturating_mul(1 << doublings).min(self.interval)
            }
        };
        self.next = now + jittered(pause, random);
    }
}

/// Nine to eleven tenths of a duration.
fn jittered(duration: Duration, random: f64) -> Duration {
    let fifth = duration / 5;
    duration - fifth / 2 + fifth.mul_f64(random)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{RECHECK_DELAY, Schedule};
    use crate::sync::cause::Cause;

    const INTERVAL: Duration = Duration::from_secs(30);
    /// The middle: no jitter.
    const EVEN: f64 = 0.5;

    fn schedule() -> (Schedule, Instant) {
        let now = Instant::now();
        (Schedule::new(INTERVAL, now), now)
    }

    #[test]
    fn the_first_read_is_at_once_and_the_next_after_the_interval() {
        let (mut schedule, now) = schedule();
        assert_eq!(schedule.next(), now);
        schedule.finished(now, EVEN);
        assert_eq!((schedule.next() - now, schedule.take()), (INTERVAL, Cause::Interval));
    }

    #[test]
    fn replicas_are_spread_by_a_tenth_to_either_side() {
        let (mut schedule, now) = schedule();
        for (random, seconds) in [(0.0, 27), (1.0, 33)] {
            schedule.finished(now, random);
            assert_eq!(schedule.next() - now, Duration::from_secs(seconds));
        }
    }

    #[test]
    fn retries_slow_down_to_the_interval_until_a_success() {
        let (mut schedule, now) = schedule();
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            schedule.failed();
            schedule.finished(now, EVEN);
            assert_eq!((schedule.next() - now).as_secs(), seconds);
            assert_eq!(schedule.take(), Cause::Retry);
        }
        assert_eq!(schedule.succeeded(), 7);
        schedule.finished(now, EVEN);
        assert_eq!((schedule.next() - now, schedule.take()), (INTERVAL, Cause::Interval));
        assert_eq!(schedule.succeeded(), 0);
    }

    #[test]
    fn a_retry_is_never_later_than_the_interval() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Duration::from_millis(50), now);
        for _ in 0..100 {
            schedule.failed();
        }
        schedule.finished(now, EVEN);
        assert_eq!((schedule.next() - now).as_millis(), 50);
    }

    #[test]
    fn a_new_directory_is_read_once_more() {
        let (mut schedule, now) = schedule();
        schedule.finished(now, EVEN);
        schedule.directory_created(now);
        assert_eq!((schedule.next() - now, schedule.take()), (RECHECK_DELAY, Cause::Recheck));
        assert_eq!((schedule.next() - now, schedule.take()), (INTERVAL, Cause::Interval));
    }

    #[test]
    fn a_read_that_is_due_before_the_recheck_does_not_replace_it() {
        let now = Instant::now();
        let mut schedule = Schedule::new(Duration::from_millis(100), now);
        schedule.finished(now, EVEN);
        schedule.directory_created(now);
        assert_eq!(((schedule.next() - now).as_millis(), schedule.take()), (100, Cause::Interval));
        schedule.finished(now + INTERVAL, EVEN);
        assert_eq!((schedule.next() - now, schedule.take()), (RECHECK_DELAY, Cause::Recheck));
    }
}
