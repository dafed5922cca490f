//! Random numbers, seeded with the host's entropy.
//!
//! Every root context of every VM has a generator of its own, seeded with 256 random bits when it is
//! configured, so that no two produce the same sequence, and none repeats it after a restart.

use std::time::Duration;

use policies::Dice;
use rand_xoshiro::{
    Xoshiro256StarStar,
    rand_core::{Rng, SeedableRng},
};

/// Generator of evenly distributed numbers. Not for secrets.
#[derive(Debug)]
pub struct Random(Xoshiro256StarStar);

impl Random {
    /// Generator that starts with this entropy.
    pub fn seeded(seed: [u8; 32]) -> Self {
        Self(Xoshiro256StarStar::from_seed(seed))
    }

    /// Number below `bound`, each with the same probability (Lemire, 2019).
    fn uniform(&mut self, bound: u64) -> u64 {
        let threshold = bound.wrapping_neg() % bound.max(1);
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(bound);
            // A product below the threshold would favour some results: it is drawn again.
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// Random id.
    pub fn id(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Time up to `whole`, in whole milliseconds.
    pub fn up_to(&mut self, whole: Duration) -> Duration {
        Duration::from_millis(self.uniform(whole.as_millis() as u64 + 1))
    }

    /// Time between half of `whole` and `whole`, in whole milliseconds.
    pub fn jitter(&mut self, whole: Duration) -> Duration {
        let millis = whole.as_millis() as u64;
        Duration::from_millis(millis - self.uniform(millis / 2 + 1))
    }
}

impl Dice for Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.uniform(u64::from(bound)) as u32
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use policies::Dice;

    use super::Random;

    const MILLION: u32 = 1_000_000;

    fn seed(first: u8) -> [u8; 32] {
        std::array::from_fn(|i| first.wrapping_add(i as u8).wrapping_mul(37))
    }

    #[test]
    fn a_share_of_a_million_rolls_is_as_asked() {
        // 30 % and 0.01 %, each within the 99.9 % bound of the binomial distribution.
        for (parts, bound) in [(300_000.0_f64, 1_508.0), (100.0, 33.0)] {
            let mut random = Random::seeded(seed(7));
            let hits = (0..1_000_000).filter(|_| f64::from(random.below(MILLION)) < parts).count();
            assert!((hits as f64 - parts).abs() <= bound, "{hits} of {parts}");
        }
    }

    #[test]
    fn rolls_are_uniform() {
        // Chi-squared over 100 equal bins; 148.2 is the 99.9 % quantile for 99 degrees of freedom.
        let mut random = Random::seeded(seed(11));
        let mut bins = [0_f64; 100];
        for _ in 0..1_000_000 {
            bins[random.below(MILLION) as usize / 10_000] += 1.0;
        }
        let chi_squared: f64 = bins.iter().map(|count| (count - 10_000.0).powi(2) / 10_000.0).sum();
        assert!(chi_squared < 148.2, "{chi_squared}");
    }

    #[test]
    fn different_seeds_share_no_sequence_and_no_seed_gets_stuck() {
        let sequence = |seed| {
            let mut random = Random::seeded(seed);
            std::array::from_fn::<_, 8, _>(|_| random.below(MILLION))
        };
        assert_ne!(sequence(seed(1)), sequence(seed(2)));
        assert_ne!(sequence([0; 32]), [0; 8]);
    }

    #[test]
    fn a_spread_is_even_from_nothing_to_the_whole() {
        let mut random = Random::seeded(seed(5));
        let whole = Duration::from_secs(1);
        let times: Vec<_> = (0..10_000).map(|_| random.up_to(whole)).collect();
        assert!(times.iter().all(|time| *time <= whole));
        let early = times.iter().filter(|time| **time < whole / 10).count();
        assert!((850..1_150).contains(&early), "{early} of 10,000 in the first tenth");
    }

    #[test]
    fn jitter_stays_between_half_and_whole() {
        let mut random = Random::seeded(seed(3));
        let (half, whole) = (Duration::from_millis(500), Duration::from_secs(1));
        assert!((0..10_000).all(|_| (half..=whole).contains(&random.jitter(whole))));
        assert!((0..100).all(|_| random.jitter(Duration::ZERO).is_zero()));
    }
}
