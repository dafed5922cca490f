//! Chance, taken once per request.

use crate::{
    language::{Delay, Percentage},
    wire::Digest,
};

/// A source of evenly distributed numbers.
pub trait Dice {
    /// A number below `bound`, each as likely as any other; 0 for a bound of 0.
    fn below(&mut self, bound: u32) -> u32;

    /// True for `share` of the requests. A share of 0 or 100 percent needs no number.
    fn hits(&mut self, share: Percentage) -> bool {
        match share.parts_per_million() {
            0 => false,
            Percentage::WHOLE => true,
            parts => self.below(Percentage::WHOLE) < parts,
        }
    }

    /// A time within the delay, in milliseconds.
    fn within(&mut self, Delay { min_ms, max_ms }: Delay) -> u32 {
        match max_ms.saturating_sub(min_ms) {
            0 => min_ms,
            range => min_ms + self.below(range.saturating_add(1)),
        }
    }
}

/// Dice that always hit: every request is among any share above 0.
#[derive(Debug)]
pub struct AlwaysHit;

impl Dice for AlwaysHit {
    fn below(&mut self, _bound: u32) -> u32 {
        0
    }
}

/// True for `share` of all values, chosen by policy and value: the same answer on every proxy,
/// and one that a larger share does not change from yes to no.
pub(crate) fn sticky(policy: &str, value: &[u8], share: Percentage) -> bool {
    let digest = Digest::of_parts([policy.as_bytes(), value]).into_bytes();
    let hash = digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u128::from(*byte));
    // The 64 bits, scaled to parts per million: what is left of evenness is off by 2⁻⁴⁴.
    let parts = (hash * u128::from(Percentage::WHOLE)) >> 64;
    parts < u128::from(share.parts_per_million())
}
