//! Requests that change policies, and those that read what was changed.

use std::time::Duration;

use policies::wire::poll;
use reqwest::{
    Method,
    header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH},
};
use serde::de::DeserializeOwned;

use super::{exchange::Client, failure::Failure};
use crate::api::{
    halts::{HaltRequest, HaltState},
    writes::Written,
};

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
    /// Writes one policy as JSON.
    Replace {
        name: &'a str,
        if_it: Condition<'a>,
        body: &'a [u8],
    },
    Delete {
        name: &'a str,
    },
}

/// What must hold for a policy that is replaced.
#[derive(Clone, Copy, Debug)]
pub enum Condition<'a> {
    /// It still has this entity tag.
    Has(&'a str),
    /// It is there, valid or not.
    Exists,
    IsAbsent,
}

impl Client {
    /// Reads a resource as JSON, of a replica that has this revision.
    pub async fn get_at<T: DeserializeOwned>(
        &self,
        revision: &str,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        self.answer(self.request(Method::GET, segments, query).header(poll::REVISION, revision), ANSWER).await
    }

    /// Halts everything. It is answered while the halt is on its way into Git.
    pub async fn halt(&self, reason: &str) -> Result<HaltState, Failure> {
        let body = serde_json::to_vec(&HaltRequest { reason: reason.to_owned() }).unwrap_or_default();
        let request = self.request(Method::POST, &["v1", "halt"], &[]);
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        self.answer(request, ANSWER).await.map_err(unanswered)
    }

    /// Ends the halt of everything.
    pub async fn resume(&self) -> Result<HaltState, Failure> {
        let request = self.request(Method::DELETE, &["v1", "halt"], &[]);
        self.answer(request.header("prefer", WAIT), ANSWER).await.map_err(unanswered)
    }

    /// Makes a change, as one commit.
    pub async fn change(&self, change: Change<'_>, query: &[(&str, &str)]) -> Result<Written, Failure> {
        let request = match change {
            Change::Apply { media_type, body } => self
                .request(Method::POST, &["v1", "policies"], query)
                .header(CONTENT_TYPE, media_type)
                .body(body.to_vec()),
            Change::Replace { name, if_it, body } => {
                let (condition, value) = match if_it {
                    Condition::Has(etag) => (IF_MATCH, etag),
                    Condition::Exists => (IF_MATCH, "*"),
                    Condition::IsAbsent => (IF_NONE_MATCH, "*"),
                };
                self.request(Method::PUT, &["v1", "policies", name], query)
                    .header(CONTENT_TYPE, "application/json")
                    .header(condition, value)
                    .body(body.to_vec())
            }
            Change::Delete { name } => self.request(Method::DELETE, &["v1", "policies", name], query),
        };
        self.answer(request.header("prefer", WAIT), ANSWER).await.map_err(unanswered)
    }
}

/// The failure of a request that may have been done all the same.
fn unanswered(failure: Failure) -> Failure {
    match failure {
        Failure::Unreachable { server, reason, may_have_arrived: true }
        // A proxy that waits no longer, or loses the server, answers in its place.
        | Failure::Intercepted { server, reason } => Failure::Unanswered { server, reason },
        failure => failure,
    }
}
