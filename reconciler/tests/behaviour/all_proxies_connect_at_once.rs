//! Proxies that connect at the same moment, as after a restart, while the server does something else.

use std::{net::SocketAddr, time::Duration};

use tokio::{net::TcpStream, task::JoinSet, time::timeout};

use crate::support::process::{Process, text};

/// Linux lets `net.core.somaxconn` wait: 4,096 since 5.4.
const PROXIES: usize = 500;
/// A connection that finds no room is tried again after a second.
const AT_ONCE: Duration = Duration::from_millis(900);

#[tokio::test]
async fn hundreds_of_connections_wait_for_a_server_that_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let hfi = Process::start(&[("HFI_DIR", text(folder.path()))]).await;
    let address: SocketAddr = hfi.url.trim_start_matches("http://").parse().unwrap();
    hfi.stop();
    let mut connecting = JoinSet::new();
    for _ in 0..PROXIES {
        connecting.spawn(timeout(AT_ONCE, TcpStream::connect(address)));
    }
    let mut connected = Vec::new();
    while let Some(connection) = connecting.join_next().await {
        if let Ok(Ok(stream)) = connection.unwrap() {
            connected.push(stream);
        }
    }
    hfi.signal("CONT");
    assert_eq!(connected.len(), PROXIES, "connections that found room");
}
