//! Limits on how often somebody may do something: a token bucket for each.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The number of buckets that are kept before full ones are forgotten.
const KEPT: usize = 10_000;

/// A bucket for each key. It starts full, and is filled at a rate.
#[derive(Debug)]
pub struct Buckets<K> {
    burst: f64,
    per_second: f64,
    levels: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// Buckets of this size that are filled at this rate.
    pub fn new(burst: u32, per_second: f64) -> Self {
        Self { burst: f64::from(burst), per_second, levels: Mutex::default() }
    }

    /// Takes one from a bucket. The error is the time until there is one again.
    pub fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        self.with(key, now, |level| {
            if *level < 1.0 {
                return Err(*level);
            }
            *level -= 1.0;
            Ok(())
        })
        .map_err(|level| self.wait(level))
    }

    /// The time until there is one in a bucket, without taking it; absent if there is one now.
    pub fn until_free(&self, key: K, now: Instant) -> Option<Duration> {
        let level = self.with(key, now, |level| *level);
        (level < 1.0).then(|| self.wait(level))
    }

    fn wait(&self, level: f64) -> Duration {
        Duration::try_from_secs_f64((1.0 - level) / self.per_second).unwrap_or(Duration::MAX)
    }

    fn with<T>(&self, key: K, now: Instant, act: impl FnOnce(&mut f64) -> T) -> T {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = |level: f64, at: Instant| {
            let gained = now.saturating_duration_since(at).as_secs_f64() * self.per_second;
            (level + gained).min(self.burst)
        };
        if levels.len() >= KEPT {
            levels.retain(|_, (level, at)| filled(*level, *at) < self.burst);
        }
        if levels.len() >= KEPT {
            // All of them are in use: they begin again, so that their number is bounded.
            levels.clear();
        }
        let entry = levels.entry(key).or_insert((self.burst, now));
        *entry = (filled(entry.0, entry.1), now);
        act(&mut entry.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Buckets;

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let (buckets, now) = (Buckets::new(3, 2.0), Instant::now());
        assert!((0..3).all(|_| buckets.take("a", now).is_ok()));
        assert_eq!(buckets.take("a", now), Err(Duration::from_millis(500)));
        assert_eq!(buckets.until_free("a", now), Some(Duration::from_millis(500)));
        assert!(buckets.take("b", now).is_ok(), "another has a bucket of its own");
        let later = now + Duration::from_millis(600);
        assert!(buckets.until_free("a", later).is_none() && buckets.take("a", later).is_ok());
        assert!(buckets.take("a", later).is_err());
    }

    #[test]
    fn no_number_of_keys_takes_more_memory() {
        let (buckets, now) = (Buckets::new(1, 1.0), Instant::now());
        for key in 0..50_000 {
            let _ = buckets.take(key, now);
        }
        assert!(buckets.levels.lock().unwrap().len() <= super::KEPT);
    }
}
