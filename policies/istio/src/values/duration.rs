//! Durations, in the syntax of Go.

use std::{fmt, str::FromStr};

/// A duration of whole milliseconds, at least one: Istio refuses any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    millis: u64,
}

/// The error of a text that is not such a duration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    #[error("is not a duration: write a number and a unit, such as `10s`, `250ms` or `1h30m`")]
    Syntax,
    #[error("must be at least `1ms`")]
    TooShort,
    #[error("has a fraction of a millisecond, which Istio refuses; write whole milliseconds")]
    Fraction,
    #[error("is longer than Go's longest duration, about 292 years")]
    TooLong,
}

/// The units of Go and their nanoseconds. A unit stands before those that it begins with.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The most digits that a number is read with, before and after its point.
const MAX_DIGITS: usize = 18;

impl Duration {
    /// A duration that is known to be right.
    pub const fn seconds(seconds: u32) -> Self {
        Self { millis: if seconds == 0 { 1 } else { seconds as u64 * 1_000 } }
    }

    pub const fn as_millis(self) -> u64 {
        self.millis
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        if text == "0" {
            return Err(DurationError::TooShort);
        }
        if text.strip_prefix('-').is_some_and(|rest| nanoseconds(rest).is_ok()) {
            return Err(DurationError::TooShort);
        }
        let nanoseconds = nanoseconds(text.strip_prefix('+').unwrap_or(text))?;
        if nanoseconds > i64::MAX as u128 {
            return Err(DurationError::TooLong);
        }
        if nanoseconds < 1_000_000 {
            return Err(DurationError::TooShort);
        }
        match (u64::try_from(nanoseconds / 1_000_000), nanoseconds % 1_000_000) {
            (Ok(millis), 0) => Ok(Self { millis }),
            _ => Err(DurationError::Fraction),
        }
    }
}

/// The nanoseconds of numbers with units, one after the other.
fn nanoseconds(mut text: &str) -> Result<u128, DurationError> {
    let mut sum = 0_u128;
    if text.is_empty() {
        return Err(DurationError::Syntax);
    }
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(DurationError::Syntax)?;
        let (number, rest) = text.split_at(end);
        let unit = UNITS.iter().find(|(unit, _)| rest.starts_with(unit)).ok_or(DurationError::Syntax)?;
        sum = sum.checked_add(product(number, unit.1)?).ok_or(DurationError::TooLong)?;
        text = rest.strip_prefix(unit.0).unwrap_or_default();
    }
    Ok(sum)
}

/// A decimal number times the nanoseconds of its unit. A fraction of a nanosecond counts as one.
fn product(number: &str, unit: u128) -> Result<u128, DurationError> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && decimals.is_empty()) || !is_number(decimals) {
        return Err(DurationError::Syntax);
    }
    if whole.len() > MAX_DIGITS || decimals.len() > MAX_DIGITS {
        return Err(DurationError::TooLong);
    }
    let value = |digits: &str| if digits.is_empty() { Ok(0) } else { digits.parse::<u128>() };
    let (whole, part) =
        value(whole).and_then(|whole| Ok((whole, value(decimals)?))).map_err(|_| DurationError::Syntax)?;
    let scale = 10_u128.pow(decimals.len() as u32);
    Ok(whole * unit + (part * unit).div_ceil(scale))
}

impl fmt::Display for Duration {
    /// In the largest unit of which it is a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
        match units.into_iter().find(|(_, millis)| self.millis.is_multiple_of(*millis)) {
            Some((unit, millis)) => write!(f, "{}{unit}", self.millis / millis),
            None => write!(f, "{}ms", self.millis),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Duration, DurationError};

    #[test]
    fn durations_are_in_the_syntax_of_go() {
        for (text, shown) in [
            ("10s", "10s"),
            ("1ms", "1ms"),
            ("250ms", "250ms"),
            ("1.5s", "1500ms"),
            (".5s", "500ms"),
            ("90s", "90s"),
            ("7h", "7h"),
            ("120s", "2m"),
            ("1h30m", "90m"),
            ("+2h", "2h"),
            ("1000us", "1ms"),
            ("0.001s", "1ms"),
            ("1s500ms", "1500ms"),
        ] {
            assert_eq!(text.parse::<Duration>().map(|d| d.to_string()), Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        use DurationError::{Fraction, Syntax, TooLong, TooShort};
        for (text, error) in [
            ("", Syntax),
            ("10", Syntax),
            ("s", Syntax),
            (".s", Syntax),
            ("1.2.3s", Syntax),
            ("1d", Syntax),
            ("1 s", Syntax),
            ("-1s", TooShort),
            ("0", TooShort),
            ("0s", TooShort),
            ("999us", TooShort),
            ("1.0005s", Fraction),
            ("1.0000000000001s", Fraction),
            ("9999999h", TooLong),
            ("99999999999999999999s", TooLong),
        ] {
            assert_eq!(text.parse::<Duration>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_duration_reads_as_it_is_shown(millis in 1..9_000_000_000_000_u64) {
            let duration = Duration { millis };
            prop_assert_eq!(duration.to_string().parse::<Duration>(), Ok(duration));
        }

        #[test]
        fn any_text_is_a_duration_or_none(text in "[0-9.smhnuµ+-]{0,30}") {
            let _ = text.parse::<Duration>();
        }
    }
}
