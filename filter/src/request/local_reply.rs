//! An abort as the host sends it.

use policies::language::{Abort, Reply};

use super::header_map;

/// Header that names the fault of a reply or a request: `abort` or `delay`.
pub const FAULT: &str = "x-hfi-fault";
/// Header that names the policy of the fault.
pub const POLICY: &str = "x-hfi-policy";

/// Status of a reply that is not gRPC, unless the request's content type makes the host convert it.
const NO_GRPC_STATUS: i32 = -1;

/// Arguments of the ABI's `proxy_send_local_response`.
#[derive(Debug, PartialEq, Eq)]
pub struct LocalReply<'a> {
    pub status: u32,
    /// `%RESPONSE_CODE_DETAILS%` of the access log.
    pub details: String,
    /// Body, or the message of a gRPC reply.
    pub body: &'a [u8],
    /// Encoded header map.
    pub headers: Vec<u8>,
    pub grpc_status: i32,
}

impl<'a> LocalReply<'a> {
    /// Reply that aborts a request as this policy says.
    pub fn new(policy: &str, Abort { reply, headers }: &'a Abort) -> Self {
        let marks = [(FAULT, "abort"), (POLICY, policy)].into_iter();
        let headers = marks.chain(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let (status, body, grpc_status) = match reply {
            Reply::Http { status, body } => (status.as_u16().into(), body, NO_GRPC_STATUS),
            Reply::Grpc { status, message } => (200, message, status.as_u8().into()),
        };
        Self {
            status,
            details: format!("hfi_abort_{policy}"),
            body: body.as_bytes(),
            headers: header_map::encode(&headers.collect::<Vec<_>>()),
            grpc_status,
        }
    }
}

#[cfg(test)]
mod tests {
    use policies::language::{Abort, Reply};

    use super::LocalReply;
    use crate::request::header_map;

    #[test]
    fn an_abort_names_its_policy_to_the_client_and_to_the_access_log() {
        let abort = Abort {
            reply: Reply::Http { status: 503.try_into().unwrap(), body: "down".into() },
            headers: Vec::new(),
        };
        let reply = LocalReply::new("a", &abort);
        assert_eq!((reply.status, reply.details.as_str(), reply.body), (503, "hfi_abort_a", &b"down"[..]));
        assert_eq!(reply.headers, header_map::encode(&[("x-hfi-fault", "abort"), ("x-hfi-policy", "a")]));
        assert_eq!(reply.grpc_status, -1);
    }

    #[test]
    fn a_grpc_abort_is_a_status_and_a_message() {
        let reply = Reply::Grpc { status: 14.try_into().unwrap(), message: "zu".into() };
        let abort = Abort { reply, headers: Vec::new() };
        let reply = LocalReply::new("a", &abort);
        assert_eq!((reply.status, reply.grpc_status, reply.body), (200, 14, &b"zu"[..]));
    }
}
