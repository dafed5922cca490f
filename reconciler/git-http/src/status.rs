//! Status codes of answers.

use reqwest::{
    blocking::Response,
    header::{HeaderMap, RETRY_AFTER},
};

use crate::failure::{Failure, shown};

/// An answer with the content that was asked for.
pub(crate) fn accepted(answer: Response) -> Result<Response, Failure> {
    let status = answer.status().as_u16();
    match status {
        200..=299 => Ok(answer),
        403 => Err(Failure::Forbidden),
        404 | 410 => Err(Failure::NotFound(status)),
        429 => Err(Failure::TooMany { wait: wait(answer.headers()) }),
        500.. => Err(Failure::ServerError { status, wait: wait(answer.headers()) }),
        _ => Err(Failure::Status(status)),
    }
}

/// The wish of a server to be left alone for a while.
fn wait(headers: &HeaderMap) -> String {
    let after = headers.get(RETRY_AFTER).map(|value| shown(value.as_bytes())).unwrap_or_default();
    match after.parse::<u64>() {
        Ok(seconds) => format!("; it asks to wait {seconds} s"),
        Err(_) if after.is_empty() => String::new(),
        Err(_) => format!("; it asks to wait until {after}"),
    }
}
