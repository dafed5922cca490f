//! Addresses of this machine alone.

use std::net::{Ipv4Addr, SocketAddr};

/// Any free port of the loopback interface.
pub fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}
