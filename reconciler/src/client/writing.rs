//! Requests that change policies.

use std::time::Duration;

use reqwest::{
    Method,
    header::{CONTENT_TYPE, IF_MATCH},
};

use super::{exchange::Client, failure::Failure};
use crate::api::writes::Written;

/// The time that the server gets for a change, in its words; and with the way there and back.
const WAIT: &str = "wait=40";
const ANSWER: Duration = Duration::from_secs(60);

/// A change of policies.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Creates or updates all policies of a body.
    Apply {
        media_type: &'a str,
        body: &'a [u8],
    },
    /// Updates one policy that still has this entity tag, with JSON.
    Replace {
        name: &'a str,
        etag: &'a str,
        body: &'a [u8],
    },
    Delete {
        name: &'a str,
    },
}

impl Client {
    /// Makes a change, as one commit.
    pub async fn change(&self, change: Change<'_>, query: &[(&str, &str)]) -> Result<Written, Failure> {
        let request = match change {
            Change::Apply { media_type, body } => self
                .request(Method::POST, &["v1", "policies"], query)
                .header(CONTENT_TYPE, media_type)
                .body(body.to_vec()),
            Change::Replace { name, etag, body } => self
                .request(Method::PUT, &["v1", "policies", name], query)
                .header(CONTENT_TYPE, "application/json")
                .header(IF_MATCH, etag)
                .body(body.to_vec()),
            Change::Delete { name } => self.request(Method::DELETE, &["v1", "policies", name], query),
        };
        let answer = self.answer(request.header("prefer", WAIT), ANSWER).await;
        answer.map_err(|failure| match failure {
            Failure::Unreachable { server, reason, may_have_arrived: true } => {
                Failure::Unanswered { server, reason }
            }
            failure => failure,
        })
    }
}
