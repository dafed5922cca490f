//! Counts of what the rules of a policy did to requests.

use std::fmt;

/// A total that a report can carry: less than 2^53, so that a number in JSON holds it exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count(u64);

impl Count {
    /// The greatest count.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The count of this number, or the greatest one.
    pub fn saturating(number: u64) -> Self {
        Self(number).min(Self::MAX)
    }

    /// Reads decimal digits, the first of which is 0 only in `0`; `None` for anything else.
    pub fn parse(digits: &str) -> Option<Self> {
        let is_decimal =
            digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        let count = Self(digits.parse().ok().filter(|_| is_decimal)?);
        (count <= Self::MAX).then_some(count)
    }

    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One value for each thing that is counted about the requests of a policy, in the order of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FaultCounts<T = Count> {
    /// Requests that a rule applies to.
    pub matched: T,
    /// Those of them that the rule's percentage chose.
    pub chosen: T,
    /// Requests that were aborted.
    pub aborts: T,
    /// Requests whose delay began.
    pub delays: T,
    /// Requests that were chosen in shadow mode, and got no fault.
    pub shadow: T,
    /// Requests that were chosen and not held, since too many were held.
    pub overflow: T,
}

impl<T> FaultCounts<T> {
    /// The values in the order of a report.
    pub fn into_array(self) -> [T; 6] {
        let Self { matched, chosen, aborts, delays, shadow, overflow } = self;
        [matched, chosen, aborts, delays, shadow, overflow]
    }

    /// Values in the order of a report.
    pub fn from_array([matched, chosen, aborts, delays, shadow, overflow]: [T; 6]) -> Self {
        Self { matched, chosen, aborts, delays, shadow, overflow }
    }

    /// Each value, replaced by the result of `f`.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> FaultCounts<U> {
        FaultCounts::from_array(self.into_array().map(f))
    }

    /// Each value with that of `other`, replaced by the result of `f`: their sum, or the greater one.
    pub fn zip<U, V>(self, other: FaultCounts<U>, mut f: impl FnMut(T, U) -> V) -> FaultCounts<V> {
        FaultCounts {
            matched: f(self.matched, other.matched),
            chosen: f(self.chosen, other.chosen),
            aborts: f(self.aborts, other.aborts),
            delays: f(self.delays, other.delays),
            shadow: f(self.shadow, other.shadow),
            overflow: f(self.overflow, other.overflow),
        }
    }
}
