//! Answers as bytes of HTTP/1.1.

use std::io::Write as _;

use axum::{body::to_bytes, http::StatusCode, response::Response};
use bytes::Bytes;

use crate::date;

/// The usual length of a head and of a small body behind it: one allocation holds both.
const LENGTH: usize = 512;

/// The fate of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    KeepAlive,
    Close,
}

/// An answer to a plain poll.
#[derive(Debug)]
pub enum Answer {
    /// Written by hand: fast, and the body is shared.
    Written { head: Head, body: Bytes },
    /// Any other; its body is in memory.
    Response(Response),
}

/// The beginning of an answer. Its headers are appended as they are: they must be valid.
#[derive(Debug)]
pub struct Head {
    status: StatusCode,
    bytes: Vec<u8>,
}

impl Head {
    pub fn new(status: StatusCode) -> Self {
        let mut head = Self { status, bytes: Vec::with_capacity(LENGTH) };
        let reason = status.canonical_reason().unwrap_or_default();
        head.append(&["HTTP/1.1 ", status.as_str(), " ", reason, "\r\n"]);
        head
    }

    /// Appends a header.
    pub fn header(&mut self, name: &str, value: &str) {
        // Not formatted: that would cost more than all the rest of an answer.
        self.append(&[name, ": ", value, "\r\n"]);
    }

    fn append(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part.as_bytes()));
    }

    /// The whole head. A 304 has no length: that would be the length of the body that is not sent.
    pub(crate) fn end(self, length: usize, after: Connection) -> Vec<u8> {
        let Self { status, mut bytes } = self;
        if status != StatusCode::NOT_MODIFIED {
            let _ = write!(bytes, "content-length: {length}\r\n");
        }
        if after == Connection::Close {
            bytes.extend_from_slice(b"connection: close\r\n");
        }
        bytes.extend_from_slice(b"date: ");
        date::append(&mut bytes);
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes
    }
}

/// A response with its body, as bytes.
pub(crate) async fn write(response: Response, after: Connection) -> Vec<u8> {
    let (parts, body) = response.into_parts();
    // It is here already, and whole.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_else(|_| Bytes::new());
    let mut head = Head::new(parts.status);
    for (name, value) in &parts.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.bytes.extend_from_slice(part);
        }
    }
    let mut bytes = head.end(body.len(), after);
    bytes.extend_from_slice(&body);
    bytes
}
