//! Status codes of answers.

use std::io::Read as _;

use reqwest::{
    blocking::Response,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};

use crate::{
    failure::{Failure, shown},
    media_type::media_type,
};

/// The longest plain text that is read of a refusal, in bytes.
const LONGEST: u64 = 1 << 10;

/// An answer with the content that was asked for.
pub(crate) fn accepted(answer: Response) -> Result<Response, Failure> {
    let status = answer.status().as_u16();
    match status {
        200..=299 => Ok(answer),
        403 => Err(Failure::Forbidden { said: said(answer) }),
        404 | 410 => Err(Failure::NotFound(status)),
        429 => Err(Failure::TooMany { wait: wait(answer.headers()) }),
        500.. => Err(Failure::ServerError { status, wait: wait(answer.headers()) }),
        _ => Err(Failure::Status(status)),
    }
}

/// The words of a refusal, if they are plain text: forges say there who may not do what.
fn said(answer: Response) -> String {
    let kind = answer.headers().get(CONTENT_TYPE).map(|value| media_type(value.as_bytes()));
    if kind.as_deref() != Some("text/plain") {
        return String::new();
    }
    let mut text = Vec::new();
    // What has arrived is shown.
    let _ = answer.take(LONGEST).read_to_end(&mut text);
    shown(&text)
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
