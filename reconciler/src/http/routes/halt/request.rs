//! The body of a request to halt.

use axum::http::StatusCode;
use serde_json::Value;

use crate::{http::problem::Problem, printable::is_unprintable};

/// The longest reason, in characters.
const MAX_REASON: usize = 200;

/// The reason in a body.
pub(super) fn reason(body: &[u8]) -> Result<String, Problem> {
    let wrong = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    let right = "send `{\"reason\": \"…\"}`";
    let read = serde_json::from_slice::<Value>(body);
    let value = read.map_err(|error| wrong(format!("the body is not JSON: {error}; {right}")))?;
    let Value::Object(mut fields) = value else {
        return Err(wrong(format!("the body is no object; {right}")));
    };
    let reason = fields.remove("reason");
    if let Some(other) = fields.keys().next() {
        let other = other.escape_debug();
        return Err(wrong(format!("`{other}` is not a known field; known here: reason")));
    }
    let Some(Value::String(reason)) = reason else {
        return Err(wrong(format!("`reason` is missing, or no text; {right}")));
    };
    valid_reason(&reason)
}

/// A reason that fits into the subject of a commit.
pub(crate) fn valid_reason(reason: &str) -> Result<String, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON || reason.contains(is_unprintable) {
        let detail = format!("`reason` must be one line of 1 to {MAX_REASON} printable characters");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    Ok(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::reason;

    #[test]
    fn a_reason_is_one_line_of_text() {
        assert_eq!(reason(br#"{"reason": " checkout is down "}"#).unwrap(), "checkout is down");
        let long = format!(r#"{{"reason": "{}"}}"#, "a".repeat(201));
        for (body, said) in [
            ("", "is not JSON"),
            ("{", "is not JSON"),
            ("[]", "is no object"),
            ("\"down\"", "is no object"),
            ("{}", "is missing"),
            (r#"{"reason": null}"#, "is missing"),
            (r#"{"reason": 1}"#, "is missing"),
            (r#"{"reason": ""}"#, "must be one line"),
            (r#"{"reason": "a\nb"}"#, "must be one line"),
            (r#"{"reason": "a", "for": "1h"}"#, "`for` is not a known field"),
            (long.as_str(), "must be one line"),
        ] {
            let problem = reason(body.as_bytes()).unwrap_err();
            assert!(problem.status() == 400 && problem.detail().contains(said), "{body}: {problem:?}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body: Vec<u8>) {
            let _ = reason(&body);
        }
    }
}
