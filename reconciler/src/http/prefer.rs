//! `Prefer: wait=N` (RFC 7240, section 4.3): the time for which a client wants to be held.

use std::{fmt, time::Duration};

use axum::{
    http::{HeaderMap, HeaderValue},
    response::Response,
};
use policies::wire::poll::{MAX_WAIT_SECONDS, PREFER};

use super::headers::PREFERENCE_APPLIED;

/// The wait that the client prefers, as far as it is granted: absent, not a number or 0 is not to wait.
pub(crate) fn preferred(headers: &HeaderMap) -> Option<Wait> {
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split(','));
    // The first of several counts.
    let seconds = preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"'))
    })?;
    let seconds: u64 = seconds.parse().ok().filter(|seconds| *seconds > 0)?;
    Some(Wait { seconds: seconds.min(MAX_WAIT_SECONDS) })
}

/// A time to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    seconds: u64,
}

impl Wait {
    pub(crate) fn duration(self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// The same, or this time if that is shorter.
    pub(crate) fn at_most(self, longest: Duration) -> Self {
        Self { seconds: self.seconds.min(longest.as_secs()) }
    }

    /// Tells in an answer that this time was granted.
    pub(crate) fn tell(self, response: &mut Response) {
        if let Ok(granted) = HeaderValue::try_from(self.to_string()) {
            response.headers_mut().insert(PREFERENCE_APPLIED, granted);
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wait={}", self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{Wait, preferred};

    fn wait(value: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", value.parse().unwrap());
        preferred(&headers).map(|Wait { seconds }| seconds)
    }

    #[test]
    fn a_wait_is_taken_from_among_other_preferences_and_bounded() {
        for (value, seconds) in [
            ("wait=30", Some(30)),
            ("respond-async, WAIT = \"10\"; foo=bar", Some(10)),
            ("wait=1, wait=2", Some(1)),
            ("wait=100000", Some(300)),
            ("wait=0", None),
            ("wait=-1", None),
            ("wait=soon", None),
            ("wait", None),
            ("return=minimal", None),
        ] {
            assert_eq!(wait(value), seconds, "{value}");
        }
    }
}
