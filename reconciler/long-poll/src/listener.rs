//! Listeners for connections, and the kernel's options for them. The one file that names `socket2`.

use std::{io, net::IpAddr};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::{
    client::{Client, Prefixes},
    limits::{PROBE_AFTER, PROBE_INTERVAL, UNACKNOWLEDGED_TIME, UNSENT_BYTES},
};

/// A socket that listens, what its connections are secured by, and what tells clients apart.
pub struct Listener {
    tcp: TcpListener,
    clients: Prefixes,
    pub(crate) tls: Option<TlsAcceptor>,
}

impl From<TcpListener> for Listener {
    /// In clear text.
    fn from(tcp: TcpListener) -> Self {
        Self::new(tcp, None, Prefixes::default())
    }
}

impl Listener {
    pub fn new(tcp: TcpListener, tls: Option<TlsAcceptor>, clients: Prefixes) -> Self {
        Self { tcp, clients, tls }
    }

    /// Sets for all connections to come what Linux hands down from the socket that listens to them.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let socket = SockRef::from(&self.tcp);
        // An answer is one small packet that somebody waits for.
        socket.set_tcp_nodelay(true)?;
        let probes = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_INTERVAL);
        socket.set_tcp_keepalive(&probes)?;
        // It is also what ends a peer that leaves the probes unanswered, however many they are.
        socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIME))?;
        socket.set_tcp_notsent_lowat(UNSENT_BYTES)
    }

    pub(crate) async fn accept(&self) -> io::Result<(TcpStream, Client, IpAddr)> {
        let (stream, peer) = self.tcp.accept().await?;
        Ok((stream, self.clients.client(peer.ip()), peer.ip()))
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("tcp", &self.tcp).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;
    use tokio::net::{TcpListener, TcpStream};

    use super::{Listener, PROBE_AFTER, PROBE_INTERVAL, UNACKNOWLEDGED_TIME, UNSENT_BYTES};

    #[tokio::test]
    async fn a_peer_that_is_gone_without_a_word_is_noticed() {
        let listener = Listener::from(TcpListener::bind("127.0.0.1:0").await.unwrap());
        listener.prepare().unwrap();
        let _client = TcpStream::connect(listener.tcp.local_addr().unwrap()).await.unwrap();
        let (accepted, ..) = listener.accept().await.unwrap();
        let socket = SockRef::from(&accepted);
        assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), PROBE_AFTER);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), PROBE_INTERVAL);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED_TIME));
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT_BYTES);
    }
}
