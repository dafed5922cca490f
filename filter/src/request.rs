//! One request: what policies see of it, and what the host is told to do with it.

pub mod header_map;
pub mod held;
pub mod local_reply;
pub mod streams;
pub mod view;
