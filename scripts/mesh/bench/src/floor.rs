//! A server that holds all requests and answers them all at once, by one write each: what is left is the work of
//! the kernel and of the clients. No server can be faster, and the clients are seen not to be what limits it.

use std::{
    collections::BTreeMap,
    io::{ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use anyhow::{Context as _, Result};
use reconciler::cli::{Serve, ServeConfig};

use crate::ready::Ready;

/// The answer to each poll, about as long as hfi's.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 67\r\n\
etag: \"0000000000000000000000000000000000000000000000000000000000000000\"\r\n\
cache-control: no-cache\r\ndate: Sun, 29 Nov 2026 00:00:00 GMT\r\n\r\n\
0123456789012345678901234567890123456789012345678901234567890123456";
const DONE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const LISTENER: usize = usize::MAX;

pub(crate) fn run(serve: Serve) -> Result<()> {
    let ServeConfig { listen, .. } = serve.resolve(|name| std::env::var(name).ok())?;
    let listener = TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    // As `hfi serve` logs it.
    println!(r#"{{"message":"listening","address":"{}"}}"#, listener.local_addr()?);
    let ready = Ready::new()?;
    ready.add(&listener, LISTENER)?;
    let (mut connections, mut held, mut buffer) = (BTreeMap::new(), Vec::new(), [0; 4_096]);
    let mut next = 0;
    loop {
        for number in ready.wait(None)? {
            if number == LISTENER {
                while let Some(stream) = accepted(&listener)? {
                    ready.add(&stream, next)?;
                    connections.insert(next, stream);
                    next += 1;
                }
                continue;
            }
            let stream: &mut TcpStream = connections.get_mut(&number).context("no such connection")?;
            // Whoever leaves may do it in any way.
            let length = stream.read(&mut buffer).unwrap_or_default();
            match buffer.get(..length).unwrap_or_default() {
                [] => drop(connections.remove(&number)),
                [b'P', ..] => {
                    for number in held.drain(..) {
                        if let Some(stream) = connections.get_mut(&number) {
                            stream.write_all(ANSWER)?;
                        }
                    }
                    connections.get_mut(&number).context("no such connection")?.write_all(DONE)?;
                }
                request if request.starts_with(b"GET /v1/ready") => stream.write_all(DONE)?,
                _ => held.push(number),
            }
        }
    }
}

fn accepted(listener: &TcpListener) -> Result<Option<TcpStream>> {
    match listener.accept() {
        Ok((stream, _)) => Ok(Some(stream)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.into()),
    }
}
