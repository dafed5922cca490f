//! Chance, thrown once per request.

use crate::percentage::Percentage;

/// A source of evenly distributed numbers below one million.
pub trait Dice {
    /// A number from 0 to 999,999, each as likely as any other.
    fn roll(&mut self) -> u32;

    /// Whether a request is among the `share` that is meant.
    ///
    /// Certainty needs no throw.
    fn falls_within(&mut self, share: Percentage) -> bool {
        match share.parts_per_million() {
            0 => false,
            Percentage::WHOLE => true,
            parts => self.roll() < parts,
        }
    }
}
