//! Connections inside of a Pod's network namespace.

use std::fs::File;
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::sync::oneshot;

/// Connects to a port of a Pod's loopback, where servers also listen that are not for others.
pub(super) async fn connect(network: PathBuf, port: u16) -> Result<tokio::net::TcpStream> {
    let (sender, receiver) = oneshot::channel();
    // A thread of its own, which goes into the namespace and ends there. The connection stays where it was made.
    thread::Builder::new().name("inside".to_owned()).spawn(move || {
        let connection = enter(network).and_then(|()| Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port))?));
        // The client may have gone.
        let _ = sender.send(connection);
    })?;
    let connection = receiver.await?.with_context(|| format!("connecting to port {port}"))?;
    connection.set_nonblocking(true)?;
    Ok(tokio::net::TcpStream::from_std(connection)?)
}

fn enter(network: PathBuf) -> Result<()> {
    let namespace = File::open(network)?;
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}
