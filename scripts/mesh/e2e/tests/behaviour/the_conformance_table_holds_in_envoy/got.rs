//! The result of a request, compared with the expected one.

use std::time::Duration;

use harness::Answer;
use serde_json::Value;

use super::cases::{Abort, Delay, Expectation, Request};

/// An answer, and whether the workload knows of the request.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) answer: Answer,
    pub(crate) reached: bool,
}

impl Got {
    /// The differences from what the request is to get.
    pub(crate) fn differences(&self, request: &Request) -> Vec<&'static str> {
        let Self { answer, reached } = self;
        let passed = [
            ("the status is not the workload's", answer.status == 200),
            ("the workload did not get the request", *reached),
            ("the workload got another method", self.echo("method").as_ref() == Some(&request.method)),
            ("the workload got another path", self.echo("path").as_ref() == Some(&request.path)),
            ("the answer is marked", answer.header("x-hfi-fault").is_none()),
        ];
        let marked = |name| answer.seen_by_workload(name);
        let checks = match &request.expect {
            Expectation::Nothing | Expectation::Shadow(_) => {
                let unmarked = marked("x-hfi-fault").is_none() && marked("x-hfi-policy").is_none();
                [&passed[..], &[("the request is marked", unmarked)]].concat()
            }
            Expectation::Delay(Delay { policy, ms, max_ms: _ }) => {
                let marks = [
                    ("the request is not marked as delayed", answer.delayed()),
                    ("another policy delayed it", marked("x-hfi-policy").as_ref() == Some(policy)),
                    ("it was too early", self.took(*ms)),
                ];
                [&passed[..], &marks].concat()
            }
            Expectation::Abort(abort) => self.abort(abort),
        };
        checks.into_iter().filter(|(_, holds)| !holds).map(|(difference, _)| difference).collect()
    }

    fn abort(&self, abort: &Abort) -> Vec<(&'static str, bool)> {
        let Self { answer, reached } = self;
        let mut headers = abort.headers.iter();
        let mut checks = vec![
            ("the workload got the request", !reached),
            ("the answer is not marked as aborted", answer.aborted()),
            ("another policy aborted it", answer.header("x-hfi-policy") == Some(&abort.policy)),
            ("the body differs", answer.body == abort.body),
            ("a header differs", headers.all(|(name, value)| answer.header(name) == Some(value))),
            ("it was too early", self.took(abort.ms)),
        ];
        match abort.grpc {
            None => checks.push(("the status differs", Some(answer.status.as_u16()) == abort.status)),
            // A gRPC error is an HTTP success whose trailers say otherwise, and here are its headers.
            Some(code) => checks.extend([
                ("the status is not 200", answer.status == 200),
                ("it is not a gRPC answer", answer.header("content-type") == Some("application/grpc")),
                ("the gRPC status differs", answer.header("grpc-status") == Some(&code.to_string())),
                ("the message differs", answer.header("grpc-message").unwrap_or_default() == abort.message),
            ]),
        }
        checks
    }

    fn took(&self, ms: u64) -> bool {
        self.answer.took >= Duration::from_millis(ms)
    }

    /// A field of the request as the workload got it.
    fn echo(&self, field: &str) -> Option<String> {
        let echo: Value = serde_json::from_str(&self.answer.body).ok()?;
        Some(echo.get(field)?.as_str()?.to_owned())
    }
}
