//! Instants as the snapshot carries them.

/// The error of a text that is not an instant.
#[derive(Debug, thiserror::Error)]
#[error("must be a time of RFC 3339 from 1970 on, with its offset, such as 2026-12-01T09:00:00Z")]
pub struct TimestampError;

/// Milliseconds since the Unix epoch, UTC.
///
/// The crate never reads a clock: its caller gives the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// An instant so many milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Reads RFC 3339, such as `2026-12-01T09:00:00Z` or `2026-12-01T10:00:00+01:00`.
    #[cfg(feature = "authoring")]
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        u64::try_from(instant.as_millisecond()).map(Self).map_err(|_| TimestampError)
    }

    /// The instant in RFC 3339, in UTC.
    #[cfg(feature = "authoring")]
    pub fn to_rfc3339(self) -> String {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX).to_string()
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The instant `millis` later; the end of time where that would overflow.
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The milliseconds that have passed since `earlier`; 0 if it is later.
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The instant `seconds` later; the end of time where that would overflow.
    pub const fn plus_seconds(self, seconds: u32) -> Self {
        self.plus_millis(seconds as u64 * 1_000)
    }
}
