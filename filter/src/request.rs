//! Requests: what policies see of one, the ones that are held, and the replies to them.

pub mod counts;
pub mod fate;
mod header_fields;
pub mod header_map;
pub mod held;
pub mod lazy_request;
pub mod local_reply;
pub mod source;
pub mod streams;
