//! The reasons why a request brings nothing.

use super::token::TokenError;
use crate::api::problem::Problem;

/// The reason why a request brought nothing, in words for people. It may hold text from the server.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request cannot be made as it was asked for.
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("the token would travel to {server} in clear text, where others can read it")]
    Exposed { server: String },
    #[error("cannot set up the connection to {server}: {reason}")]
    Setup { server: String, reason: String },
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        server: String,
        reason: String,
        /// False if it is sure that the server did not get the request.
        may_have_arrived: bool,
    },
    /// A proxy on the way answered, or something else that is no hfi: a server error without a problem document.
    #[error("{server} is not reached, or does not answer itself: {reason}")]
    Intercepted { server: String, reason: String },
    /// A change whose answer did not come.
    #[error("{server} did not tell whether the change was made: {reason}")]
    Unanswered { server: String, reason: String },
    /// Not followed: a token is for the server that was named.
    #[error("{server} redirects to {location}, which is not followed")]
    Redirected { server: String, location: String },
    #[error("{server} answers, and not as hfi does: {reason}")]
    Foreign { server: String, reason: String },
    #[error("{}", problem.detail)]
    Refused { problem: Box<Problem>, retry_after: Option<u64> },
}

impl Failure {
    /// The status of the answer, if the server itself refused.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { problem, .. } => Some(problem.status),
            _ => None,
        }
    }

    /// True if the same request may bring something later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Intercepted { .. } => true,
            Self::Refused { problem, .. } => matches!(problem.status, 429 | 500..),
            _ => false,
        }
    }
}
