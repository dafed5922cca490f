//! Shares of requests, exact to one in a million.

use std::{fmt, str::FromStr};

/// A share from 0 to 100 percent, kept as parts per million.
///
/// Istio turns a percentage into parts per million by truncating a float, so that 0.57 % becomes
/// 5699; here the decimal text is read digit by digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentage(u32);

/// The error of a text or number that is not a percentage.
#[derive(Debug, thiserror::Error)]
#[error("must be a number from 0 to 100 with at most four decimals")]
pub struct PercentageError;

impl Percentage {
    /// One hundred percent, in parts per million.
    pub const WHOLE: u32 = 1_000_000;

    /// The share in parts per million, 0 to 1,000,000.
    pub const fn parts_per_million(self) -> u32 {
        self.0
    }
}

impl FromStr for Percentage {
    type Err = PercentageError;

    fn from_str(text: &str) -> Result<Self, PercentageError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 4 {
            return Err(PercentageError);
        }
        let whole: u32 = whole.parse().map_err(|_| PercentageError)?;
        let decimals: u32 = format!("{decimals:0<4}").parse().map_err(|_| PercentageError)?;
        whole.checked_mul(10_000).and_then(|ppm| ppm.checked_add(decimals)).ok_or(PercentageError)?.try_into()
    }
}

impl TryFrom<u32> for Percentage {
    type Error = PercentageError;

    fn try_from(parts_per_million: u32) -> Result<Self, PercentageError> {
        if parts_per_million <= Self::WHOLE { Ok(Self(parts_per_million)) } else { Err(PercentageError) }
    }
}

impl From<Percentage> for u32 {
    fn from(percentage: Percentage) -> Self {
        percentage.0
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.0 / 10_000, self.0 % 10_000);
        if decimals == 0 {
            write!(f, "{whole}")
        } else {
            write!(f, "{whole}.{}", format!("{decimals:04}").trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Percentage;

    #[test]
    fn decimals_are_kept_exactly() {
        for (text, ppm) in [
            ("0", 0),
            ("100", 1_000_000),
            ("12.5", 125_000),
            ("0.57", 5_700),
            ("0.0001", 1),
            ("30.0", 300_000),
        ] {
            assert_eq!(text.parse::<Percentage>().unwrap().parts_per_million(), ppm, "{text}");
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for bad in
            ["", "-1", "100.0001", "101", "0.00001", "1e1", ".5", "5.", "NaN", "99999999999", "+1", "٣"]
        {
            assert!(bad.parse::<Percentage>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_percentage_shows_as_the_text_it_is_read_from(ppm in 0..=Percentage::WHOLE) {
            let percentage = Percentage::try_from(ppm).unwrap();
            prop_assert_eq!(percentage.to_string().parse::<Percentage>().unwrap(), percentage);
        }
    }
}
