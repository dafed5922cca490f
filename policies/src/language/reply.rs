//! Replies in place of the workload's.

use std::fmt;

use super::values::{HeaderName, HeaderValue};

/// The longest body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// A reply and its extra headers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Abort {
    pub reply: Reply,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// An answer of HTTP, or one of gRPC.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    Http {
        status: HttpStatus,
        body: String,
    },
    /// Only for requests with content type `application/grpc`.
    Grpc {
        status: GrpcStatus,
        message: String,
    },
}

/// A status code that Envoy can give as a local reply: 200 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HttpStatus(u16);

/// A status code of gRPC that is an error: 1 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GrpcStatus(u8);

/// The error of a number that is not a status to abort with.
#[derive(Debug, thiserror::Error)]
#[error("must be an HTTP status from 200 to 599")]
pub struct HttpStatusError;

/// The error of a text or number that is not a gRPC status to abort with.
#[derive(Debug, thiserror::Error)]
#[error("must be the name of a gRPC error: {}", GRPC_NAMES.join(", "))]
pub struct GrpcStatusError;

/// The names of the errors, from code 1 on.
const GRPC_NAMES: [&str; 16] = [
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl HttpStatus {
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// True if a reply of this status carries content (RFC 9110, sections 15.3.5 and 15.4.5).
    pub const fn allows_body(self) -> bool {
        !matches!(self.0, 204 | 304)
    }
}

impl fmt::Display for HttpStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u16> for HttpStatus {
    type Error = HttpStatusError;

    fn try_from(code: u16) -> Result<Self, HttpStatusError> {
        if (200..=599).contains(&code) { Ok(Self(code)) } else { Err(HttpStatusError) }
    }
}

impl From<HttpStatus> for u16 {
    fn from(status: HttpStatus) -> Self {
        status.0
    }
}

impl GrpcStatus {
    pub const fn as_u8(self) -> u8 {
        self.0
    }

    /// The status of that name.
    pub fn named(name: &str) -> Result<Self, GrpcStatusError> {
        let index = GRPC_NAMES.iter().position(|known| *known == name).ok_or(GrpcStatusError)?;
        u8::try_from(index + 1).map(Self).map_err(|_| GrpcStatusError)
    }
}

impl TryFrom<u8> for GrpcStatus {
    type Error = GrpcStatusError;

    fn try_from(code: u8) -> Result<Self, GrpcStatusError> {
        if (1..=16).contains(&code) { Ok(Self(code)) } else { Err(GrpcStatusError) }
    }
}

impl From<GrpcStatus> for u8 {
    fn from(status: GrpcStatus) -> Self {
        status.0
    }
}

impl fmt::Display for GrpcStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GRPC_NAMES.get(usize::from(self.0) - 1).unwrap_or(&"UNKNOWN"))
    }
}

#[cfg(test)]
mod tests {
    use super::GrpcStatus;

    #[test]
    fn a_grpc_status_goes_by_its_name() {
        let unavailable = GrpcStatus::named("UNAVAILABLE").unwrap();
        assert_eq!((unavailable.as_u8(), unavailable.to_string().as_str()), (14, "UNAVAILABLE"));
        assert_eq!(GrpcStatus::named("UNAUTHENTICATED").unwrap().as_u8(), 16);
        assert!(GrpcStatus::named("OK").is_err() && GrpcStatus::named("unavailable").is_err());
    }
}
