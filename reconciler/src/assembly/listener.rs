//! The listener of the server.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::{TcpListener, TcpSocket};

/// The number of connections that wait to be accepted; Linux takes at most `net.core.somaxconn`. After a
/// restart all proxies connect at once. One that finds no room tries again only after a second, then two more.
const BACKLOG: u32 = 4_096;

/// Listens. On a machine without IPv6, any address of it is any of IPv4.
pub(super) fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let bound = bind_to(listen);
    if listen.ip() == Ipv6Addr::UNSPECIFIED && bound.is_err() {
        return bind_to((Ipv4Addr::UNSPECIFIED, listen.port()).into());
    }
    bound
}

fn bind_to(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart does not wait for the connections of the process before.
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}
