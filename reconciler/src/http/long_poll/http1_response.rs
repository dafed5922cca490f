//! Answers as bytes of HTTP/1.1.

use std::io::Write as _;

use axum::{body::to_bytes, http::StatusCode, response::Response};
use bytes::Bytes;

use super::date;
use crate::http::{
    prefer::Wait,
    routes::snapshot::{MEDIA_TYPE, PREFERENCE_APPLIED, REVISION},
};
use crate::serving::published::Body;

/// How long a head mostly is.
const LENGTH: usize = 384;

/// Whether the connection goes on after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    GoesOn,
    Closes,
}

/// The head of an answer with a snapshot, whose bytes follow.
pub(crate) fn full(body: &Body, wait: Option<Wait>, after: After) -> Vec<u8> {
    let mut head = begin(StatusCode::OK);
    append(&mut head, &["content-type: ", MEDIA_TYPE, "\r\n"]);
    let _ = write!(head, "content-length: {}\r\n", body.bytes.len());
    validators(&mut head, body);
    end(head, wait, after)
}

/// The answer to who has the snapshot. It has no length: that would be the snapshot's.
pub(crate) fn not_modified(body: &Body, wait: Option<Wait>, after: After) -> Vec<u8> {
    let mut head = begin(StatusCode::NOT_MODIFIED);
    validators(&mut head, body);
    end(head, wait, after)
}

/// Any other answer.
pub(crate) async fn other(response: Response, after: After) -> Vec<u8> {
    let (parts, body) = response.into_parts();
    // It is here already, and whole.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_else(|_| Bytes::new());
    let mut bytes = begin(parts.status);
    for (name, value) in &parts.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    if parts.status != StatusCode::NOT_MODIFIED {
        let _ = write!(bytes, "content-length: {}\r\n", body.len());
    }
    let mut bytes = end(bytes, None, after);
    bytes.extend_from_slice(&body);
    bytes
}

fn begin(status: StatusCode) -> Vec<u8> {
    let mut head = Vec::with_capacity(LENGTH);
    let reason = status.canonical_reason().unwrap_or_default();
    append(&mut head, &["HTTP/1.1 ", status.as_str(), " ", reason, "\r\n"]);
    head
}

fn validators(head: &mut Vec<u8>, Body { digest, revision, .. }: &Body) {
    append(head, &["etag: ", &digest.etag(), "\r\n", REVISION.as_str(), ": ", revision.as_str()]);
    append(head, &["\r\ncache-control: no-cache\r\n"]);
}

/// What is appended to every answer is not formatted: that would cost more than all the rest of it.
fn append(head: &mut Vec<u8>, parts: &[&str]) {
    parts.iter().for_each(|part| head.extend_from_slice(part.as_bytes()));
}

fn end(mut head: Vec<u8>, wait: Option<Wait>, after: After) -> Vec<u8> {
    if let Some(wait) = wait {
        let _ = write!(head, "{PREFERENCE_APPLIED}: {wait}\r\n");
    }
    if after == After::Closes {
        head.extend_from_slice(b"connection: close\r\n");
    }
    head.extend_from_slice(b"date: ");
    date::append(&mut head);
    head.extend_from_slice(b"\r\n\r\n");
    head
}
