//! A call to the API server with a time limit, and the back-off after failures.

use std::time::Duration;

use super::error_text;

/// The longest that an answer may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(30);

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no answer within {} s", .0.as_secs_f32())]
    Late(Duration),
    #[error("{}", error_text::of_call(.0))]
    Refused(#[source] Box<kube::Error>),
}

/// Delays that double with each failure, from 1 s to 30 s.
#[derive(Debug, Default)]
pub(crate) struct Backoff(u32);

/// Makes a call that ends within `longest`.
pub(crate) async fn with_timeout<T>(
    longest: Duration,
    call: impl Future<Output = kube::Result<T>>,
) -> Result<T, CallError> {
    match tokio::time::timeout(longest, call).await {
        Ok(answer) => answer.map_err(|error| CallError::Refused(Box::new(error))),
        Err(_) => Err(CallError::Late(longest)),
    }
}

impl CallError {
    /// The server answered with this status code.
    pub(crate) fn is(&self, code: u16) -> bool {
        matches!(self, Self::Refused(error) if matches!(&**error, kube::Error::Api(status) if status.code == code))
    }

    /// The server answered with an error, and so did nothing.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::Refused(error) if matches!(&**error, kube::Error::Api(_)))
    }

    /// The server answered with an object that is not as its type says.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Refused(error) if matches!(&**error, kube::Error::SerdeError(_)))
    }

    /// The server will answer the same again: a client error that is not temporary.
    pub(crate) fn is_refusal(&self) -> bool {
        let code = match self {
            Self::Late(_) => return false,
            Self::Refused(error) => match &**error {
                kube::Error::Api(status) => status.code,
                _ => return false,
            },
        };
        // 429, Too Many Requests, is temporary.
        (400..500).contains(&code) && code != 429
    }
}

impl Backoff {
    pub(crate) fn next(&mut self) -> Duration {
        let pause = FIRST_DELAY.saturating_mul(1 << self.0.min(5)).min(MAX_DELAY);
        self.0 = self.0.saturating_add(1);
        pause
    }

    pub(crate) fn reset(&mut self) {
        self.0 = 0;
    }
}
