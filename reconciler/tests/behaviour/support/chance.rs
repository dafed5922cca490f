//! Chance that can be repeated: a number decides all of it.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// The generator SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// Begins with the number in `HFI_MODEL_SEED`, or another each time. It is printed.
    pub(crate) fn new(what: &str) -> Self {
        let given = std::env::var("HFI_MODEL_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
        println!("{what}: HFI_MODEL_SEED={seed}");
        Self(seed)
    }

    /// Another one, which goes its own way.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A time up to so many milliseconds.
    pub(crate) fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.below(most))
    }
}

/// The time that a model runs: `HFI_MODEL_SECONDS`, or this.
pub(crate) fn model_time(usual: Duration) -> Duration {
    let given = std::env::var("HFI_MODEL_SECONDS").ok();
    given.map_or(usual, |seconds| Duration::from_secs(seconds.parse().unwrap()))
}
